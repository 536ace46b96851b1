package org.saldo

import java.io.ByteArrayOutputStream
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.TimeUnit
import java.util.zip.GZIPOutputStream
import javax.net.ssl.SSLContext
import kotlin.reflect.KClass
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlin.time.measureTime
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import okhttp3.tls.HandshakeCertificates
import okhttp3.tls.HeldCertificate
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.Test
import org.saldo.ffi.HttpHeader
import org.saldo.ffi.HttpRequest
import org.saldo.ffi.HttpResponse
import org.saldo.ffi.HttpTransport
import org.saldo.ffi.TransportFailure

/** What every transport of these packages does, against a server that fails on purpose. */
abstract class TransportContract {
    /** A transport as an app makes it. */
    abstract fun transport(): HttpTransport

    /** A transport that trusts the issuer of the tests. */
    abstract fun trusting(certificates: HandshakeCertificates): HttpTransport

    /** Until when the server sees that a request of 3 seconds was cancelled whose response had begun. */
    open val closesWithin: Duration = 2.seconds

    /** What a server of TLS is behind `http`. */
    open val tlsBehindHttp: KClass<out TransportFailure> = TransportFailure.TlsExpected::class

    private val limit = 5_000

    private fun request(url: String, body: ByteArray = "{}".encodeToByteArray(), timeoutMs: Int = limit, maxBytes: Int = 1_000) =
        HttpRequest(
            if (body.isEmpty()) "GET" else "POST",
            url,
            listOf(HttpHeader("content-type", "application/json"), HttpHeader("x-own", "1")),
            body,
            timeoutMs.toULong(),
            maxBytes.toULong(),
        )

    private fun send(request: HttpRequest, with: HttpTransport = transport()): HttpResponse = runBlocking { with.send(request) }

    private fun <T : TransportFailure> fails(kind: KClass<T>, request: HttpRequest, with: HttpTransport = transport()): T {
        val thrown = runCatching { send(request, with) }.exceptionOrNull() ?: return fail("the request succeeded")
        return assertInstanceOf(kind.java, thrown) { "$thrown, caused by ${thrown.cause}" }
    }

    private fun gzip(bytes: ByteArray): ByteArray = ByteArrayOutputStream().also { out -> GZIPOutputStream(out).use { it.write(bytes) } }.toByteArray()

    private val ok = "ok".encodeToByteArray()

    @Test
    fun aResponseArrivesWithStatusHeadersAndBody() {
        for (status in listOf("200 OK", "401 Unauthorized", "404 Not Found", "429 Too Many Requests", "503 Unavailable")) {
            FaultServer { socket, _ -> socket.respond(status, ok, "Retry-After: 7") }.use { server ->
                val response = send(request(server.url))
                assertEquals(status.take(3).toInt(), response.status.toInt())
                assertArrayEquals(ok, response.body, status)
                assertTrue(response.headers.any { it.name.equals("retry-after", ignoreCase = true) && it.value == "7" }, status)
            }
        }
    }

    @Test
    fun theServerReceivesMethodHeadersAndBody() {
        FaultServer { socket, _ -> socket.respond("200 OK", ok) }.use { server ->
            send(request(server.url, "[1,2]".encodeToByteArray()))
            send(request(server.url, ByteArray(0)))
            val (post, get) = server.requests
            assertEquals("POST /path?key=secret HTTP/1.1", post.head.first())
            assertEquals("[1,2]", post.body.decodeToString())
            assertTrue(post.head.any { it.equals("content-type: application/json", ignoreCase = true) }, "${post.head}")
            assertTrue(post.head.any { it.equals("x-own: 1", ignoreCase = true) }, "${post.head}")
            assertEquals("GET /path?key=secret HTTP/1.1", get.head.first())
        }
    }

    @Test
    fun anEmptyBodyIsABody() {
        FaultServer { socket, _ -> socket.send("HTTP/1.1 204 No Content\n\n") }.use { server ->
            assertEquals(0, send(request(server.url)).body.size)
        }
    }

