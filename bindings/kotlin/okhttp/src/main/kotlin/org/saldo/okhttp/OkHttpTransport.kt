package org.saldo.okhttp

import java.io.IOException
import java.util.concurrent.TimeUnit
import kotlin.coroutines.resumeWithException
import kotlin.coroutines.resume
import kotlinx.coroutines.suspendCancellableCoroutine
import okhttp3.Call
import okhttp3.Callback
import okhttp3.Dispatcher
import okhttp3.Headers
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import okhttp3.Response
import org.saldo.ffi.HttpHeader
import org.saldo.ffi.HttpRequest
import org.saldo.ffi.HttpResponse
import org.saldo.ffi.HttpTransport
import org.saldo.ffi.TransportFailure
import org.saldo.readBody
import org.saldo.transportFailureOf

/**
 * Sends requests with OkHttp. It follows no redirect.
 *
 * @param client the app's own client: its connections, proxies, pins and interceptors are used. Its dispatcher is not, because OkHttp
 * sends only 5 requests to one host at once by default, and a wallet with many addresses asks for more. The limits here are 64 for
 * a host, and 128 in all.
 */
class OkHttpTransport(client: OkHttpClient = OkHttpClient()) : HttpTransport {
    private val client = client.newBuilder()
        .followRedirects(false)
        .followSslRedirects(false)
        .dispatcher(Dispatcher().apply { maxRequestsPerHost = 64; maxRequests = 128 })
        .build()

    override suspend fun send(request: HttpRequest): HttpResponse = suspendCancellableCoroutine { waiting ->
        val call = client.newBuilder()
            .callTimeout(request.timeoutMs.coerceIn(1u, LONGEST_MS).toLong(), TimeUnit.MILLISECONDS)
            .build()
            .newCall(request(request))
        waiting.invokeOnCancellation { call.cancel() }
        call.enqueue(object : Callback {
            override fun onFailure(call: Call, e: IOException) = waiting.resumeWithException(transportFailureOf(e))

            override fun onResponse(call: Call, response: Response) {
                val answer = runCatching { response.use { answer(it, request.maxBytes) } }
                answer.fold(waiting::resume) { waiting.resumeWithException(transportFailureOf(it)) }
            }
        })
    }

    private fun request(request: HttpRequest): Request {
        val body = request.body.takeIf { it.isNotEmpty() }?.toRequestBody(null)
        val builder = try {
            Request.Builder().url(request.url)
        } catch (e: IllegalArgumentException) {
            throw TransportFailure.Unexpected(e.javaClass.name)
        }
        builder.method(request.method, body)
        // Named here, so that OkHttp leaves the inflating to this transport, which knows the size limit.
        builder.header("Accept-Encoding", "gzip")
        request.headers.forEach { builder.header(it.name, it.value) }
        return builder.build()
    }

    private fun answer(response: Response, maxBytes: ULong): HttpResponse {
        val limit = maxBytes.coerceAtMost(Int.MAX_VALUE.toULong()).toInt()
        val body = readBody(response.body.byteStream(), response.header("Content-Encoding"), limit)
        return HttpResponse(response.code.toUShort(), headers(response.headers), body)
    }

    /** The body is no longer in the encoding that the header names. */
    private fun headers(headers: Headers): List<HttpHeader> =
        headers.filter { (name, _) -> !name.equals("Content-Encoding", ignoreCase = true) }.map { (name, value) -> HttpHeader(name, value) }

    private companion object {
        /** One day. */
        const val LONGEST_MS = 86_400_000uL
    }
}
