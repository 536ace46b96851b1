package org.saldo

import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory

/** The table that the bindings of every language run, with equal results. */
class ScenarioTableTest {
    @TestFactory
    fun everyScenario(): List<DynamicTest> {
        val names = Served.names()
        assertTrue(names.size > 40, "the table has ${names.size} scenarios")
        return names.map { name ->
            DynamicTest.dynamicTest(name) {
                runBlocking { withTimeout(4.minutes) { Served(name).use { Scenario(it).run() } } }
            }
        }
    }
}