    @Test
    fun aRefusedConnectionIsNoConnection() {
        val port = ServerSocket(0).use { it.localPort }
        fails(TransportFailure.Connect::class, request("http://localhost:$port/"))
        fails(TransportFailure.Connect::class, request("https://localhost:$port/"))
    }

    @Test
    fun aNameThatDoesNotResolveIsNamed() {
        fails(TransportFailure.Dns::class, request("https://no-such-host.invalid/"))
    }

    @Test
    fun silenceBeforeTheHeadersTimesOut() {
        FaultServer { socket, _ -> Thread.sleep(10_000); socket.close() }.use { server ->
            val took = measureTime { fails(TransportFailure.Timeout::class, request(server.url, timeoutMs = 300)) }
            assertTrue(took < 3.seconds, "$took")
        }
    }

    @Test
    fun silenceAfterTheHeadersTimesOut() {
        val silent = FaultServer { socket, _ -> socket.send("HTTP/1.1 200 OK\nContent-Length: 100\n\n", ok); Thread.sleep(10_000) }
        silent.use { server -> fails(TransportFailure.Timeout::class, request(server.url, timeoutMs = 300)) }
    }

    @Test
    fun aFewBytesNowAndThenTimeOutToo() {
        val trickling = FaultServer { socket, _ ->
            socket.send("HTTP/1.1 200 OK\nContent-Length: 1000\n\n")
            repeat(200) { socket.send("x"); Thread.sleep(50) }
        }
        trickling.use { server ->
            val took = measureTime { fails(TransportFailure.Timeout::class, request(server.url, timeoutMs = 500)) }
            assertTrue(took < 3.seconds, "$took")
        }
    }

    @Test
    fun aBodyIsReadUpToItsLimitAndNotBeyond() {
        val endless: (Socket) -> Unit = { socket -> repeat(100_000) { socket.send("x".repeat(1_000)) } }
        val answers = mapOf<String, (Socket) -> Unit>(
            "announced" to { it.respond("200 OK", ByteArray(1_001)) },
            "announced, endless" to { it.send("HTTP/1.1 200 OK\nContent-Length: 100000000\n\n"); endless(it) },
            "until the connection ends" to { it.send("HTTP/1.1 200 OK\n\n"); endless(it) },
            "in chunks" to {
                it.send("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n")
                repeat(100_000) { _ -> it.send("3e8\n${"x".repeat(1_000)}\n") }
            },
            "an error" to { it.respond("500 Error", ByteArray(1_001)) },
            "a small body that inflates" to { it.respond("200 OK", gzip(ByteArray(10_000_000)), "Content-Encoding: gzip") },
        )
        for ((name, answer) in answers) {
            FaultServer { socket, _ -> answer(socket) }.use { server ->
                val took = measureTime { fails(TransportFailure.TooLarge::class, request(server.url)) }
                assertTrue(took < 4.seconds, "$name: $took")
            }
        }
        FaultServer { socket, _ -> socket.respond("200 OK", ByteArray(1_000)) }.use { server ->
            assertEquals(1_000, send(request(server.url)).body.size)
        }
    }

    @Test
    fun aRedirectIsNotFollowed() {
        FaultServer { socket, _ -> socket.respond("200 OK", ok) }.use { elsewhere ->
            for (status in listOf("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent")) {
                FaultServer { socket, _ -> socket.respond(status, ok, "Location: ${elsewhere.url}") }.use { server ->
                    assertEquals(status.take(3).toInt(), send(request(server.url)).status.toInt())
                }
            }
            assertEquals(0, elsewhere.requests.size)
        }
    }

