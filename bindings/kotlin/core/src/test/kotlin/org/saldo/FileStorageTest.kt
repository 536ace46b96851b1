package org.saldo

import java.io.File
import java.io.FileOutputStream
import java.io.RandomAccessFile
import kotlin.random.Random
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.saldo.ffi.StorageAck
import org.saldo.ffi.StorageChange
import org.saldo.ffi.StorageFailure

class FileStorageTest {
    @TempDir
    lateinit var folder: File

    private val file get() = File(folder, "deep/saldo.bin")
    private val some = listOf(StorageChange("a/1", byteArrayOf(1, -1)), StorageChange("b", ByteArray(0)), StorageChange("c", ByteArray(70_000) { it.toByte() }))

    private fun load(storage: FileStorage = FileStorage(file)): Pair<Map<String, List<Byte>>, ULong> =
        runBlocking { storage.load().let { found -> found.entries.associate { it.name to it.value.toList() } to found.version } }

    private fun apply(changes: List<StorageChange>, version: ULong, storage: FileStorage = FileStorage(file)): StorageAck =
        runBlocking { storage.apply(changes, version) }

    private inline fun <reified T : Throwable> fails(crossinline call: () -> Unit): T =
        assertInstanceOf(T::class.java, runCatching { call() }.exceptionOrNull())

    @Test
    fun aNewStorageIsEmptyAndHasVersionZero() = assertEquals(emptyMap<String, List<Byte>>() to 0uL, load())

    @Test
    fun whatWasWrittenIsFoundAndAcknowledgedByValue() {
        val ack = apply(some, 0u)
        assertNotEquals(0uL, ack.version)
        assertEquals(acknowledge(some, ack.version), ack)
        assertEquals(3u, ack.written)
        val (entries, version) = load()
        assertEquals(some.associate { it.name to it.value!!.toList() }, entries)
        assertEquals(ack.version, version)

        val change = listOf(StorageChange("a/1", null), StorageChange("b", byteArrayOf(5)), StorageChange("never there", null))
        val second = apply(change, version)
        assertEquals(acknowledge(change, second.version), second)
        assertEquals(setOf("b", "c"), load().first.keys)
        assertEquals(listOf<Byte>(5), load().first["b"])
    }

    @Test
    fun twoClientsOnOneFileConflict() {
        val first = apply(some, 0u, FileStorage(file))
        fails<StorageFailure.Conflict> { apply(some, 0u, FileStorage(file)) }
        // The same file under another path.
        fails<StorageFailure.Conflict> { apply(some, 0u, FileStorage(File(folder, "deep/../deep/saldo.bin"))) }
        apply(some, first.version)
        fails<StorageFailure.Conflict> { apply(some, first.version) }
    }

    @Test
    fun ofManyWritersAtOnceOneWinsEachVersion(): Unit = runBlocking {
        var version = 0uL
        repeat(20) {
            val expected = version
            val results = List(8) { writer ->
                async(Dispatchers.IO) { runCatching { FileStorage(file).apply(listOf(StorageChange("w", byteArrayOf(writer.toByte()))), expected) } }
            }.awaitAll()
            val winners = results.withIndex().filter { it.value.isSuccess }
            assertEquals(1, winners.size)
            assertTrue(results.filter { it.isFailure }.all { it.exceptionOrNull() is StorageFailure.Conflict }, "$results")
            assertEquals(listOf(winners.single().index.toByte()), load().first["w"])
            version = winners.single().value.getOrThrow().version
        }
    }

    @Test
    fun aFileThatWasRemovedNeverGetsAnOldVersionAgain() {
        val before = apply(some, 0u).version
        file.delete()
        fails<StorageFailure.Conflict> { apply(some, before) }
        assertNotEquals(before, apply(some, 0u).version)
    }

    @Test
    fun everyFlippedByteAndEveryCutIsDamage() {
        apply(some.take(2), 0u)
        val whole = file.readBytes()
        val damaged = whole.indices.map { place -> whole.copyOf().also { it[place] = (it[place] + 1).toByte() } } +
            whole.indices.map(whole::copyOf) + listOf(whole + 0, Random(1).nextBytes(500))
        for (bytes in damaged) {
            assertNull(StorageFile.decode(bytes))
            file.writeBytes(bytes)
            fails<StorageFailure.Damaged> { load() }
            assertEquals(emptyMap<String, List<Byte>>() to 0uL, load(), "the next read finds an empty storage")
        }
        assertTrue(File("${file.path}.damaged").exists(), "the damaged file is kept for support")
    }

