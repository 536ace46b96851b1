package org.saldo

import java.io.InputStream
import java.net.HttpURLConnection
import java.net.URL
import org.saldo.ffi.HttpHeader
import org.saldo.ffi.HttpRequest
import org.saldo.ffi.HttpResponse
import org.saldo.ffi.TransportFailure

/** One request over one `HttpURLConnection`. */
internal class UrlConnectionExchange(
    private val request: HttpRequest,
    private val limitMs: Int,
    private val configure: (HttpURLConnection) -> Unit,
) {
    @Volatile
    private var connection: HttpURLConnection? = null

    @Volatile
    private var isStopped = false

    /** Closes the socket. May be called at any time, from any thread. */
    fun stop() {
        isStopped = true
        // Closing what is half open may throw whatever it likes.
        runCatching { connection?.disconnect() }
    }

    /** Sends the request and reads the response. Blocks. */
    fun run(): HttpResponse {
        val connection = try {
            URL(request.url).openConnection() as HttpURLConnection
        } catch (thrown: Exception) {
            throw transportFailureOf(thrown)
        }
        this.connection = connection
        try {
            prepare(connection)
            if (isStopped) throw TransportFailure.Timeout()
            if (request.body.isNotEmpty()) connection.outputStream.use { it.write(request.body) }
            return response(connection)
        } catch (thrown: Throwable) {
            // What is left on the connection must not become the answer to the next request.
            stop()
            throw transportFailureOf(thrown)
        }
    }

    private fun prepare(connection: HttpURLConnection) {
        connection.requestMethod = request.method
        connection.instanceFollowRedirects = false
        connection.useCaches = false
        connection.connectTimeout = limitMs
        connection.readTimeout = limitMs
        connection.doOutput = request.body.isNotEmpty()
        // Named here, because only Android's own connection asks for it and inflates by itself.
        connection.setRequestProperty("Accept-Encoding", "gzip")
        connection.setRequestProperty("User-Agent", "saldo/$PACKAGE_VERSION")
        request.headers.forEach { connection.setRequestProperty(it.name, it.value) }
        configure(connection)
    }

    private fun response(connection: HttpURLConnection): HttpResponse {
        val status = connection.responseCode
        // What came is no HTTP.
        if (status < 0) throw TransportFailure.Broken()
        val stream = if (status < HttpURLConnection.HTTP_BAD_REQUEST) connection.inputStream else connection.errorStream
        val body = stream?.use { body(connection, it) } ?: ByteArray(0)
        // Java takes headers that break off for headers that end. A response without a length then seems to be empty.
        if (status == HttpURLConnection.HTTP_OK && body.isEmpty() && !hasLength(connection)) throw TransportFailure.Broken()
        val headers = connection.headerFields.flatMap { (name, values) ->
            // The status line has no name. The body is no longer in the encoding that the header names.
            if (name == null || name.equals("Content-Encoding", ignoreCase = true)) emptyList() else values.map { HttpHeader(name, readable(it)) }
        }
        return HttpResponse(status.toUShort(), headers, body)
    }

    /** Java does not say when a connection breaks before the announced length: the bytes are counted here. */
    private fun body(connection: HttpURLConnection, stream: InputStream): ByteArray {
        val counted = CountingStream(stream)
        val limit = request.maxBytes.coerceAtMost(Int.MAX_VALUE.toULong()).toInt()
        val encoding = connection.contentEncoding
        val body = try {
            readBody(counted, encoding, limit)
        } catch (e: TransportFailure.Encoding) {
            throw if (counted.endedBefore(connection.contentLengthLong)) TransportFailure.Broken() else e
        }
        if (counted.endedBefore(connection.contentLengthLong)) throw TransportFailure.Broken()
        return body
    }

    private fun hasLength(connection: HttpURLConnection): Boolean =
        listOf("Content-Length", "Transfer-Encoding").any { connection.getHeaderField(it) != null }
}

private class CountingStream(private val inner: InputStream) : InputStream() {
    private var count = 0L
    private var isEnded = false

    fun endedBefore(length: Long): Boolean = isEnded && count < length

    override fun read(): Int = inner.read().also { note(if (it < 0) it else 1) }

    override fun read(into: ByteArray, offset: Int, length: Int): Int = inner.read(into, offset, length).also(::note)

    private fun note(got: Int) {
        if (got < 0) isEnded = true else count += got
    }
}
