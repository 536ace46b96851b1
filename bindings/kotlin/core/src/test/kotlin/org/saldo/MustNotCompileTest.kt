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

/** What a reading does not allow is refused by the compiler. */
class MustNotCompileTest {
    @TempDir
    lateinit var folder: File

    private fun compile(source: String): Pair<ExitCode, List<String>> {
        val file = File(folder, "Screen.kt").also { it.writeText(source) }
        val log = ByteArrayOutputStream()
        val code = K2JVMCompiler().exec(
            PrintStream(log, true, Charsets.UTF_8), "-no-stdlib", "-no-reflect", "-jvm-target", "17",
            "-classpath", System.getProperty("java.class.path"), "-d", File(folder, "out").path, file.path,
        )
        return code to log.toString(Charsets.UTF_8).lines().filter { "error:" in it }
    }

    private fun refused(source: String, why: String) {
        val (code, errors) = compile("import org.saldo.ffi.*\n$source")
        assertEquals(ExitCode.COMPILATION_ERROR, code)
        assertTrue(errors.size == 1 && why in errors.single(), "expected one error about `$why`, got $errors")
    }

    @Test
    fun aScreenThatHandlesEveryStateCompiles() {
        val (code, errors) = compile(
            """
            import org.saldo.ffi.*
            import org.saldo.latestProven
            fun show(reading: Reading): String = when (reading) {
                is Reading.Proven -> reading.proven.amount.toString()
                is Reading.Provisional -> "not confirmed"
                is Reading.Unknown -> "not known: " + reading.unknown.why.text
            }
            fun last(reading: Reading): String = reading.latestProven()?.amount?.toString() ?: "not known"
            """,
        )
        assertEquals(ExitCode.OK, code, "$errors")
    }

    @Test
    fun aScreenThatForgetsUnknownDoesNotCompile() {
        refused(
            """fun show(reading: Reading): String = when (reading) {
                is Reading.Proven -> reading.proven.amount.toString()
                is Reading.Provisional -> "not confirmed"
            }""",
            "'when' expression must be exhaustive. Add the 'is Unknown' branch",
        )
        refused(
            """fun show(reading: Reading) {
                when (reading) {
                    is Reading.Proven -> println(reading.proven.amount)
                    is Reading.Provisional -> println("not confirmed")
                }
            }""",
            "'when' expression must be exhaustive. Add the 'is Unknown' branch",
        )
    }

    @Test
    fun aScreenThatForgetsAClaimDoesNotCompile() = refused(
        """fun show(reading: Reading): String = when (reading) {
            is Reading.Proven -> reading.proven.amount.toString()
            is Reading.Unknown -> "not known"
        }""",
        "'when' expression must be exhaustive. Add the 'is Provisional' branch",
    )

    @Test
    fun anAmountWithoutAStateDoesNotCompile() {
        refused("fun show(reading: Reading) = reading.amount", "unresolved reference 'amount'")
        refused("fun show(reading: Reading) = reading.proven.amount", "unresolved reference 'proven'")
        refused("fun show(reading: Reading.Unknown) = reading.unknown.amount", "unresolved reference 'amount'")
        refused("fun show(claim: Unconfirmed) = claim.amount", "unresolved reference 'amount'")
    }

    @Test
    fun aReadingCannotBeChanged() = refused(
        "fun forge(proven: Proven) { proven.amount = java.math.BigInteger.ZERO }",
        "'val' cannot be reassigned",
    )
}
