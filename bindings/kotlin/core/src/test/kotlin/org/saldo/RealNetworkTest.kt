package org.saldo

import java.io.File
import java.math.BigInteger
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable
import org.junit.jupiter.api.io.TempDir
import org.saldo.ffi.Change
import org.saldo.ffi.Checkpoint
import org.saldo.ffi.ClientConfig
import org.saldo.ffi.Endpoint
import org.saldo.ffi.HttpHeader
import org.saldo.ffi.HttpRequest
import org.saldo.ffi.Reading

/** Against real clients: `tests/testnet/run --exec 'bindings/kotlin/build -- -o -pl core test -Dtest=RealNetworkTest'`. */
@EnabledIfEnvironmentVariable(named = "TESTNET_DIRECTORY", matches = ".+")
class RealNetworkTest {
    @TempDir
    lateinit var folder: File

    private fun told(name: String) = checkNotNull(System.getenv(name)) { "$name is not set" }

    private fun endpoints(text: String) = text.split(',').map { Endpoint(it.substringAfter('='), it.substringBefore('='), it.substringBefore('=')) }

    private val rpc = endpoints(told("ETH_RPC_URL"))
    private val config = ClientConfig(
        network = File(told("SALDO_NETWORK")).readText(),
        rpc = rpc,
        beacon = endpoints(told("SALDO_BEACON_URL")),
        checkpoint = told("SALDO_CHECKPOINT").split('@').let { (root, slot) -> Checkpoint(root, slot.toULong()) },
    )

    /** What one of the clients says by itself, at the block that saldo named. */
    private suspend fun claimed(owner: String, block: ULong): BigInteger {
        val call = """{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["$owner","0x${block.toString(16)}"]}"""
        val headers = listOf(HttpHeader("content-type", "application/json"))
        val answer = UrlConnectionTransport().send(HttpRequest("POST", rpc.first().url, headers, call.encodeToByteArray(), 5_000u, 100_000u))
        return BigInteger((Served.map(Json.read(answer.body.decodeToString()))["result"] as String).drop(2), 16)
    }

    @Test
    fun amountsAreProvenAndSurviveARestart(): Unit = runBlocking {
        val storage = File(folder, "saldo.bin")
        val owners = listOf(told("TESTNET_FUNDED_ADDRESS_1"), told("TESTNET_FUNDED_ADDRESS_2"), "0x" + "c3".repeat(20))
        val amounts = Saldo.open(config, storage = FileStorage(storage)).use { saldo ->
            saldo.readPatiently(owners.map(saldo::native), 40.seconds).zip(owners).map { (reading, owner) ->
                val proven = assertInstanceOf(Reading.Proven::class.java, reading, "$reading").proven
                assertEquals(claimed(owner, proven.block.number), proven.amount, owner)
                proven.amount
            }
        }
        assertTrue(amounts[0] > BigInteger.ZERO && amounts[1] > BigInteger.ZERO)
        assertEquals(BigInteger.ZERO, amounts[2])
        Saldo.open(config, storage = FileStorage(storage)).use { saldo ->
            assertEquals(amounts, owners.map { saldo.last(saldo.native(it))?.amount })
            val change = saldo.watch(owners.map(saldo::native)).first { it is Change.Reading && it.reading is Reading.Proven }
            assertTrue(change is Change.Reading)
        }
    }
}
