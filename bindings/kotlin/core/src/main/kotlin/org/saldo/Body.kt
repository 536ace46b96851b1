package org.saldo

import java.io.ByteArrayOutputStream
import java.io.EOFException
import java.io.InputStream
import java.util.zip.GZIPInputStream
import org.saldo.ffi.TransportFailure

private const val PIECE = 8_192

/**
 * Reads a response's body, and inflates it if [encoding] says so. Stops at [limit] bytes after inflating: a small reply cannot fill
 * the memory.
 *
 * @throws TransportFailure if it is larger, or cannot be inflated.
 */
fun readBody(stream: InputStream, encoding: String?, limit: Int): ByteArray = when (encoding?.trim()?.lowercase()) {
    null, "", "identity" -> readAtMost(stream, limit)
    "gzip", "x-gzip" -> inflate(stream, limit)
    else -> throw TransportFailure.Encoding()
}

private fun inflate(stream: InputStream, limit: Int): ByteArray {
    // Remembers which side fails: a connection that breaks is another failure than damaged data.
    val source = FailingStream(stream)
    try {
        return readAtMost(GZIPInputStream(source), limit)
    } catch (e: EOFException) {
        throw source.failure ?: TransportFailure.Encoding()
    }
}

private fun readAtMost(stream: InputStream, limit: Int): ByteArray {
    val body = ByteArrayOutputStream()
    val piece = ByteArray(PIECE)
    while (true) {
        val count = stream.read(piece)
        if (count < 0) return body.toByteArray()
        if (count > limit - body.size()) throw TransportFailure.TooLarge()
        body.write(piece, 0, count)
    }
}

private class FailingStream(private val inner: InputStream) : InputStream() {
    var failure: java.io.IOException? = null

    override fun read(): Int = noting { inner.read() }

    override fun read(into: ByteArray, offset: Int, length: Int): Int = noting { inner.read(into, offset, length) }

    private fun noting(read: () -> Int): Int = try {
        read()
    } catch (e: java.io.IOException) {
        failure = e
        throw e
    }
}
