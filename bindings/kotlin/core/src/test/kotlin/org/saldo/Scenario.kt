package org.saldo

import java.math.BigInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.firstOrNull
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.saldo.ffi.Change
import org.saldo.ffi.Claim
import org.saldo.ffi.Holding

/** Does the steps of one scenario. `tests/ffi/README.md` describes them. */
class Scenario(private val served: Served) {
    private val transport = TestTransport()
    private val storage = TestStorage()
    private lateinit var saldo: Saldo
    private var watch: Pull? = null

    suspend fun run() {
        saldo = open()
        served.steps.forEachIndexed { place, step ->
            val known = setOf(
                "call", "owner", "holding", "holdings", "expect", "within_ms", "at_most_ms", "times", "after_ms", "does", "at",
                "is_online", "checkpoint", "network", "patience_ms", "token", "json", "claims", "network_id",
            )
            check(known.containsAll(step.keys)) { "step $place has unknown fields: ${step.keys - known}" }
            try {
                step(step)
            } catch (e: AssertionError) {
                throw AssertionError("${served.name}, step $place (${step["call"]}): ${e.message}", e)
            }
        }
        saldo.shutdown()
    }

    private suspend fun open() = Saldo.open(served.config, transport, storage)

    private suspend fun step(step: Map<String, Any?>) {
        val until = step["within_ms"]?.let { TimeSource.Monotonic.markNow() + (it as Long).milliseconds }
        if (step["call"] == "watch_until") return watchUntil(step, checkNotNull(until))
        while (true) {
            val began = TimeSource.Monotonic.markNow()
            val got = call(step)
            step["at_most_ms"]?.let { limit -> check(began.elapsedNow() <= (limit as Long).milliseconds) { "it took ${began.elapsedNow()}" } }
            val difference = "expect".takeIf { it in step }?.let { difference(step["expect"], got) } ?: return
            if (until == null || until.hasPassedNow()) throw AssertionError(difference)
            delay(100)
        }
    }

    /** Does one step, and returns everything that the table may expect of it. */
    private suspend fun call(step: Map<String, Any?>): Any? = when (val call = step["call"]) {
        "balance" -> reading(on(step).balance(step["owner"] as String))
        "account" -> saldo.account(step["owner"] as String).let { reading(it.balance) + ("nonce" to it.nonce?.toLong()) }
        "read" -> saldo.read(holdings(step)).map(::reading)
        "read_patiently" -> saldo.readPatiently(holdings(step), (step["patience_ms"] as Long).milliseconds).map(::reading)
        "finalized" -> saldo.finalized(holdings(step)).map(::reading)
        "last" -> remembered(saldo.last(holding(step["holding"])))
        "withdrawn" -> remembered(saldo.withdrawn(holding(step["holding"])))
        "totals" -> saldo.totals(holdings(step)).map(::total)
        "token" -> token(saldo.describeToken(step["token"] as String))
        "token_list" -> tokenList(saldo.tokenList((step["json"] as String).toByteArray()))
        "check" -> saldo.check(Served.list(step["claims"]).map(::claim)).map(::verdict)
        "watch_open" -> watch = Pull(saldo, holdings(step))
        "watch_cancel" -> repeat((step["times"] as Long).toInt()) { watch().cancelled((step["after_ms"] as Long).milliseconds) }
        "watch_ended" -> check(watch().next() == null) { "the watch has not ended" }
        "cancel" -> mapOf("requests_left" to cancelled(step["owner"] as String, (step["after_ms"] as Long).milliseconds))
        "transport" -> transport.become(step["does"] as String)
        "storage" -> storage.become(step["does"] as String)
        "event" -> served.event(step["at"] as String)
        "network_changed" -> saldo.networkChanged(step["is_online"] as Boolean)
        "start_again" -> saldo.startAgain(Served.checkpoint(Served.map(step["checkpoint"])))
        "adopt" -> saldo.adopt(step["network"] as String)
        "forget" -> saldo.forget(holding(step["holding"]))
        "restart" -> { saldo.shutdown(); saldo = open() }
        "shutdown" -> saldo.shutdown()
        "health" -> health(on(step).health())
        "freshness" -> saldo.freshness(checkNotNull(saldo.last(holding(step["holding"]))).block).code
        "evidence" -> mapOf("at_least" to saldo.evidence().size.toLong())
        "consensus_fault" -> mapOf("is_there" to (saldo.consensusFault() != null))
        "storage_faults" -> Codes(saldo.storageFaults().map { it.code }.toSet())
        else -> error("unknown call: $call")
    }

    /** The client for calls about the network of the step. */
    private fun on(step: Map<String, Any?>) = step["network_id"]?.let { checkNotNull(saldo.on((it as Long).toULong())) } ?: saldo

    private fun watch() = checkNotNull(watch) { "no watch is open" }

    private suspend fun watchUntil(step: Map<String, Any?>, until: TimeSource.Monotonic.ValueTimeMark) {
        val seen = mutableListOf<Any?>()
        val found = withTimeoutOrNull(-until.elapsedNow()) {
            while (true) {
                val change = change(watch().next() ?: throw AssertionError("the watch has ended"))
                seen += change
                if (difference(step["expect"], change) == null) break
            }
        }
        if (found == null) throw AssertionError("expected ${step["expect"]}, got only $seen")
    }

    private suspend fun cancelled(owner: String, after: Duration): Long = withContext(Dispatchers.Default) {
        val reading = launch { saldo.balance(owner) }
        delay(after)
        check(transport.left > 0) { "no request is in progress" }
        reading.cancelAndJoin()
        val until = TimeSource.Monotonic.markNow() + 1_000.milliseconds
        while (transport.left > 0 && until.hasNotPassedNow()) delay(10)
        transport.left.toLong()
    }

    private fun holdings(step: Map<String, Any?>) = Served.list(step["holdings"]).map(::holding)

    private fun claim(told: Any?) = Served.map(told).let {
        Claim(holding(it["holding"]), BigInteger(it["amount"] as String), (it["block"] as Long?)?.toULong())
    }

    private fun holding(told: Any?) = Served.map(told).let {
        Holding((it["network_id"] as Long).toULong(), it["owner"] as String, it["token"] as String?)
    }
}

/** The changes of one watch, one after the other, through the facade's own flow. */
private class Pull(saldo: Saldo, holdings: List<Holding>) {
    private val flow = saldo.watch(holdings)
    private val put = ArrayDeque<Change>()

    /** Returns the next change; `null` if the watch has ended. */
    suspend fun next(): Change? = put.removeFirstOrNull() ?: flow.firstOrNull()

    suspend fun cancelled(after: Duration) {
        var came: Change? = null
        withTimeoutOrNull(after) { came = flow.firstOrNull() }
        came?.let(put::addLast)
    }
}
