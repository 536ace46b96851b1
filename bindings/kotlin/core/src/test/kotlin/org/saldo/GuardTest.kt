package org.saldo

import java.io.IOException
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTimedValue
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.saldo.ffi.Checkpoint
import org.saldo.ffi.ClientConfig
import org.saldo.ffi.Endpoint
import org.saldo.ffi.HttpRequest
import org.saldo.ffi.HttpResponse
import org.saldo.ffi.HttpTransport
import org.saldo.ffi.LogFailure
import org.saldo.ffi.LogLine
import org.saldo.ffi.LogSink
import org.saldo.ffi.Policy
import org.saldo.ffi.Reading
import org.saldo.ffi.Storage
import org.saldo.ffi.StorageAck
import org.saldo.ffi.StorageChange
import org.saldo.ffi.StorageFailure
import org.saldo.ffi.StorageSnapshot
import org.saldo.ffi.TransportFailure

/** Whatever the app's own code throws is a typed failure: no crash, no hang, no write that seems to have succeeded. */
class GuardTest {
    private val uncaught = ConcurrentLinkedQueue<Throwable>()
    private val before = Thread.getDefaultUncaughtExceptionHandler()

    @BeforeEach
    fun listen() = Thread.setDefaultUncaughtExceptionHandler { _, thrown -> uncaught += thrown }

    @AfterEach
    fun nothingEscaped() {
        Thread.setDefaultUncaughtExceptionHandler(before)
        assertTrue(uncaught.isEmpty(), "Android would have ended the app: $uncaught")
    }

    /** Everything that code can throw. */
    private val throws: Map<String, () -> Nothing> = mapOf(
        "exception" to { throw IllegalStateException("key=secret") },
        "I/O" to { throw IOException("https://provider.test/secret") },
        "nothing to read" to { throw NullPointerException() },
        "TODO()" to { TODO("key=secret") },
        "assertion" to { throw AssertionError("key=secret") },
        "no memory" to { throw OutOfMemoryError() },
        "no class" to { throw NoClassDefFoundError("a/B") },
        "endless recursion" to { throw StackOverflowError() },
        "own throwable" to { throw object : Throwable("key=secret") {} },
        "a cancellation of its own" to { throw CancellationException("key=secret") },
    )

    private val request = HttpRequest("GET", "https://provider.test/secret", emptyList(), ByteArray(0), 1_000u, 1_000u)

    private fun transport(send: suspend (HttpRequest) -> HttpResponse) = object : HttpTransport {
        override suspend fun send(request: HttpRequest) = send(request)
    }

    private class Throwing(private val load: suspend () -> StorageSnapshot, private val apply: suspend () -> StorageAck) : Storage {
        override suspend fun load() = load.invoke()

        override suspend fun apply(changes: List<StorageChange>, expectedVersion: ULong) = apply.invoke()
    }

    private fun log(write: suspend () -> Unit) = object : LogSink {
        override suspend fun write(lines: List<LogLine>) = write()
    }

    @Test
    fun eachThrowInEachCallbackIsTyped(): Unit = runBlocking {
        for ((name, throwIt) in throws) {
            val told = mutableListOf<Throwable>()
            val guard = Guard(told::add)
            val sent = runCatching { guard.transport(transport { throwIt() }).send(request) }.exceptionOrNull()
            assertInstanceOf(TransportFailure::class.java, sent, name)
            (sent as? TransportFailure.Unexpected)?.let { assertTrue("secret" !in it.detail && '\n' !in it.detail, it.detail) }
            val storage = guard.storage(Throwing({ throwIt() }, { throwIt() }))
            assertInstanceOf(StorageFailure.Unexpected::class.java, runCatching { storage.load() }.exceptionOrNull(), name)
            assertInstanceOf(StorageFailure.Unexpected::class.java, runCatching { storage.apply(emptyList(), 0u) }.exceptionOrNull(), name)
            val logged = runCatching { guard.log(log { throwIt() }).write(emptyList()) }.exceptionOrNull()
            assertInstanceOf(LogFailure.Unexpected::class.java, logged, name)
            assertTrue(told.size >= 3, "$name: the app is told: $told")
        }
    }

