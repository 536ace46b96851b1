package org.saldo

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.TimeUnit
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledOnOs
import org.junit.jupiter.api.condition.OS
import org.junit.jupiter.api.io.TempDir

/** Loads the library in a process of its own, and prints what came of it. */
fun main() {
    repeat(2) {
        try {
            NativeLibrary.load()
            println("loaded")
        } catch (e: SaldoLoadException) {
            println("${e.reason}: ${e.message}")
        }
    }
}

class NativeLibraryTest {
    @TempDir
    lateinit var folder: File

    private fun load(vararg options: String): List<String> {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val command = listOf(java, *options, "-cp", System.getProperty("java.class.path"), "org.saldo.NativeLibraryTestKt")
        val process = ProcessBuilder(command).redirectErrorStream(true).start()
        val lines = process.inputStream.bufferedReader().readLines()
        assertTrue(process.waitFor(30, TimeUnit.SECONDS))
        return lines
    }

    private fun override(file: String) = "-Duniffi.component.saldo_ffi.libraryOverride=$file"

    private fun fails(reason: SaldoLoadException.Reason, text: String, lines: List<String>) {
        assertEquals(2, lines.size, "$lines")
        assertTrue(lines.all { it.startsWith("$reason: ") && text in it }, "$lines")
    }

    @Test
    fun theLibraryInTheJarIsLoaded() = assertEquals(listOf("loaded", "loaded"), load())

    @Test
    fun aMissingLibraryIsNamedEachTime() =
        fails(SaldoLoadException.Reason.MISSING, "There is no native library of saldo for", load(override("no_such_library")))

    @Test
    fun aFileThatIsNoLibraryIsRefused() {
        val text = File(folder, "libtext.so").also { it.writeText("not a library") }
        fails(SaldoLoadException.Reason.REFUSED, "The system refused to load", load(override(text.path)))
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    fun anotherLibraryIsOfAnotherVersion() =
        fails(SaldoLoadException.Reason.OTHER_VERSION, "from one release", load(override("libm.so.6")))

    @Test
    @EnabledOnOs(value = [OS.LINUX], architectures = ["amd64"])
    fun aLibraryWithAnotherInterfaceIsOfAnotherVersion() {
        val library = File("generated/resources/linux-x86-64/libsaldo_ffi.so").readBytes()
        // `xor eax, eax; ret`: the checksum of this function is then 0.
        byteArrayOf(0x31, 0xc0.toByte(), 0xc3.toByte()).copyInto(library, Elf(library).fileOffset("uniffi_saldo_ffi_checksum_func_samples"))
        val changed = File(folder, "libsaldo_ffi.so").also { it.writeBytes(library) }
        fails(SaldoLoadException.Reason.OTHER_VERSION, "has other functions than this package expects", load(override(changed.path)))
    }

    @Test
    fun anotherReleaseIsOfAnotherVersion() {
        val refused = NativeLibrary.check("9.9.9")
        assertEquals(SaldoLoadException.Reason.OTHER_VERSION, refused?.reason)
        assertTrue("version 9.9.9, this package $PACKAGE_VERSION" in refused?.message.orEmpty(), "${refused?.message}")
        assertNull(NativeLibrary.check(PACKAGE_VERSION))
    }

    @Test
    fun aJnaWithoutItsAndroidLibraryIsNamed() {
        // What JNA throws in an Android app that depends on its .jar.
        val thrown = UnsatisfiedLinkError("Native library (com/sun/jna/android-aarch64/libjnidispatch.so) not found in resource path (.)")
        val failure = NativeLibrary.explain(thrown)
        assertEquals(SaldoLoadException.Reason.JNA, failure.reason)
        assertTrue("@aar" in failure.nextStep)
        val missing = NativeLibrary.explain(NoClassDefFoundError("com/sun/jna/Library"))
        assertEquals(SaldoLoadException.Reason.JNA, missing.reason)
    }

    @Test
    fun thePackageHasTheVersionOfTheWorkspace() {
        val root = File(System.getProperty("saldo.root"))
        val workspace = Regex("""(?m)^version = "(.+)"$""").find(File(root, "Cargo.toml").readText())!!.groupValues[1]
        assertEquals(workspace, PACKAGE_VERSION)
        for (module in listOf(".", "core", "okhttp", "androidcheck", "sample")) {
            assertTrue("<version>$workspace</version>" in File(root, "bindings/kotlin/$module/pom.xml").readText(), module)
        }
    }
}

/** Just enough of the ELF format (64 bit, little-endian) to find a function. */
private class Elf(bytes: ByteArray) {
    private val elf = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)

    fun fileOffset(function: String): Int {
        val sections = elf.getLong(0x28).toInt()
        val size = elf.getShort(0x3a).toInt()
        val headers = List(elf.getShort(0x3c).toInt()) { sections + it * size }
        val symbols = headers.first { elf.getInt(it + 4) == DYNAMIC_SYMBOLS }
        val names = elf.getLong(headers[elf.getInt(symbols + 0x28)] + 0x18).toInt()
        val table = elf.getLong(symbols + 0x18).toInt()
        val symbol = List(elf.getLong(symbols + 0x20).toInt() / 24) { table + it * 24 }.first { name(names + elf.getInt(it)) == function }
        val home = headers[elf.getShort(symbol + 6).toInt()]
        return (elf.getLong(symbol + 8) - elf.getLong(home + 0x10) + elf.getLong(home + 0x18)).toInt()
    }

    private fun name(at: Int): String = buildString {
        var place = at
        while (elf.get(place) != 0.toByte()) append(elf.get(place++).toInt().toChar())
    }

    private companion object {
        const val DYNAMIC_SYMBOLS = 11
    }
}
