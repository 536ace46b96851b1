package org.saldo

import java.io.IOException
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
        if (status < 0) throw noHttp(connection)
        val limit = request.maxBytes.coerceAtMost(Int.MAX_VALUE.toULong()).toInt()
        val stream = if (status < HttpURLConnection.HTTP_BAD_REQUEST) connection.inputStream else connection.errorStream
        val body = stream?.use { readBody(it, connection.contentEncoding, limit) } ?: ByteArray(0)
        val headers = connection.headerFields.flatMap { (name, values) ->
            // The status line has no name. The body is no longer in the encoding that the header names.
            if (name == null || name.equals("Content-Encoding", ignoreCase = true)) emptyList() else values.map { HttpHeader(name, readable(it)) }
        }
        return HttpResponse(status.toUShort(), headers, body)
    }

    /** What came is no HTTP. A TLS alert begins with 21 and 3 (RFC 8446, section 5.1). */
    private fun noHttp(connection: HttpURLConnection): TransportFailure {
        val first = try {
            connection.inputStream.use { listOf(it.read(), it.read()) }
        } catch (_: IOException) {
            emptyList()
        }
        return if (first == listOf(21, 3)) TransportFailure.TlsExpected() else TransportFailure.Broken()
    }
}
