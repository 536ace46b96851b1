package org.saldo

import java.io.File
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlin.time.measureTimedValue
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.saldo.ffi.Change
import org.saldo.ffi.ClientConfig
import org.saldo.ffi.Holding
import org.saldo.ffi.Reading
import org.saldo.ffi.SetupException
import org.saldo.ffi.uniffiForeignFutureHandleCount

/** The whole client against a small signed chain on loopback. */
class SaldoTest {
    @TempDir
    lateinit var folder: File

    private fun address(number: Int) = "0x%040x".format(number)

    private suspend fun Saldo.proven(owner: String): Reading.Proven =
        assertInstanceOf(Reading.Proven::class.java, readPatiently(listOf(native(owner)), 20.seconds).single())

    /** The threads of the native library, by the names that the kernel has. */
    private fun nativeThreads(): Int =
        File("/proc/self/task").listFiles().orEmpty().count { runCatching { File(it, "comm").readText().trim() }.getOrNull() == "saldo" }

    @Test
    fun twoHundredReadsAtOnceAreAnswered(): Unit = runBlocking {
        Served("proven").use { served ->
            Saldo.open(served.config).use { saldo ->
                saldo.proven(address(1))
                val took = measureTime {
                    val all = List(200) { number -> async { saldo.readPatiently(listOf(saldo.native(address(number + 10))), 40.seconds).single() } }
                    val readings = all.awaitAll()
                    assertEquals(200, readings.count { it is Reading.Proven }, "${readings.filter { it !is Reading.Proven }.map { it.why()?.code }}")
                }
                println("200 reads at once: $took")
            }
        }
    }

    @Test
    fun aCancelledReadTellsTheTransport(): Unit = runBlocking {
        Served("proven").use { served ->
            val transport = TestTransport().apply { does = { awaitCancellation() } }
            Saldo.open(served.config, transport).use { saldo ->
                val reading = launch(Dispatchers.Default) { saldo.balance(address(1)) }
                while (transport.left == 0) delay(5)
                val took = measureTime { reading.cancelAndJoin() }
                assertTrue(took < 2.seconds, "$took")
                repeat(200) { if (transport.left > 0) delay(10) }
                assertEquals(0, transport.left)
                transport.pass()
                saldo.proven(address(1))
                repeat(200) { if (uniffiForeignFutureHandleCount() > 0) delay(10) }
                assertEquals(0, uniffiForeignFutureHandleCount())
            }
        }
    }

    /** The screen's thread: a tick every 5 ms while reads run. Bound: no tick is later than 100 ms, on a machine that is busy too. */
    @Test
    fun theCallersThreadStaysFree() {
        val screen = Executors.newSingleThreadExecutor { Thread(it, "screen") }.asCoroutineDispatcher()
        screen.use {
            runBlocking(screen) {
                Served("proven").use { served ->
                    Saldo.open(served.config).use { saldo ->
                        saldo.proven(address(1))
                        val worst = AtomicLong()
                        val busy = AtomicLong()
                        val ticker = launch {
                            var last = System.nanoTime()
                            while (isActive) {
                                delay(5)
                                val now = System.nanoTime()
                                worst.accumulateAndGet((now - last) / 1_000_000 - 5, ::maxOf)
                                last = now
                            }
                        }
                        // How late the machine itself wakes a thread up that has nothing to do.
                        val idle = launch(Dispatchers.IO) {
                            while (isActive) {
                                val began = System.nanoTime()
                                Thread.sleep(5)
                                busy.accumulateAndGet((System.nanoTime() - began) / 1_000_000 - 5, ::maxOf)
                            }
                        }
                        repeat(5) { round ->
                            List(40) { number -> async { saldo.balance(address(1_000 + round * 40 + number)) } }.awaitAll()
                        }
                        ticker.cancelAndJoin()
                        idle.cancelAndJoin()
                        println("the latest tick: $worst ms; of a thread that only sleeps: $busy ms")
                        assertTrue(worst.get() <= 100 + busy.get(), "a tick was $worst ms late")
                    }
                }
            }
        }
    }