    @Test
    fun aNamedFailureKeepsItsName(): Unit = runBlocking {
        val guard = Guard { throw AssertionError("a named failure is nothing to report: $it") }
        val dns = guard.transport(transport { throw TransportFailure.Dns() })
        assertInstanceOf(TransportFailure.Dns::class.java, runCatching { dns.send(request) }.exceptionOrNull())
        val slow = guard.transport(transport { withTimeout(10.milliseconds) { awaitCancellation() } })
        assertInstanceOf(TransportFailure.Timeout::class.java, runCatching { slow.send(request) }.exceptionOrNull())
        val full = guard.storage(Throwing({ throw StorageFailure.Full() }, { throw IOException("write failed: No space left on device") }))
        assertInstanceOf(StorageFailure.Full::class.java, runCatching { full.load() }.exceptionOrNull())
        assertInstanceOf(StorageFailure.Full::class.java, runCatching { full.apply(emptyList(), 0u) }.exceptionOrNull())
    }

    @Test
    fun aReportThatThrowsChangesNothing(): Unit = runBlocking {
        val guard = Guard { throw StackOverflowError() }
        val sent = runCatching { guard.transport(transport { TODO() }).send(request) }.exceptionOrNull()
        assertInstanceOf(TransportFailure.Unexpected::class.java, sent)
    }

    @Test
    fun aCancelledCallEndsAsCancelled(): Unit = runBlocking {
        var ended: Throwable? = null
        val begun = CompletableDeferred<Unit>()
        val guarded = Guard {}.transport(transport { begun.complete(Unit); awaitCancellation() })
        val job = launch(Dispatchers.Default) {
            try {
                guarded.send(request)
            } catch (e: Throwable) {
                ended = e
            }
        }
        begun.await()
        job.cancelAndJoin()
        assertInstanceOf(CancellationException::class.java, ended)
    }

    @Test
    fun aWriteThatHasBegunIsFinished(): Unit = runBlocking {
        var isWritten = false
        val begun = CompletableDeferred<Unit>()
        val storage = Guard {}.storage(Throwing({ TODO() }, { begun.complete(Unit); delay(200); isWritten = true; StorageAck(1u, 0u, 0u) }))
        val job = launch(Dispatchers.Default) { storage.apply(emptyList(), 0u) }
        begun.await()
        job.cancelAndJoin()
        assertTrue(isWritten)
    }

    private val config = ClientConfig(
        network = "mainnet",
        rpc = listOf(Endpoint("https://anna.test/secret")),
        beacon = listOf(Endpoint("https://north.test/secret")),
        checkpoint = Checkpoint("0x" + "11".repeat(32), 1uL),
        policy = Policy(deadlineMs = 1_000u),
    )
    private val owner = "0x00000000000000000000000000000000000000c3"

    @Test
    fun aReadThroughATransportThatThrowsIsUnknownInTime(): Unit = runBlocking {
        for ((name, throwIt) in throws) {
            val transport = TestTransport().apply { does = { throwIt() } }
            Saldo.open(config, transport).use { saldo ->
                val (reading, took) = measureTimedValue { saldo.balance(owner) }
                assertInstanceOf(Reading.Unknown::class.java, reading, name)
                assertTrue(took < 4.seconds, "$name: $took")
                assertTrue(transport.started.get() > 0, name)
            }
        }
    }

    @Test
    fun aTransportThatBlocksItsThreadDelaysNobodyElse(): Unit = runBlocking {
        val transport = TestTransport().apply { does = { Thread.sleep(20_000); error("late") } }
        Saldo.open(config, transport).use { saldo ->
            val (reading, took) = measureTimedValue { saldo.balance(owner) }
            assertInstanceOf(Reading.Unknown::class.java, reading)
            assertTrue(took < 4.seconds, "$took")
            assertEquals(false, saldo.health().isClosed)
        }
    }

