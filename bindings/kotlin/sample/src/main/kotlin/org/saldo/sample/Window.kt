package org.saldo.sample

import java.awt.Color
import java.awt.Font
import java.awt.GridLayout
import java.io.File
import java.time.Instant
import java.time.ZoneOffset
import java.time.format.DateTimeFormatter
import javax.swing.BorderFactory
import javax.swing.JFrame
import javax.swing.JLabel
import javax.swing.JPanel
import javax.swing.SwingUtilities
import kotlinx.coroutines.runBlocking
import org.saldo.FileStorage
import org.saldo.Saldo
import org.saldo.ffi.*

/** What one line shows. Where no amount is known, there are no digits. */
data class Line(val number: String, val isDim: Boolean, val beside: String)

fun line(reading: Reading, freshness: Freshness?): Line = when (reading) {
    is Reading.Proven -> remembered(reading.proven, "").copy(isDim = freshness?.code != "fresh")
    is Reading.Provisional -> when (val claim = reading.provisional.unconfirmed) {
        is Unconfirmed.Claimed -> remembered(reading.provisional.last, "${ether(claim.amount)} not confirmed yet")
        is Unconfirmed.NotShown -> remembered(reading.provisional.last, "a change is being confirmed")
    }
    is Reading.Unknown -> remembered(reading.unknown.last, "could not be checked: ${reading.unknown.why.text}")
}

fun remembered(last: Proven?, words: String): Line {
    val since = last?.let { "as of " + TIME.format(Instant.ofEpochSecond(it.block.timestamp.toLong())) }
    return Line(last?.let { ether(it.amount) } ?: "not known", true, listOf(since, words).filter { !it.isNullOrEmpty() }.joinToString("; "))
}

private val FONT = Font(Font.SANS_SERIF, Font.PLAIN, 13)
private val TIME = DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneOffset.UTC)

private fun ether(amount: Amount) = formatAmountShort(amount, 18u, 4u) + " ETH"

/** The balances of some holdings, each with a name, and what the watch is doing. */
class Balances(names: Map<Holding, String>) : JPanel(GridLayout(0, 1, 0, 10)) {
    private val lines = names.mapValues { (_, name) -> JLabel("", JLabel.LEFT).also { add(it) } to name }
    private val activity = JLabel(" ").also { it.font = FONT; add(it) }

    init {
        border = BorderFactory.createEmptyBorder(12, 16, 12, 16)
        background = Color.WHITE
        lines.keys.forEach { show(it, remembered(null, "checking…")) }
    }

    fun show(holding: Holding, line: Line) {
        val (label, name) = lines[holding] ?: return
        val (number, words) = if (line.isDim) "#777777" to "#777777" else "#000000" to "#2e7d32"
        label.font = FONT
        label.text = "<html><div width=440>$name&nbsp; <b style='color:$number;font-size:14px'>${line.number.replace("<", "&lt;")}</b>" +
            "<br><span style='color:$words'>${line.beside}</span></div></html>"
    }

    fun show(change: Change): Unit = when (change) {
        is Change.Remembered -> show(change.holding, remembered(change.last, "checking…"))
        is Change.Reading -> show(change.holding, line(change.reading, change.freshness))
        is Change.Withdrawn -> show(change.holding, remembered(change.last, "the network took a payment back"))
        is Change.Activity -> activity.text = change.activity.code.replace('_', ' ')
        is Change.Storage -> activity.text = change.unwritten?.let { "cannot be kept: $it" } ?: " "
        is Change.Other -> Unit
    }
}

/** Shows the addresses of the arguments, on the network of the file that is the first argument: `saldo drill serve` writes one. */
fun main(arguments: Array<String>) = runBlocking {
    val network = File(arguments[0]).readText()
    val saldo = Saldo.open(ClientConfig(network = network, directoryFile = network), storage = FileStorage(File("${arguments[0]}.balances")))
    val names = arguments.drop(1).associate { saldo.native(it) to it.take(8) }
    val balances = Balances(names)
    SwingUtilities.invokeLater { JFrame("Balances").apply { add(balances); pack(); defaultCloseOperation = JFrame.EXIT_ON_CLOSE; isVisible = true } }
    saldo.watch(names.keys.toList()).collect { change -> SwingUtilities.invokeLater { balances.show(change) } }
}
