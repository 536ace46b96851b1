package org.saldo

import java.io.DataInputStream
import java.io.File
import java.util.jar.JarFile
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/**
 * Java's own classes that an Android app would need are in Android 7.1. The compiler hides what Java got after version 8, but Android 7
 * lacks some of Java 8 too, `java.nio.file` and `java.time` for example.
 */
class AndroidClassesTest {
    private val android: Set<String> = JarFile(classPath().single { "android-all" in it }).use { jar ->
        jar.entries().asSequence().map { it.name.removeSuffix(".class") }.toSet()
    }

    /** The bindings use it only where it exists. */
    private val optional = setOf("java/lang/ref/Cleaner", "java/lang/ref/Cleaner\$Cleanable")

    private fun classPath() = System.getProperty("java.class.path").split(File.pathSeparator)

    private fun classFiles(): Map<String, ByteArray> {
        val own = File("target/classes").walk().filter { it.extension == "class" }.associate { it.path to it.readBytes() }
        val core = classPath().single { Regex("""core/target/(classes|saldo-[0-9.]+\.jar)$""").containsMatchIn(it) }
        val ffi = if (File(core).isDirectory) {
            File(core, "org/saldo/ffi").walk().filter { it.extension == "class" }.associate { it.path to it.readBytes() }
        } else {
            JarFile(core).use { jar ->
                jar.entries().asSequence().filter { it.name.startsWith("org/saldo/ffi/") && it.name.endsWith(".class") }
                    .associate { it.name to jar.getInputStream(it).readBytes() }
            }
        }
        assertTrue(own.size > 10 && ffi.size > 100, "${own.size} and ${ffi.size} classes")
        return own + ffi
    }

    @Test
    fun everyClassThatIsUsedIsInAndroid() {
        val missing = classFiles().flatMap { (name, bytes) ->
            classesOf(bytes).filter { it.startsWith("java/") || it.startsWith("javax/") || it.startsWith("android/") }
                .filter { it !in android && it !in optional }
                .map { "$it, used by $name" }
        }
        assertEquals(emptyList<String>(), missing)
    }

    @Test
    fun theCheckSeesWhatIsMissing() {
        assertTrue("java/nio/file/Files" !in android && "java/time/Instant" !in android && "java/net/http/HttpClient" !in android)
        val own = javaClass.getResourceAsStream("AndroidClassesTest.class")!!.readBytes()
        assertTrue("java/util/jar/JarFile" in classesOf(own))
    }

    /** The classes that a class file names (Java Virtual Machine Specification, section 4.4). */
    private fun classesOf(bytes: ByteArray): Set<String> {
        val input = DataInputStream(bytes.inputStream())
        input.skipBytes(8)
        val count = input.readUnsignedShort()
        val texts = mutableMapOf<Int, String>()
        val classes = mutableListOf<Int>()
        var place = 1
        while (place < count) {
            when (val tag = input.readUnsignedByte()) {
                1 -> texts[place] = input.readUTF()
                7 -> classes += input.readUnsignedShort()
                3, 4, 9, 10, 11, 12, 17, 18 -> input.skipBytes(4)
                5, 6 -> { input.skipBytes(8); place++ }
                8, 16, 19, 20 -> input.skipBytes(2)
                15 -> input.skipBytes(3)
                else -> error("unknown tag $tag")
            }
            place++
        }
        return classes.map { texts.getValue(it) }.toSet()
    }
}
