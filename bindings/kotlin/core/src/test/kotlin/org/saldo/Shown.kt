package org.saldo

import org.saldo.ffi.Change
import org.saldo.ffi.Derivation
import org.saldo.ffi.Health
import org.saldo.ffi.PartialSum
import org.saldo.ffi.Proven
import org.saldo.ffi.Reading
import org.saldo.ffi.Sum
import org.saldo.ffi.TokenList
import org.saldo.ffi.TokenReading
import org.saldo.ffi.Total
import org.saldo.ffi.Unconfirmed
import org.saldo.ffi.Verdict

/** A list of codes. The table names some that must be in it; an empty list means that there is none. */
data class Codes(val all: Set<String>)

/** Returns a reading as the table of scenarios has it. */
fun reading(reading: Reading): Map<String, Any?> {
    val why = reading.why()?.let {
        mapOf("why" to it.code, "needs_action" to it.needsAction, "has_retry_after" to (it.retryAfterSeconds != null))
    }.orEmpty()
    return why + when (reading) {
        is Reading.Proven -> mapOf(
            "state" to "proven",
            "amount" to amount(reading.proven),
            "frozen" to reading.proven.isFrozen,
            "layout" to when (val derivation = reading.proven.derivation) {
                is Derivation.Slot -> derivation.layout
                is Derivation.Executed, is Derivation.Other, null -> "none"
            },
            "restored" to reading.proven.isRestored,
            "level" to reading.proven.block.assurance.level,
            "agreed_by_at_least" to reading.proven.block.origin.agreedBy.size.toLong(),
        )
        is Reading.Provisional -> mapOf(
            "state" to "provisional",
            "last" to amount(reading.provisional.last),
            "quorum" to (reading.provisional.quorum?.operators?.toLong() ?: 0L),
            "unconfirmed" to when (val claim = reading.provisional.unconfirmed) {
                is Unconfirmed.Claimed -> claim.amount.toString()
                is Unconfirmed.NotShown -> "none"
            },
        )
        is Reading.Unknown -> mapOf("state" to "unknown", "last" to amount(reading.unknown.last))
    }
}

/** Returns a remembered amount as the table has it. */
fun remembered(proven: Proven?): Map<String, Any?> = mapOf("amount" to amount(proven), "restored" to proven?.isRestored)

/** Returns the health of a client as the table has it. */
fun health(health: Health): Map<String, Any?> = mapOf(
    "is_closed" to health.isClosed,
    "is_faulted" to health.isFaulted,
    "is_offline" to health.isOffline,
    "is_clock_off" to health.isClockOff,
    "rollup" to health.rollup.let {
        when {
            it == null -> "none"
            it.stoppedTimestamp != null -> "stopped"
            it.newest != null -> "vouched"
            else -> "not_vouched"
        }
    },
)

/** Returns a total as the table has it. */
fun total(total: Total): Map<String, Any?> = when (val sum = total.sum) {
    is Sum.Proven -> mapOf("sum" to "proven", "amount" to sum.amount.toString())
    is Sum.Remembered -> mapOf("sum" to "remembered", "amount" to sum.together.toString())
    is Sum.Partial -> mapOf(
        "sum" to "partial",
        "proven" to part(sum.proven),
        "remembered" to part(sum.remembered),
        "missing" to sum.missing.size.toLong(),
    )
    is Sum.TooLarge -> mapOf("sum" to "too_large")
    is Sum.Other -> mapOf("sum" to "other")
}

/** Returns what is known about a token as the table has it. */
fun token(reading: TokenReading): Map<String, Any?> = mapOf(
    "provable" to (reading.proven?.provable ?: "none"),
    "layout" to (reading.proven?.layout?.name ?: "none"),
    "tells_frozen" to (reading.proven?.layout?.tellsFrozen ?: false),
    "why" to reading.why?.code,
)

/** Returns a token list and its first token as the table has them. */
fun tokenList(list: TokenList): Map<String, Any?> = mapOf(
    "tokens" to list.tokens.size.toLong(),
    "other_networks" to list.otherNetworks.toLong(),
    "skipped" to list.skipped.toLong(),
    "decimals" to list.tokens.first().info.decimals.toLong(),
    "source" to list.tokens.first().info.source,
    "symbol" to list.tokens.first().info.symbol.text,
    "flaws" to list.tokens.first().info.symbol.flaws.joinToString(","),
)

/** Returns a verdict as the table has it. */
fun verdict(verdict: Verdict): Map<String, Any?> = when (verdict) {
    is Verdict.Confirmed -> mapOf("verdict" to "confirmed", "proven" to amount(verdict.proven))
    is Verdict.Different ->
        mapOf("verdict" to "different", "proven" to amount(verdict.proven), "claimed" to verdict.claimed.toString())
    is Verdict.Changed ->
        mapOf("verdict" to "changed", "proven" to amount(verdict.proven), "claimed" to verdict.claimed.toString())
    is Verdict.NotChecked -> mapOf("verdict" to "not_checked", "why" to verdict.unknown.why.code)
}

private fun part(part: PartialSum): String = when (part) {
    is PartialSum.Of -> part.amount.toString()
    is PartialSum.NoHolding -> "none"
}

/** Returns a change as the table has it. */
fun change(change: Change): Map<String, Any?> = when (change) {
    is Change.Reading -> mapOf("change" to "reading") + reading(change.reading)
    is Change.Remembered -> mapOf("change" to "remembered", "amount" to amount(change.last))
    is Change.Withdrawn -> mapOf("change" to "withdrawn", "amount" to amount(change.withdrawn))
    is Change.Storage -> mapOf("change" to "storage", "unwritten" to change.unwritten)
    is Change.Activity -> mapOf("change" to "activity", "activity" to change.activity.code)
    is Change.Other -> mapOf("change" to "other")
}

private fun amount(proven: Proven?): String = proven?.amount?.toString() ?: "none"

/** Compares what the table expects with what came. Only what it names is compared. Returns `null` if it is equal. */
fun difference(expected: Any?, got: Any?): String? = when {
    got is Codes -> {
        val codes = Served.list(expected).toSet()
        val isEqual = if (codes.isEmpty()) got.all.isEmpty() else got.all.containsAll(codes)
        if (isEqual) null else "expected $codes, got ${got.all}"
    }
    expected is Map<*, *> && got is Map<*, *> -> expected.entries.firstNotNullOfOrNull { (name, value) ->
        check(name in got || name in FIELDS) { "the table expects an unknown field: $name" }
        val isEqual = if (name.toString().endsWith("at_least")) (got[name] as? Long ?: 0) >= value as Long else got[name] == value
        if (isEqual) null else "expected $name to be $value, got $got"
    }
    expected is List<*> && got is List<*> ->
        if (expected.size != got.size) "expected ${expected.size} of them, got $got" else expected.zip(got).firstNotNullOfOrNull { (one, other) -> difference(one, other) }
    else -> if (expected == got) null else "expected $expected, got $got"
}

/** The fields that only some readings and changes have. */
private val FIELDS = setOf(
    "state", "amount", "restored", "level", "agreed_by_at_least", "nonce", "why", "needs_action", "has_retry_after", "last",
    "unconfirmed", "unwritten", "proven", "remembered", "missing",
)