    @Test
    fun aConnectionThatBreaksIsBroken() {
        val answers = mapOf<String, (Socket) -> Unit>(
            "before the headers" to { it.close() },
            "within the headers" to { it.send("HTTP/1.1 200 OK\nContent-Le"); it.close() },
            "reset" to { it.setSoLinger(true, 0); it.close() },
            "within the body" to { it.send("HTTP/1.1 200 OK\nContent-Length: 100\n\n", ok); it.close() },
            "within a chunk" to { it.send("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n64\nok"); it.close() },
            "within a compressed body" to {
                it.send("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 100\n\n", gzip(ok).copyOf(12)); it.close()
            },
            "no HTTP" to { it.send("SSH-2.0-OpenSSH_9.2\n"); it.close() },
        )
        for ((name, answer) in answers) {
            FaultServer { socket, _ -> answer(socket) }.use { server ->
                val thrown = runCatching { send(request(server.url)) }.exceptionOrNull()
                assertInstanceOf(TransportFailure.Broken::class.java, thrown) { "$name: $thrown" }
            }
        }
    }

    @Test
    fun aCompressedBodyIsInflated() {
        FaultServer { socket, _ -> socket.respond("200 OK", gzip(ok), "Content-Encoding: gzip") }.use { server ->
            val response = send(request(server.url))
            assertArrayEquals(ok, response.body)
            assertFalse(response.headers.any { it.name.equals("content-encoding", ignoreCase = true) })
            assertTrue(server.requests.single().head.any { it.equals("accept-encoding: gzip", ignoreCase = true) })
        }
    }

    @Test
    fun aBodyThatCannotBeInflatedIsNamed() {
        val damaged = gzip("a longer text, so that there is something to damage".encodeToByteArray()).also { it[15] = (it[15] + 1).toByte() }
        for ((encoding, body) in listOf("gzip" to ok, "gzip" to damaged, "gzip" to gzip(ok).copyOf(15), "br" to ok, "zstd" to ok)) {
            FaultServer { socket, _ -> socket.respond("200 OK", body, "Content-Encoding: $encoding") }.use { server ->
                fails(TransportFailure.Encoding::class, request(server.url))
            }
        }
    }

    @Test
    fun aTrustedCertificateIsTaken() = secured(certificate()) { server ->
        assertEquals(200, send(request(server.url), trusting(client)).status.toInt())
    }

    @Test
    fun anUntrustedIssuerIsNamed() = secured(certificate()) { server ->
        fails(TransportFailure.TlsUntrustedIssuer::class, request(server.url))
    }

    @Test
    fun aCertificateForAnotherHostIsNamed() {
        for (names in listOf(listOf("other.test"), listOf("other.test", "another.test"))) {
            secured(certificate(names)) { server -> fails(TransportFailure.TlsOtherName::class, request(server.url), trusting(client)) }
        }
    }

    @Test
    fun anExpiredCertificateIsNamed() = secured(certificate(from = -48, until = -24)) { server ->
        fails(TransportFailure.TlsExpired::class, request(server.url), trusting(client))
    }

    @Test
    fun aCertificateOfTheFutureIsNamed() = secured(certificate(from = 24, until = 48)) { server ->
        fails(TransportFailure.TlsNotYetValid::class, request(server.url), trusting(client))
    }

    @Test
    fun plainHttpBehindHttpsIsNamed() {
        // It answers as soon as something comes, as servers do that take the TLS greeting for a request.
        val plain = ServerSocket(0)
        val serving = kotlin.concurrent.thread(isDaemon = true) {
            while (true) {
                val socket = try { plain.accept() } catch (_: Exception) { break }
                socket.getInputStream().read()
                socket.respond("400 Bad Request", ok)
                Thread.sleep(200)
                socket.close()
            }
        }
        plain.use { fails(TransportFailure.TlsPlainHttp::class, request("https://localhost:${plain.localPort}/")) }
        serving.join(TimeUnit.SECONDS.toMillis(5))
    }

    @Test
    fun tlsBehindPlainHttpIsNamed() {
        // The alert "unexpected message" (RFC 8446, section 6.2).
        FaultServer { socket, _ -> socket.send("", byteArrayOf(21, 3, 1, 0, 2, 2, 10)); socket.close() }.use { server ->
            fails(tlsBehindHttp, request(server.url))
        }
    }

