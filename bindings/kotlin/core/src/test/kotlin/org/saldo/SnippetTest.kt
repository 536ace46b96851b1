package org.saldo

import java.io.ByteArrayOutputStream
import java.io.File
import java.io.PrintStream
import org.jetbrains.kotlin.cli.common.ExitCode
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The Kotlin in the documents compiles. */
class SnippetTest {
    @TempDir
    lateinit var folder: File

    @Test
    fun everySnippetOfTheDocumentsCompiles() {
        val root = File(System.getProperty("saldo.root"))
        val documents = listOf("README.md", "docs/kotlin.md").map { File(root, it) }.filter { it.exists() }
        // What an app on a JVM cannot compile is marked: `kotlin,android`.
        val snippets = documents.flatMap { Regex("(?s)```kotlin\n(.*?)```").findAll(it.readText()).map { found -> found.groupValues[1] } }
        assertTrue(snippets.isNotEmpty())
        for (snippet in snippets) {
            val file = File(folder, "Snippet.kt").also { it.writeText(snippet) }
            val log = ByteArrayOutputStream()
            val code = K2JVMCompiler().exec(
                PrintStream(log, true, Charsets.UTF_8), "-no-stdlib", "-no-reflect", "-jvm-target", "17",
                "-classpath", System.getProperty("java.class.path"), "-d", File(folder, "out").path, file.path,
            )
            assertEquals(ExitCode.OK, code, "$snippet\n${log.toString(Charsets.UTF_8)}")
        }
    }
}
