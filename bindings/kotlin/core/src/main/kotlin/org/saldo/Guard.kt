package org.saldo

import java.io.IOException
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import org.saldo.ffi.HttpRequest
import org.saldo.ffi.HttpResponse
import org.saldo.ffi.HttpTransport
import org.saldo.ffi.LogFailure
import org.saldo.ffi.LogLine
import org.saldo.ffi.LogSink
import org.saldo.ffi.Storage
import org.saldo.ffi.StorageAck
import org.saldo.ffi.StorageChange
import org.saldo.ffi.StorageFailure
import org.saldo.ffi.StorageSnapshot
import org.saldo.ffi.TransportFailure

/**
 * Stands between the bindings and the app's own code, which may throw anything.
 *
 * The bindings catch exceptions but not errors (`TODO()`, a failed assertion, no memory): after an error the native library would
 * wait until its own deadline, and Android would end the app. They also call on a dispatcher whose few threads must not block.
 */
internal class Guard(private val report: (Throwable) -> Unit) {
    fun transport(inner: HttpTransport): HttpTransport = object : HttpTransport {
        override suspend fun send(request: HttpRequest): HttpResponse =
            guarded(Dispatchers.IO, ::transportFailureOf) { inner.send(request) }
    }

    fun storage(inner: Storage): Storage = object : Storage {
        override suspend fun load(): StorageSnapshot = guarded(Dispatchers.IO, ::storageFailureOf) { inner.load() }

        // A write that has begun is finished.
        override suspend fun apply(changes: List<StorageChange>, expectedVersion: ULong): StorageAck =
            guarded(Dispatchers.IO + NonCancellable, ::storageFailureOf) { inner.apply(changes, expectedVersion) }
    }

    fun log(inner: LogSink): LogSink = object : LogSink {
        override suspend fun write(lines: List<LogLine>): Unit = guarded(Dispatchers.IO, ::logFailureOf) { inner.write(lines) }
    }

    private suspend fun <T> guarded(context: CoroutineContext, name: (Throwable) -> Exception, call: suspend () -> T): T = try {
        withContext(context) { call() }
    } catch (thrown: Throwable) {
        // The call itself was cancelled: that is no failure of the app's code.
        currentCoroutineContext().ensureActive()
        val failure = name(thrown)
        if (failure.isUnexpected()) tell(thrown)
        throw failure
    }

    private fun tell(thrown: Throwable) {
        try {
            report(thrown)
        } catch (_: Throwable) {
            // What reports a failure must not be one.
        }
    }
}

private fun Exception.isUnexpected(): Boolean =
    this is TransportFailure.Unexpected || this is StorageFailure.Unexpected || this is LogFailure.Unexpected

/** Names the failure of a storage that threw [thrown]. */
fun storageFailureOf(thrown: Throwable): StorageFailure = when {
    thrown is StorageFailure -> thrown
    thrown is IOException && isFull(thrown) -> StorageFailure.Full()
    else -> StorageFailure.Unexpected(nameOf(thrown))
}

private fun logFailureOf(thrown: Throwable): LogFailure = thrown as? LogFailure ?: LogFailure.Unexpected(nameOf(thrown))

/** Java has no class for a full disk: the system's text is the only sign. */
private fun isFull(thrown: IOException): Boolean {
    val text = generateSequence<Throwable>(thrown) { it.cause }.take(8).joinToString(" ") { it.message.orEmpty() }
    return listOf("No space left", "ENOSPC", "quota exceeded", "EDQUOT", "File too large", "EFBIG").any { text.contains(it, ignoreCase = true) }
}

/** The class alone: a message may contain a URL. */
internal fun nameOf(thrown: Throwable): String = thrown.javaClass.name
