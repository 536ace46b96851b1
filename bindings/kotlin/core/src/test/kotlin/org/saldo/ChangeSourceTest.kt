package org.saldo

import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.firstOrNull
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.saldo.ffi.Change
import org.saldo.ffi.Changes

class ChangeSourceTest {
    /** A watch that keeps to the rule of the numbers: what was not received is reported again, in a batch with a new number. */
    private class NumberedWatch(private val last: Int) {
        private var number = 0uL
        private var next = 0
        private var batch = emptyList<Change>()
        val calls get() = number.toInt()

        suspend fun next(received: ULong): Changes = withContext(Dispatchers.Default) {
            val again = if (received != number) batch else emptyList()
            batch = again.ifEmpty {
                if (next == last) return@withContext Changes(0u, emptyList())
                listOf(Change.Other("${next++}"))
            }
            number++
            // The batch exists already: a cancellation from here on loses it, if the number does not save it.
            yield()
            Changes(number, batch)
        }
    }

    private fun flowOf(source: ChangeSource): Flow<Change> = flow { source.deliver { batch -> batch.forEach { emit(it) } } }

    private fun text(change: Change?) = (change as Change.Other).text.toInt()

    @Test
    fun aCancellationAtAnyMomentLosesNoChange(): Unit = runBlocking(Dispatchers.Default) {
        val random = Random(20261129)
        repeat(20) { round ->
            val watch = NumberedWatch(200)
            val flow = flowOf(ChangeSource(watch::next))
            val handled = mutableListOf<Int>()
            var cancellations = 0
            while (handled.lastOrNull() != 199) {
                val screen = launch {
                    flow.collect {
                        // The screen takes its time, and may be closed meanwhile: then it has not shown the change.
                        delay(random.nextLong(0, 200).microseconds)
                        handled += text(it)
                    }
                }
                delay(random.nextLong(0, 3_000).microseconds)
                screen.cancelAndJoin()
                cancellations++
            }
            assertEquals((0 until 200).toList(), handled.distinct(), "round $round: each change, in its order")
            assertTrue(cancellations > 3, "$cancellations cancellations")
        }
    }

    @Test
    fun withoutACancellationEachChangeComesOnce(): Unit = runBlocking {
        val watch = NumberedWatch(50)
        val flow = flowOf(ChangeSource(watch::next))
        assertEquals((0 until 50).toList(), flow.toList().map(::text))
        assertEquals(50, watch.calls)
    }

    @Test
    fun anOperatorThatWantsNoMoreHasReceivedWhatItTook(): Unit = runBlocking {
        val flow = flowOf(ChangeSource(NumberedWatch(5)::next))
        assertEquals(0, text(flow.firstOrNull()))
        assertEquals(listOf(1, 2), flow.take(2).toList().map(::text))
        assertEquals(listOf(3, 4), flow.toList().map(::text))
        assertEquals(null, flow.firstOrNull())
    }

    @Test
    fun aCollectorThatThrowsGetsTheChangeAgain(): Unit = runBlocking {
        val flow = flowOf(ChangeSource(NumberedWatch(3)::next))
        assertTrue(runCatching { flow.collect { error("the screen is broken") } }.isFailure)
        assertEquals(listOf(0, 1, 2), flow.toList().map(::text))
    }

    @Test
    fun aSecondCollectorWaitsForTheFirst(): Unit = runBlocking {
        val flow = flowOf(ChangeSource(NumberedWatch(100)::next))
        val first = launch(Dispatchers.Default) { flow.collect { delay(10_000) } }
        delay(50)
        val second = launch(Dispatchers.Default) { assertEquals(100, flow.toList().size) }
        delay(50)
        assertTrue(second.isActive)
        first.cancelAndJoin()
        second.join()
    }
}