    @Test
    fun noThreadIsLeftAfterShutdown(): Unit = runBlocking {
        Served("proven").use { served ->
            val before = nativeThreads()
            val saldo = Saldo.open(served.config)
            saldo.proven(address(1))
            val flow = saldo.watch(listOf(saldo.native(address(1))))
            val watching = async(Dispatchers.Default) { flow.toList() }
            delay(500)
            val reading = async(Dispatchers.Default) { saldo.balance(address(2)) }
            assertTrue(nativeThreads() > before)
            saldo.shutdown()
            assertEquals(before, nativeThreads())
            watching.await()
            assertTrue(reading.await() is Reading.Proven || reading.await().why()?.code == "closed")
            // Nothing throws afterwards.
            assertEquals("closed", saldo.balance(address(1)).why()?.code)
            assertEquals(listOf("closed", "closed"), saldo.read(List(2) { saldo.native(address(it)) }).map { it.why()?.code })
            assertEquals(emptyList<Change>(), saldo.watch(listOf(saldo.native(address(1)))).toList())
            assertEquals(null, saldo.now())
            assertTrue(saldo.health().isClosed)
            saldo.shutdown()
            saldo.close()
            assertInstanceOf(SetupException::class.java, runCatching { saldo.adopt(served.config.network) }.exceptionOrNull())
            assertEquals("closed", saldo.describeToken(address(1)).why?.code)
            val refused = runCatching { saldo.tokenList("{}".toByteArray()) }.exceptionOrNull()
            assertEquals("closed", (refused as SetupException.Refused).code)
        }
    }

    @Test
    fun whatIsNoTokenListIsRefusedWithoutItsText(): Unit = runBlocking {
        Served("proven").use { served ->
            val saldo = Saldo.open(served.config)
            for (json in listOf("", "KEY", "{\"tokens\": \"KEY\"}")) {
                val refused = runCatching { saldo.tokenList(json.toByteArray()) }.exceptionOrNull()
                assertEquals("token_list", (refused as SetupException.Refused).code)
                assertTrue("KEY" !in refused.text)
            }
            saldo.shutdown()
        }
    }

    @Test
    fun aRestartShowsTheLastAmountWithoutANetwork(): Unit = runBlocking {
        val file = File(folder, "saldo.bin")
        val owner = address(1)
        val (config, first) = Served("proven").use { served ->
            val saldo = Saldo.open(served.config, storage = FileStorage(file))
            val proven = saldo.proven(owner).proven
            saldo.shutdown()
            served.config to proven
        }
        // The server is gone: this is the outage.
        Saldo.open(config, storage = FileStorage(file)).use { saldo ->
            val restored = checkNotNull(saldo.last(saldo.native(owner)))
            assertTrue(restored.isRestored)
            assertEquals(first.amount, restored.amount)
            assertEquals(first.block.hash, restored.block.hash)
            val reading = assertInstanceOf(Reading.Unknown::class.java, saldo.balance(owner))
            assertEquals(first.amount, reading.latestProven()?.amount)
            val change = saldo.watch(listOf(saldo.native(owner))).first { it is Change.Remembered || it is Change.Reading }
            assertEquals(first.amount, (change as Change.Remembered).last?.amount)
            assertEquals(emptyList<String>(), saldo.storageFaults().map { it.code })
        }
    }

    @Test
    fun readsWorkInsideRunTest() = runTest {
        Served("proven").use { served ->
            Saldo.open(served.config).use { saldo -> assertInstanceOf(Reading.Proven::class.java, withContext(Dispatchers.IO) { saldo.proven(address(1)) }) }
        }
    }

    @Test
    fun textThatIsNoUnicodeIsAMalformedAddressAndNoException(): Unit = runBlocking {
        Served("proven").use { served ->
            Saldo.open(served.config).use { saldo ->
                for (text in listOf("\uD800", "0x\uDC00", "", "\u0000", "x".repeat(100_000))) {
                    assertEquals("malformed_address", saldo.balance(text).why()?.code)
                    assertEquals("malformed_address", saldo.read(listOf(Holding(saldo.networkId, text, null))).single().why()?.code)
                    assertEquals(null, saldo.last(Holding(saldo.networkId, address(1), text)))
                }
            }
            val refused = runCatching { Saldo.open(served.config.copy(network = "\uD800")) }.exceptionOrNull()
            assertInstanceOf(SetupException.Refused::class.java, refused)
        }
    }

    @Test
    fun aSettingThatCannotBeUsedSaysWhy(): Unit = runBlocking {
        val refused = runCatching { Saldo.open(ClientConfig(network = "mainet")) }.exceptionOrNull()
        assertEquals("unknown_network", (refused as SetupException.Refused).code)
        assertTrue("mainnet" in refused.text, refused.text)
    }

    @Test
    fun aWatchShowsWhatIsKnownAndThenWhatIsProven(): Unit = runBlocking {
        Served("proven").use { served ->
            Saldo.open(served.config).use { saldo ->
                val holdings = List(3) { saldo.native(address(it + 1)) }
                val (together, took) = measureTimedValue {
                    saldo.watchTogether(holdings).first { batch -> batch.any { it is Change.Reading && it.reading is Reading.Proven } }
                }
                assertTrue(took < 20.seconds, "$took, $together")
            }
        }
    }
}
