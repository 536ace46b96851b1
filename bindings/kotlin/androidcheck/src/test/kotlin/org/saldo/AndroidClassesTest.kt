package org.saldo

import java.io.DataInputStream
import java.io.File
import java.util.jar.JarFile
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/**
 * Java's own classes that an Android app would need are in Android 7.
 *
 * The compiler hides what Java got after version 8. But Android 7 lacks some of Java 8 too, `java.nio.file` and `java.time` for example
 * (developer.android.com/reference/packages, API 24), and the bindings are compiled against all of Java.
 */
class AndroidClassesTest {
    /** Packages of which Android 7 has what Java 8 has, apart from [absent]. */
    private val packages = setOf(
        "java/io", "java/lang", "java/lang/ref", "java/math", "java/net", "java/nio", "java/nio/channels", "java/nio/charset",
        "java/security", "java/security/cert", "java/util", "java/util/concurrent", "java/util/concurrent/atomic", "java/util/zip",
        "javax/net/ssl",
        // The tools that build an app replace what the compiler puts in for lambdas and templates.
        "java/lang/invoke",
    )
    private val absent = setOf(
        "java/util/Base64", "java/util/concurrent/Flow", "java/lang/ProcessHandle", "java/lang/StackWalker", "java/lang/Record",
    )

    /** The bindings look for it, and use something else where it does not exist. */
    private val optional = setOf("java/lang/ref/Cleaner", "java/lang/ref/Cleaner\$Cleanable")

    private fun isInAndroid(name: String) = name.substringBeforeLast('/') in packages && name !in absent

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
        val missing = classFiles().flatMap { (file, bytes) ->
            classesOf(bytes).filter { it.startsWith("java/") || it.startsWith("javax/") }
                .filter { !isInAndroid(it) && it !in optional }
                .map { "$it, used by $file" }
        }
        assertEquals(emptyList<String>(), missing)
    }

    @Test
    fun theCheckSeesWhatIsMissing() {
        val own = classesOf(javaClass.getResourceAsStream("AndroidClassesTest.class")!!.readBytes())
        assertTrue("java/util/jar/JarFile" in own && !isInAndroid("java/util/jar/JarFile"))
        for (name in listOf("java/nio/file/Files", "java/time/Instant", "java/net/http/HttpClient", "java/util/Base64")) assertTrue(!isInAndroid(name), name)
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
