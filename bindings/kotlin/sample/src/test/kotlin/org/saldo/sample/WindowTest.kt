package org.saldo.sample

import java.awt.Color
import java.awt.Container
import java.awt.image.BufferedImage
import java.io.File
import javax.imageio.ImageIO
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.saldo.FileStorage
import org.saldo.Saldo
import org.saldo.Served
import org.saldo.TestTransport
import org.saldo.ffi.Reading
import org.saldo.ffi.samples
import org.saldo.latestProven

/** Draws the window of the sample, without a screen, into `target/pictures`. */
class WindowTest {
    @TempDir
    lateinit var folder: File

    private val pictures = File("target/pictures").also { it.mkdirs() }

    private fun draw(panel: Balances, name: String) {
        val width = 480
        panel.setSize(width, panel.preferredSize.height)
        layOut(panel)
        val picture = BufferedImage(width, panel.height, BufferedImage.TYPE_INT_RGB)
        panel.print(picture.createGraphics())
        ImageIO.write(picture, "png", File(pictures, "$name.png"))
        val drawn = (0 until width).sumOf { x -> (0 until panel.height).count { y -> picture.getRGB(x, y) != Color.WHITE.rgb } }
        assertTrue(drawn > 500, "$name is blank")
    }

    private fun layOut(component: Container) {
        component.doLayout()
        component.components.filterIsInstance<Container>().forEach(::layOut)
    }

    @Test
    fun everySampleHasALine(): Unit = runBlocking {
        // The samples come from the native library, which `open` loads.
        val all = samples()
        val holdings = all.associateBy { org.saldo.ffi.Holding(0uL, it.name, null) }
        val panel = Balances(holdings.mapValues { it.value.name })
        for ((holding, sample) in holdings) {
            val line = line(sample.reading, sample.freshness)
            panel.show(holding, line)
            // No digit without an amount, and no zero that was not proven.
            val isKnown = sample.reading.latestProven() != null
            assertEquals(isKnown, line.number.any(Char::isDigit), "${sample.name}: $line")
            assertEquals(sample.name == "proven_zero", line.number.startsWith("0 "), "${sample.name}: $line")
            assertEquals(sample.reading is Reading.Proven, !line.isDim, "${sample.name}: $line")
        }
        draw(panel, "samples")
    }

    @Test
    fun anOutageAndARestartKeepTheAmounts(): Unit = runBlocking {
        Served("a_change_is_watched").use { served ->
            val transport = TestTransport()
            val file = File(folder, "saldo.bin")
            val lines = mutableMapOf<String, Line>()
            val before = mapOf(OWNER to "Savings", ANOTHER to "Cold storage", UNUSED to "Empty")
            val isProven = { lines.size == 3 && lines.values.none { it.isDim } }

            suspend fun screen(name: String, names: Map<String, String>, until: () -> Boolean) {
                Saldo.open(served.config, transport, FileStorage(file)).use { saldo ->
                    val holdings = names.entries.associate { saldo.native(it.key) to it.value }
                    val panel = Balances(holdings)
                    val watching = launch(Dispatchers.Default) {
                        saldo.watch(holdings.keys.toList()).collect { change ->
                            panel.show(change)
                            when (change) {
                                is org.saldo.ffi.Change.Reading -> lines[holdings.getValue(change.holding)] = line(change.reading, change.freshness)
                                is org.saldo.ffi.Change.Remembered -> lines[holdings.getValue(change.holding)] = remembered(change.last, "checking…")
                                else -> Unit
                            }
                        }
                    }
                    val end = System.nanoTime() + 40.seconds.inWholeNanoseconds
                    while (!until() && System.nanoTime() < end) delay(50)
                    assertTrue(until(), "$name: $lines")
                    watching.cancelAndJoin()
                    draw(panel, name)
                }
            }

            screen("proven", before, isProven)
            assertEquals("1.5 ETH", lines["Savings"]?.number)
            assertEquals("0.7 ETH", lines["Cold storage"]?.number)
            assertEquals("0 ETH", lines["Empty"]?.number)

            transport.become("dns")
            lines.clear()
            screen("restarted-in-an-outage", before + (NEW to "New")) { lines.size == 4 && lines.values.all { "could not be checked" in it.beside } }
            assertTrue(lines.values.all { it.isDim })
            assertEquals(listOf("1.5 ETH", "0.7 ETH", "0 ETH", "not known"), listOf("Savings", "Cold storage", "Empty", "New").map { lines[it]?.number })

            transport.become("pass")
            lines.clear()
            screen("proven-again", before, isProven)
            assertEquals("1.5 ETH", lines["Savings"]?.number)
        }
    }

    private companion object {
        init {
            System.setProperty("swing.aatext", "true")
            System.setProperty("awt.useSystemAAFontSettings", "on")
        }

        val OWNER = "0x" + "a1".repeat(20)
        val ANOTHER = "0x" + "b0".repeat(20)
        val NEW = "0x" + "c4".repeat(20)
        const val UNUSED = "0x00000000000000000000000000000000000000c3"
    }
}
