package org.saldo

import java.net.HttpURLConnection
import kotlin.coroutines.EmptyCoroutineContext
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull
import org.saldo.ffi.HttpRequest
import org.saldo.ffi.HttpResponse
import org.saldo.ffi.HttpTransport
import org.saldo.ffi.TransportFailure

/**
 * Sends requests with `HttpURLConnection`, which Java and Android have. It follows no redirect.
 *
 * A request that is cancelled or takes too long is disconnected. Once its response has begun, Java outside Android keeps the
 * connection for the rest of the request's time limit and 5 seconds more, without the caller.
 *
 * @param blocking where requests wait: each takes a thread.
 * @param configure is called with each connection before it connects, to set a socket factory, for example.
 */
class UrlConnectionTransport(
    private val blocking: CoroutineDispatcher = Dispatchers.IO,
    private val configure: (HttpURLConnection) -> Unit = {},
) : HttpTransport {
    override suspend fun send(request: HttpRequest): HttpResponse {
        val limit = request.timeoutMs.coerceIn(1u, LONGEST_MS).toLong()
        return withTimeoutOrNull(limit) { exchange(request, limit.toInt()) } ?: throw TransportFailure.Timeout()
    }

    private suspend fun exchange(request: HttpRequest, limitMs: Int): HttpResponse = suspendCancellableCoroutine { waiting ->
        val exchange = UrlConnectionExchange(request, limitMs, configure)
        // An interrupt does not end a read from a socket; closing it does. Not on the threads of `blocking`: all may be busy.
        waiting.invokeOnCancellation { Dispatchers.Default.dispatch(EmptyCoroutineContext) { exchange.stop() } }
        blocking.dispatch(EmptyCoroutineContext) { waiting.resumeWith(runCatching { exchange.run() }) }
    }

    private companion object {
        /** One day. */
        const val LONGEST_MS = 86_400_000uL
    }
}
