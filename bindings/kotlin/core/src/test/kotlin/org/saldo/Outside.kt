package org.saldo

import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.awaitCancellation
import org.saldo.ffi.HttpRequest
import org.saldo.ffi.HttpResponse
import org.saldo.ffi.HttpTransport
import org.saldo.ffi.Storage
import org.saldo.ffi.StorageAck
import org.saldo.ffi.StorageChange
import org.saldo.ffi.StorageEntry
import org.saldo.ffi.StorageFailure
import org.saldo.ffi.StorageSnapshot
import org.saldo.ffi.TransportFailure

/** A transport that sends, or does what the test says. */
class TestTransport(private val inner: HttpTransport = UrlConnectionTransport()) : HttpTransport {
    @Volatile
    var does: suspend (HttpRequest) -> HttpResponse = { inner.send(it) }
    private val inProgress = AtomicInteger()
    val started = AtomicInteger()
    val left: Int get() = inProgress.get()

    fun pass() {
        does = { inner.send(it) }
    }

    /** Does what a scenario says (`tests/ffi/README.md`). */
    fun become(does: String) {
        this.does = when (does) {
            "pass" -> { request -> inner.send(request) }
            "throws" -> { _ -> throw NotImplementedError("an error without a name") }
            "hangs" -> { _ -> awaitCancellation() }
            "floods" -> { request -> HttpResponse(200u, emptyList(), ByteArray(request.maxBytes.toInt() + 1)) }
            else -> { _ -> throw failure(does) }
        }
    }

    private fun failure(name: String): TransportFailure = when (name) {
        "offline" -> TransportFailure.Offline()
        "dns" -> TransportFailure.Dns()
        "connect" -> TransportFailure.Connect()
        "tls" -> TransportFailure.Tls()
        "tls_untrusted_issuer" -> TransportFailure.TlsUntrustedIssuer()
        "tls_other_name" -> TransportFailure.TlsOtherName()
        "tls_expired" -> TransportFailure.TlsExpired()
        "timeout" -> TransportFailure.Timeout()
        "broken" -> TransportFailure.Broken()
        else -> error("unknown failure: $name")
    }

    override suspend fun send(request: HttpRequest): HttpResponse {
        started.incrementAndGet()
        inProgress.incrementAndGet()
        try {
            return does(request)
        } finally {
            inProgress.decrementAndGet()
        }
    }
}

/** A storage in memory, which throws or loses writes if the test says so. */
class TestStorage : Storage {
    private val kept = sortedMapOf<String, ByteArray>()
    private var version = 0uL

    @Volatile
    var beforeLoad: suspend () -> Unit = {}

    /** Returns an answer in place of the write; `null`: it is written. */
    @Volatile
    var onApply: suspend (List<StorageChange>) -> StorageAck? = { null }

    /** Does what a scenario says (`tests/ffi/README.md`). */
    fun become(does: String) {
        onApply = when (does) {
            "pass" -> { _ -> null }
            "throws" -> { _ -> throw AssertionError("an error without a name") }
            "full" -> { _ -> throw StorageFailure.Full() }
            "loses" -> { _ -> acknowledge(emptyList(), synchronized(this) { version + 1u }) }
            else -> error("unknown word: $does")
        }
    }

    override suspend fun load(): StorageSnapshot {
        beforeLoad()
        return synchronized(this) { StorageSnapshot(kept.map { (name, value) -> StorageEntry(name, value) }, version) }
    }

    override suspend fun apply(changes: List<StorageChange>, expectedVersion: ULong): StorageAck {
        onApply(changes)?.let { return it }
        return synchronized(this) {
            if (expectedVersion != version) throw StorageFailure.Conflict()
            for (change in changes) {
                val value = change.value
                if (value == null) kept.remove(change.name) else kept[change.name] = value
            }
            version++
            acknowledge(changes.map { StorageChange(it.name, kept[it.name]) }, version)
        }
    }
}
