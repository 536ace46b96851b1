package org.saldo

import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.io.RandomAccessFile
import java.nio.channels.FileLock
import java.nio.channels.OverlappingFileLockException
import java.security.SecureRandom
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.saldo.ffi.Storage
import org.saldo.ffi.StorageAck
import org.saldo.ffi.StorageChange
import org.saldo.ffi.StorageEntry
import org.saldo.ffi.StorageFailure
import org.saldo.ffi.StorageSnapshot

/**
 * Keeps saldo's data in one file. Several clients and processes may use the same file: a write is refused with `Conflict` if another
 * one came before it, and saldo then reads again.
 *
 * A write makes a new file beside it and renames it, so that a crash leaves the old file or the new one. A damaged file is moved
 * aside, to the same name with `.damaged`, and the next read finds an empty storage.
 *
 * The file contains addresses. Keep it in the app's private folder and out of backups: on Android in `Context.noBackupFilesDir`.
 *
 * @param isReadOnly whether nothing may be written: for a widget beside the app. Set `ClientConfig.isStorageReadOnly` too.
 */
class FileStorage internal constructor(
    file: File,
    private val isReadOnly: Boolean,
    private val create: (File) -> FileOutputStream,
) : Storage {
    constructor(file: File, isReadOnly: Boolean = false) : this(file, isReadOnly, ::FileOutputStream)

    private val file: File = file.absoluteFile
    private val fresh = File("${this.file.path}.new")
    private val damaged = File("${this.file.path}.damaged")
    private val lockFile = File("${this.file.path}.lock")

    override suspend fun load(): StorageSnapshot = failingAsStorage {
        val found = if (isReadOnly) read() else locked { read() }
        StorageSnapshot(found.entries.map { (name, value) -> StorageEntry(name, value) }, found.version.toULong())
    }

    override suspend fun apply(changes: List<StorageChange>, expectedVersion: ULong): StorageAck = failingAsStorage {
        if (isReadOnly) throw StorageFailure.ReadOnly()
        locked {
            val found = read()
            if (found.version.toULong() != expectedVersion) throw StorageFailure.Conflict()
            val written = write(found.with(changes, next(found.version)))
            acknowledge(changes, written)
        }
    }

    /** A file that was removed and made again must not have a version that it had before: the first one is random. */
    private fun next(version: Long): Long = if (version == 0L) 1L + SecureRandom().nextInt(Int.MAX_VALUE).toLong() * VERSIONS else version + 1

    private fun read(): StorageFile {
        if (!file.exists()) return StorageFile.EMPTY
        val found = if (file.length() > StorageFile.MAX_BYTES) null else StorageFile.decode(file.readBytes())
        if (found == null && !isReadOnly) file.renameTo(damaged)
        return found ?: throw StorageFailure.Damaged()
    }

    /** Returns what is in the new file, as it was read back. */
    private fun write(next: StorageFile): StorageFile {
        try {
            create(fresh).use { out ->
                // It contains addresses: only its owner may read it.
                fresh.setReadable(false, false)
                fresh.setReadable(true, true)
                out.write(next.encode())
                out.fd.sync()
            }
            val written = StorageFile.decode(fresh.readBytes()) ?: throw IOException("the new file cannot be read back")
            if (!fresh.renameTo(file)) throw IOException("the new file cannot be renamed")
            return written
        } finally {
            // It is gone already if it was renamed.
            fresh.delete()
        }
    }

    private suspend fun <T> locked(work: () -> T): T = inProcess(file).withLock {
        file.parentFile?.mkdirs()
        RandomAccessFile(lockFile, "rw").use { handle -> lock(handle).use { work() } }
    }

    /** Waits for another process, which holds the lock only while it writes. */
    private fun lock(handle: RandomAccessFile): FileLock {
        repeat(LOCK_TRIES) {
            val lock = try {
                handle.channel.tryLock()
            } catch (_: OverlappingFileLockException) {
                null
            }
            if (lock != null) return lock
            Thread.sleep(LOCK_WAIT_MS)
        }
        throw StorageFailure.InUse()
    }

    private inline fun <T> failingAsStorage(work: () -> T): T = try {
        work()
    } catch (e: IOException) {
        throw storageFailureOf(e)
    }

    private companion object {
        /** How many versions the file can have until it meets the next first version. */
        const val VERSIONS = 1L shl 32
        const val LOCK_TRIES = 200
        const val LOCK_WAIT_MS = 20L

        /** Java's file locks do not hold between the threads of one process. */
        val mutexes = ConcurrentHashMap<String, Mutex>()

        fun inProcess(file: File): Mutex = mutexes.getOrPut(file.canonicalPath) { Mutex() }
    }
}

/** Acknowledges those of [changes] that are in [written], counted from the bytes there. */
private fun acknowledge(changes: List<StorageChange>, written: StorageFile): StorageAck {
    val kept = changes.filter { change ->
        val value = written.entries[change.name]
        if (change.value == null) value == null else value != null && value.contentEquals(change.value)
    }
    return acknowledge(kept.map { StorageChange(it.name, written.entries[it.name]) }, written.version.toULong())
}

/**
 * Makes the acknowledgement of an own storage that has written [written] and then has [version]. Give what was written, not what
 * was asked for: saldo compares it, so that a lost write is noticed.
 */
fun acknowledge(written: List<StorageChange>, version: ULong): StorageAck {
    var sum = 0u
    for (change in written) {
        change.name.encodeToByteArray().forEach { sum += it.toUByte() }
        change.value?.forEach { sum += it.toUByte() }
    }
    return StorageAck(version, written.size.toUInt(), sum)
}
