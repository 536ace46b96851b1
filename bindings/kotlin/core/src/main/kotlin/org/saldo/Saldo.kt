package org.saldo

import java.nio.charset.CharacterCodingException
import kotlin.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.saldo.ffi.AccountReading
import org.saldo.ffi.Block
import org.saldo.ffi.Change
import org.saldo.ffi.Checkpoint
import org.saldo.ffi.Claim
import org.saldo.ffi.ClientConfig
import org.saldo.ffi.ConsensusFault
import org.saldo.ffi.Diversity
import org.saldo.ffi.Evidence
import org.saldo.ffi.Freshness
import org.saldo.ffi.Health
import org.saldo.ffi.HeldReading
import org.saldo.ffi.Holding
import org.saldo.ffi.HttpTransport
import org.saldo.ffi.LogSink
import org.saldo.ffi.Now
import org.saldo.ffi.Pace
import org.saldo.ffi.Policy
import org.saldo.ffi.Proven
import org.saldo.ffi.Reading
import org.saldo.ffi.SaldoClient
import org.saldo.ffi.SetupException
import org.saldo.ffi.Storage
import org.saldo.ffi.StorageFault
import org.saldo.ffi.TokenList
import org.saldo.ffi.TokenReading
import org.saldo.ffi.Total
import org.saldo.ffi.Verdict
import org.saldo.ffi.normalizeAddress

/**
 * Reads what addresses hold, and proves it, on one network or on several. Keep one for as long as the app runs.
 *
 * No read throws: what cannot be known is [Reading.Unknown]. A cancelled coroutine ends its read and the HTTP requests of it.
 * Every function may be called from the thread of the screen: nothing is computed there.
 */
class Saldo private constructor(private val client: SaldoClient) : AutoCloseable {
    companion object {
        /**
         * Loads the native library, if this is the first client, and makes a client. It opens no connection: the first read does.
         *
         * [transport], [storage] and [log] may throw anything, block or never answer: the readings then say so. [report] gets what
         * they threw although they must not, for the app's crash reports.
         *
         * @throws SaldoLoadException if the native library is missing, or is of another version than this package.
         * @throws SetupException if a setting is missing or cannot be used.
         */
        suspend fun open(
            config: ClientConfig,
            transport: HttpTransport = UrlConnectionTransport(),
            storage: Storage? = null,
            log: LogSink? = null,
            report: (Throwable) -> Unit = {},
        ): Saldo = withContext(Dispatchers.Default) {
            NativeLibrary.load()
            val guard = Guard(report)
            val client = try {
                SaldoClient(config, guard.transport(transport), storage?.let(guard::storage), log?.let(guard::log))
            } catch (e: CharacterCodingException) {
                throw SetupException.Refused("malformed_text", "a setting is no valid Unicode text")
            }
            Saldo(client)
        }
    }

    /** The chain id of the network that calls which name none are about: the first one, or that of [on]. */
    val networkId: ULong = client.networkId()

    /** The chain ids of all networks of this client, in the order in which they were given. */
    val networks: List<ULong> = client.networks()

    /** What a reading must satisfy. */
    val policy: Policy = client.policy()

    /**
     * Returns this client for calls about the network with that chain id; `null` if it is none of its networks. It is no second
     * client: [shutdown] of either ends both.
     */
    fun on(networkId: ULong): Saldo? = client.on(networkId)?.let(::Saldo)

    /** Returns the holding of the network's own coin by [owner]. It is equal to the holding in a change of a watch. */
    fun native(owner: String): Holding = Holding(networkId, checksummed(owner), null)

    /** Returns the holding of the token of [contract] by [owner]. It is equal to the holding in a change of a watch. */
    fun token(owner: String, contract: String): Holding = Holding(networkId, checksummed(owner), checksummed(contract))

    /** Reads the native balance of [owner], in wei. Returns at the policy's deadline at the latest. */
    suspend fun balance(owner: String): Reading = off { client.balance(readable(owner)) }

    /** Reads the account of [owner]: the balance, and the nonce that the same proof shows. */
    suspend fun account(owner: String): AccountReading = off { client.account(readable(owner)) }

