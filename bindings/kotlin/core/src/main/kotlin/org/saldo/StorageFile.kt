package org.saldo

import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.IOException
import java.security.MessageDigest
import org.saldo.ffi.StorageChange

/**
 * What a storage file contains. The file is: the 16 bytes of [MAGIC], the version (8 bytes), the number of entries (4), for each
 * entry the lengths of name and value (4 and 4) and both, and the SHA-256 of everything before. All numbers are big-endian.
 */
internal class StorageFile(val version: Long, val entries: Map<String, ByteArray>) {
    fun with(changes: List<StorageChange>, version: Long): StorageFile {
        val entries = LinkedHashMap(entries)
        for (change in changes) {
            val value = change.value
            if (value == null) entries.remove(change.name) else entries[change.name] = value
        }
        return StorageFile(version, entries)
    }

    fun encode(): ByteArray {
        val bytes = ByteArrayOutputStream()
        val out = DataOutputStream(bytes)
        out.write(MAGIC)
        out.writeLong(version)
        out.writeInt(entries.size)
        for ((name, value) in entries) {
            val nameBytes = name.encodeToByteArray()
            out.writeInt(nameBytes.size)
            out.writeInt(value.size)
            out.write(nameBytes)
            out.write(value)
        }
        out.write(sha256(bytes.toByteArray(), bytes.size()))
        return bytes.toByteArray()
    }

    companion object {
        /** The largest file that is read. saldo keeps far less. */
        const val MAX_BYTES = 64L shl 20

        /** A storage that has no file yet. */
        val EMPTY = StorageFile(0, emptyMap())

        private val MAGIC = "saldo storage 1\n".encodeToByteArray()
        private const val CHECKSUM = 32

        /** Returns what [bytes] contain; `null` if they are damaged, or no storage file. */
        fun decode(bytes: ByteArray): StorageFile? {
            val size = bytes.size - CHECKSUM
            if (size < MAGIC.size || !bytes.copyOf(MAGIC.size).contentEquals(MAGIC)) return null
            if (!sha256(bytes, size).contentEquals(bytes.copyOfRange(size, bytes.size))) return null
            return try {
                read(DataInputStream(ByteArrayInputStream(bytes, MAGIC.size, size - MAGIC.size)))
            } catch (_: IOException) {
                null
            }
        }

        private fun read(input: DataInputStream): StorageFile? {
            val version = input.readLong()
            val entries = LinkedHashMap<String, ByteArray>()
            repeat(input.readInt()) {
                val name = ByteArray(length(input) ?: return null)
                val value = ByteArray(length(input, name.size) ?: return null)
                input.readFully(name)
                input.readFully(value)
                entries[name.decodeToString()] = value
            }
            return StorageFile(version, entries).takeIf { input.available() == 0 }
        }

        /** Returns the next length, if so many bytes are left. */
        private fun length(input: DataInputStream, before: Int = 0): Int? =
            input.readInt().takeIf { it >= 0 && it <= input.available() - before }

        private fun sha256(bytes: ByteArray, size: Int): ByteArray =
            MessageDigest.getInstance("SHA-256").run { update(bytes, 0, size); digest() }
    }
}