    @Test
    fun anOldTlsIsNamed() {
        // The alert "protocol version".
        val old = ServerSocket(0)
        kotlin.concurrent.thread(isDaemon = true) {
            while (true) {
                val socket = try { old.accept() } catch (_: Exception) { break }
                socket.getInputStream().read(ByteArray(4_096))
                socket.send("", byteArrayOf(21, 3, 1, 0, 2, 2, 70))
                Thread.sleep(200)
                socket.close()
            }
        }
        old.use { fails(TransportFailure.TlsOldVersion::class, request("https://localhost:${old.localPort}/")) }
    }

    @Test
    fun aUrlThatCannotBeReadLeaksNothing() {
        for (url in listOf("nonsense", "ftp://key:secret@localhost/", "http://secret host/", "http://localhost:99999999/secret")) {
            val thrown = assertInstanceOf(TransportFailure::class.java, runCatching { send(request(url)) }.exceptionOrNull())
            if (thrown is TransportFailure.Unexpected) assertFalse("secret" in thrown.detail, thrown.detail)
        }
    }

    @Test
    fun aCancelledRequestIsDisconnected() = cancelled(2.seconds) {}

    @Test
    fun aCancelledResponseIsDisconnected() = cancelled(closesWithin) { it.send("HTTP/1.1 200 OK\nContent-Length: 100\n\n", ok) }

    private fun cancelled(within: Duration, answer: (Socket) -> Unit) = runBlocking {
        lateinit var server: FaultServer
        server = FaultServer { socket, _ -> answer(socket); server.awaitClose(socket); socket.close() }
        server.use {
            val reading = launch(Dispatchers.Default) { transport().send(request(server.url, timeoutMs = 3_000)) }
            while (server.requests.isEmpty()) delay(10)
            delay(100)
            val took = measureTime { reading.cancelAndJoin() }
            assertTrue(took < 2.seconds, "the caller waited for $took")
            val until = TimeSource.Monotonic.markNow() + within
            while (server.closedByClient.get() == 0 && until.hasNotPassedNow()) delay(10)
            assertTrue(server.closedByClient.get() > 0, "the server does not see that the request has ended")
        }
    }

    @Test
    fun twoHundredRequestsAtOnceAreAnswered(): Unit = runBlocking {
        FaultServer { socket, _ -> Thread.sleep(20); socket.respond("200 OK", ok) }.use { server ->
            val transport = transport()
            val took = measureTime {
                val all = List(200) { async(Dispatchers.Default) { transport.send(request(server.url, timeoutMs = 30_000)) } }
                assertTrue(all.awaitAll().all { it.status.toInt() == 200 })
            }
            assertTrue(took < 10.seconds, "$took")
        }
    }

    @Test
    fun aFailureLeavesNothingForTheNextRequest() {
        var count = 0
        val server = FaultServer { socket, _ -> if (count++ == 0) socket.respond("200 OK", ByteArray(5_000)) else socket.respond("200 OK", ok) }
        server.use {
            val transport = transport()
            fails(TransportFailure.TooLarge::class, request(server.url), transport)
            assertArrayEquals(ok, send(request(server.url), transport).body)
        }
    }

    private val issuer = HeldCertificate.Builder().certificateAuthority(0).commonName("issuer of the tests").build()
    private val client: HandshakeCertificates by lazy { HandshakeCertificates.Builder().addTrustedCertificate(issuer.certificate).build() }

    private fun certificate(names: List<String> = listOf("localhost"), from: Int = -24, until: Int = 24): SSLContext {
        val now = System.currentTimeMillis()
        val hour = TimeUnit.HOURS.toMillis(1)
        val held = HeldCertificate.Builder().signedBy(issuer).validityInterval(now + from * hour, now + until * hour).commonName("server")
        names.forEach { held.addSubjectAlternativeName(it) }
        return HandshakeCertificates.Builder().heldCertificate(held.build(), issuer.certificate).build().sslContext()
    }

    private fun secured(tls: SSLContext, test: (FaultServer) -> Unit) =
        FaultServer(tls) { socket, _ -> socket.respond("200 OK", ok) }.use(test)
}