    /** Reads all [holdings] and returns their readings in the same order. Returns at the policy's deadline at the latest. */
    suspend fun read(holdings: List<Holding>): List<Reading> = off { client.read(holdings.map(::readable)) }

    /** Reads all [holdings] repeatedly until each is proven, waiting cannot help, or [patience] is over. */
    suspend fun readPatiently(holdings: List<Holding>, patience: Duration): List<Reading> =
        off { client.readPatiently(holdings.map(::readable), millis(patience)) }

    /** Reads the newest amount of each of the [holdings] at a finalized block, 13 to 20 minutes old on mainnet. */
    suspend fun finalized(holdings: List<Holding>): List<Reading> = off { client.finalized(holdings.map(::readable)) }

    /**
     * Looks at the token whose contract is [contract]: its code, its proxy, and how its balances can be proven, or why not. The
     * requests name no owner. It has no amount.
     */
    suspend fun describeToken(contract: String): TokenReading = off { client.token(readable(contract)) }

    /**
     * Reads a token list in the Uniswap schema: the tokens of this network, with what the list declares of each. It proves nothing,
     * and says nothing about tokens that are not listed.
     *
     * @throws SetupException if it is no such list, or the client was shut down.
     */
    suspend fun tokenList(json: ByteArray): TokenList = off { client.tokenList(json) }

    /**
     * Checks amounts that the app has from elsewhere, and returns a verdict for each, in the same order. Returns at twice the policy's
     * deadline at the latest. A claim that cannot be checked is never confirmed, a claimed zero neither.
     */
    suspend fun check(claims: List<Claim>): List<Verdict> = off { client.check(claims.map(::readable)) }

    /**
     * Checks [claims] until each is settled, waiting cannot help, or [patience] is over. A claim without a block is different only by a
     * block that is not older than the call.
     */
    suspend fun checkPatiently(claims: List<Claim>, patience: Duration): List<Verdict> =
        off { client.checkPatiently(claims.map(::readable), millis(patience)) }

    /** Returns the last proven amount of [holding], from memory or the storage. `null` is not zero. Makes no request. */
    suspend fun last(holding: Holding): Proven? = off { client.last(readable(holding)) }

    /** Returns the withdrawn amount of [holding], if none has been proven since: a reorganisation removed its block. */
    suspend fun withdrawn(holding: Holding): Proven? = off { client.withdrawn(readable(holding)) }

    /**
     * Watches [holdings] while the flow is collected. Without a collector it makes no request.
     *
     * It begins with what is known of each holding. A change counts as received when the collector has handled it. So the same
     * flow object can be collected again after a cancellation (the screen was turned, for example), and goes on without a loss:
     * a change whose handling was cancelled comes again, with the amounts of that moment. It ends after [shutdown].
     *
     * One collector at a time: a second waits until the first ends. An operator that buffers (`buffer`, `flowOn`, `shareIn`)
     * receives changes before the screen does.
     */
    fun watch(holdings: List<Holding>): Flow<Change> {
        val changes = changes(holdings) { received -> next(received) }
        return flow { changes.deliver { batch -> batch.forEach { emit(it) } } }
    }

    /**
     * Watches [holdings] as [watch] does, with all changes that are known at one moment together. A screen that applies a list as
     * one shows no sum of old and new amounts.
     */
    fun watchTogether(holdings: List<Holding>): Flow<List<Change>> {
        val changes = changes(holdings) { received -> nextAll(received) }
        return flow { changes.deliver { batch -> emit(batch) } }
    }

    /**
     * Reads every holding that is watched, was proven before, or was stored, and stores the results. For the short background jobs
     * that a phone allows. Returns after [within] at the latest.
     */
    suspend fun refresh(within: Duration): List<HeldReading> = off { client.refresh(millis(within)) }

    /** Adds up what is known of [holdings], by network and asset. Makes no request. */
    suspend fun totals(holdings: List<Holding>): List<Total> = off { client.totals(holdings.map(::readable)) }

    /** Returns the state of the client for a status screen. Makes no request. */
    suspend fun health(): Health = off { client.health() }

