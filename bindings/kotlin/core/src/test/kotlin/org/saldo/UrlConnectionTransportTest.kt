package org.saldo

import javax.net.ssl.HttpsURLConnection
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking
import okhttp3.tls.HandshakeCertificates
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.saldo.ffi.HttpRequest
import org.saldo.ffi.HttpTransport
import org.saldo.ffi.TransportFailure

class UrlConnectionTransportTest : TransportContract() {
    override fun transport(): HttpTransport = UrlConnectionTransport()

    override fun trusting(certificates: HandshakeCertificates): HttpTransport =
        UrlConnectionTransport { (it as HttpsURLConnection).sslSocketFactory = certificates.sslSocketFactory() }

    /** Java cannot close a connection from which a response is being read. It waits for the time limit, and 5 seconds for the rest. */
    override val closesWithin = 11.seconds

    /** Java does not show what came in place of HTTP. Android does. */
    override val tlsBehindHttp = TransportFailure.Broken::class

    /** Java's own timer closes idle connections; no other thread may stay. */
    @Test
    fun noThreadWaitsAfterATimeout(): Unit = runBlocking {
        FaultServer { _, _ -> Thread.sleep(20_000) }.use { server ->
            val request = HttpRequest("GET", server.url, emptyList(), ByteArray(0), 200u, 1_000u)
            assertTrue(runCatching { UrlConnectionTransport().send(request) }.isFailure)
            val deadline = System.nanoTime() + 3_000_000_000
            while (waiting() && System.nanoTime() < deadline) Thread.sleep(20)
            assertFalse(waiting())
        }
    }

    private fun waiting(): Boolean =
        Thread.getAllStackTraces().values.any { stack -> stack.any { it.className == UrlConnectionExchange::class.java.name } }
}