    @Test
    fun aWriteOnADamagedFileIsRefused() {
        val version = apply(some, 0u).version
        file.writeBytes(byteArrayOf(1, 2, 3))
        fails<StorageFailure.Damaged> { apply(some, version) }
        apply(some, 0u)
    }

    @Test
    fun lengthsThatLieCostNoMemory() {
        val honest = StorageFile(1, mapOf("n" to byteArrayOf(7))).encode()
        for (place in 24 until 36) {
            val lying = honest.copyOf(honest.size - 32).also { it[place] = 0x7f }
            val sealed = lying + java.security.MessageDigest.getInstance("SHA-256").digest(lying)
            assertNull(StorageFile.decode(sealed), "byte $place")
        }
    }

    @Test
    fun aFullDiskIsNamedAndLeavesTheOldFile() {
        val version = apply(some, 0u).version
        val before = load()
        // The kernel's own full device.
        val full = FileStorage(file, false) { FileOutputStream("/dev/full") }
        fails<StorageFailure.Full> { apply(listOf(StorageChange("a", ByteArray(100_000))), version, full) }
        assertEquals(before, load())
    }

    @Test
    fun anInterruptedWriteLeavesTheOldFile() {
        val version = apply(some, 0u).version
        val before = load()
        val halfway = FileStorage(file, false) { target ->
            object : FileOutputStream(target) {
                override fun write(bytes: ByteArray) {
                    super.write(bytes, 0, bytes.size / 2)
                    throw java.io.IOException("the process ends here")
                }
            }
        }
        fails<StorageFailure.Unexpected> { apply(listOf(StorageChange("a", byteArrayOf(1))), version, halfway) }
        // The rest of a process that was killed.
        File("${file.path}.new").writeBytes(byteArrayOf(1))
        assertEquals(before, load())
        apply(some, version)
    }

    @Test
    fun aWriteThatKeepsOtherBytesIsNotAcknowledged() {
        val losing = FileStorage(file, false) { target ->
            object : FileOutputStream(target) {
                override fun write(bytes: ByteArray) = super.write(StorageFile.EMPTY.with(emptyList(), 9).encode())
            }
        }
        assertEquals(StorageAck(9u, 0u, 0u), apply(some, 0u, losing))
    }

    @Test
    fun aReadOnlyStorageChangesNothing() {
        val version = apply(some, 0u).version
        val widget = FileStorage(file, isReadOnly = true)
        assertEquals(load(), load(widget))
        fails<StorageFailure.ReadOnly> { apply(some, version, widget) }
        file.writeBytes(byteArrayOf(1))
        fails<StorageFailure.Damaged> { load(widget) }
        assertTrue(file.exists())
        assertFalse(File("${file.path}.damaged").exists())
    }

    @Test
    fun aFolderThatCannotBeWrittenIsAFailureAndNoCrash() {
        val file = File(File(folder, "a file").also { it.writeText("x") }, "saldo.bin")
        fails<StorageFailure.Unexpected> { apply(some, 0u, FileStorage(file)) }
    }

    @Test
    fun anotherProcessIsWaitedFor(): Unit = runBlocking {
        apply(some, 0u)
        val lock = RandomAccessFile("${file.path}.lock", "rw")
        val held = lock.channel.lock()
        val waiting = async(Dispatchers.IO) { FileStorage(file).load() }
        kotlinx.coroutines.delay(200)
        assertTrue(waiting.isActive)
        held.release()
        lock.close()
        assertEquals(3, waiting.await().entries.size)
    }

    @Test
    fun onlyTheOwnerMayReadTheFile() {
        apply(some, 0u)
        val permissions = java.nio.file.Files.getPosixFilePermissions(file.toPath()).map { it.name }
        assertTrue(permissions.none { "GROUP_READ" in it || "OTHERS_READ" in it }, "$permissions")
    }
}