    /** Returns the newest proofs that were false under the exact block of the request. */
    suspend fun evidence(): List<Evidence> = off { client.evidence() }

    /** Returns how many operators and hosting companies are behind the endpoints, as declared. */
    suspend fun diversity(): List<Diversity> = off { client.diversity() }

    /** Lists what was dropped from the storage because it did not verify, and what could not be written. */
    suspend fun storageFaults(): List<StorageFault> = off { client.storageFaults() }

    /** Returns the contradiction that makes every reading `consensus_fault`. Only [startAgain] removes it. */
    suspend fun consensusFault(): ConsensusFault? = off { client.consensusFault() }

    /** Returns the time that the protocol uses; `null` after [shutdown]. */
    suspend fun now(): Now? = off { client.now() }

    /** Returns how old [block] is now, by the policy for its level on its network. */
    suspend fun freshness(block: Block): Freshness =
        off { client.freshness(block.chainId, block.timestamp, block.assurance.level) }

    /** Tells the client that the device's network changed. Returns at once. */
    fun networkChanged(isOnline: Boolean): Unit = client.networkChanged(isOnline)

    /** Sets how many requests the watches of this client may make from now on. Returns at once. */
    fun setPace(pace: Pace): Unit = client.setPace(pace)

    /** Drops all data about [holding], in the storage too. Call it when the user removes an account. */
    suspend fun forget(holding: Holding): Unit = off { client.forget(readable(holding)) }

    /**
     * Restarts trust from [checkpoint], which the app vouches for. Every reading is dropped.
     *
     * @throws SetupException if the checkpoint is malformed, or the client was shut down.
     */
    suspend fun startAgain(checkpoint: Checkpoint): Unit =
        off { client.startAgain(checkpoint.copy(root = readable(checkpoint.root))) }

    /**
     * Takes a newer table of the same chain: a built-in name, or the text of a network file.
     *
     * @throws SetupException if the table cannot be read or is of another chain, or the client was shut down.
     */
    suspend fun adopt(network: String): Unit = off { client.adopt(readable(network)) }

    /** Ends the client: pending calls end at once, and its thread has ended when this returns. Every later reading is `closed`. */
    suspend fun shutdown(): Unit = off { client.shutdown() }

    /** Does what [shutdown] does, and blocks the caller until the client's thread has ended, usually for some milliseconds. */
    override fun close(): Unit = runBlocking { shutdown() }

    private fun changes(
        holdings: List<Holding>,
        next: suspend org.saldo.ffi.Watch.(ULong) -> org.saldo.ffi.Changes,
    ): ChangeSource {
        val readable = holdings.map(::readable)
        val watch = lazy { client.watch(readable) }
        return ChangeSource { received -> off { watch.value.next(received) } }
    }

    /** The bindings compute on the caller's dispatcher: they copy arguments and results there. */
    private suspend fun <T> off(call: suspend () -> T): T = withContext(Dispatchers.Default) { call() }
}

/** Returns the newest proven amount of a reading, which may be of an earlier read: show it with its age. `null` is not zero. */
fun Reading.latestProven(): Proven? = when (this) {
    is Reading.Proven -> proven
    is Reading.Provisional -> provisional.last
    is Reading.Unknown -> unknown.last
}

/** Returns why the amount is not proven; `null` if it is. */
fun Reading.why(): org.saldo.ffi.Why? = when (this) {
    is Reading.Proven -> null
    is Reading.Provisional -> provisional.why
    is Reading.Unknown -> unknown.why
}

/** The bindings throw at half a surrogate pair. A question mark in its place makes the text a malformed address. */
internal fun readable(text: String): String = text.encodeToByteArray().decodeToString()

/** Changes name addresses with their checksum. A malformed one stays as it is. */
private fun checksummed(address: String): String = readable(address).let { normalizeAddress(it) ?: it }

private fun readable(holding: Holding): Holding =
    holding.copy(owner = readable(holding.owner), token = holding.token?.let(::readable))

private fun readable(claim: Claim): Claim = claim.copy(holding = readable(claim.holding))

private fun millis(duration: Duration): ULong = duration.inWholeMilliseconds.coerceAtLeast(0).toULong()