    @Test
    fun wrongAnswersAreNoAmount(): Unit = runBlocking {
        val answers = listOf(
            HttpResponse(200u, emptyList(), ByteArray(0)),
            HttpResponse(0u, emptyList(), ByteArray(10)),
            HttpResponse(65_535u, emptyList(), """{"result":"0x0"}""".encodeToByteArray()),
            HttpResponse(200u, emptyList(), """{"jsonrpc":"2.0","id":1,"result":"0x0"}""".encodeToByteArray()),
            HttpResponse(200u, emptyList(), ByteArray(1_000_000) { it.toByte() }),
        )
        for (answer in answers) {
            Saldo.open(config, TestTransport().apply { does = { answer } }).use { saldo ->
                assertInstanceOf(Reading.Unknown::class.java, saldo.balance(owner), "${answer.status}, ${answer.body.size} bytes")
            }
        }
    }

    @Test
    fun aStorageThatCannotBeReadIsListedAndStopsNothing(): Unit = runBlocking {
        for ((name, throwIt) in throws) {
            val storage = TestStorage().apply { beforeLoad = { throwIt() } }
            Saldo.open(config, TestTransport().apply { does = { throw TransportFailure.Dns() } }, storage).use { saldo ->
                assertInstanceOf(Reading.Unknown::class.java, saldo.balance(owner), name)
                assertTrue("unreadable" in saldo.storageFaults().map { it.code }, "$name: ${saldo.storageFaults()}")
            }
        }
    }

    @Test
    fun aStorageThatNeverAnswersDelaysAReadByItsDeadlineAtMost(): Unit = runBlocking {
        val storage = TestStorage().apply { beforeLoad = { awaitCancellation() } }
        Saldo.open(config, TestTransport().apply { does = { throw TransportFailure.Dns() } }, storage).use { saldo ->
            val (reading, took) = measureTimedValue { saldo.balance(owner) }
            assertInstanceOf(Reading.Unknown::class.java, reading)
            assertTrue(took < 5.seconds, "$took")
        }
    }

    @Test
    fun eachThrowWhileWritingIsListedAndNoReadingIsLost(): Unit = runBlocking {
        Served("proven").use { served ->
            for ((name, throwIt) in throws) {
                val storage = TestStorage().apply { onApply = { throwIt() } }
                val told = ConcurrentLinkedQueue<Throwable>()
                Saldo.open(served.config, storage = storage, report = { told += it }).use { saldo ->
                    val holding = saldo.native("0x00000000000000000000000000000000000000c3")
                    val reading = saldo.readPatiently(listOf(holding), 20.seconds).single()
                    assertInstanceOf(Reading.Proven::class.java, reading, "$name: $reading")
                    repeat(100) { if ("unwritten" !in saldo.storageFaults().map { it.code }) delay(50) }
                    assertTrue("unwritten" in saldo.storageFaults().map { it.code }, "$name: ${saldo.storageFaults()}")
                    assertTrue(told.isNotEmpty(), name)
                }
            }
        }
    }

    @Test
    fun aLogThatThrowsOrHangsStopsNothing(): Unit = runBlocking {
        val sinks = throws.map { (name, throwIt) -> name to log { throwIt() } } + ("never returns" to log { awaitCancellation() })
        for ((name, sink) in sinks) {
            Saldo.open(config.copy(logLevel = "trace"), TestTransport().apply { does = { throw TransportFailure.Dns() } }, log = sink).use { saldo ->
                val (reading, took) = measureTimedValue { saldo.balance(owner) }
                assertInstanceOf(Reading.Unknown::class.java, reading, name)
                assertTrue(took < 4.seconds, "$name: $took")
            }
        }
    }

    @Test
    fun theLogNamesNoUrlAndNoAddress(): Unit = runBlocking {
        val written = ConcurrentLinkedQueue<LogLine>()
        val sink = object : LogSink {
            override suspend fun write(lines: List<LogLine>) {
                written += lines
            }
        }
        Saldo.open(config.copy(logLevel = "trace"), TestTransport().apply { does = { throw TransportFailure.Connect() } }, log = sink).use { saldo ->
            saldo.balance(owner)
            repeat(100) { if (written.isEmpty()) delay(20) }
        }
        assertTrue(written.isNotEmpty())
        assertTrue(written.none { "secret" in it.text || owner.drop(2) in it.text.lowercase() }, "$written")
    }

    @Test
    fun noSettingAndNoRequestShowsItsUrl() {
        for (shown in listOf(config, config.rpc, config.beacon.single(), request)) {
            assertTrue("secret" !in "$shown" && "https" !in "$shown", "$shown")
        }
    }
}
