package org.saldo

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.isActive
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.saldo.ffi.Change
import org.saldo.ffi.Changes

/**
 * Delivers the batches of one watch, and remembers the last one that was handled. [next] gets its number: if a later batch was
 * made and lost, the watch reports it again.
 */
internal class ChangeSource(private val next: suspend (received: ULong) -> Changes) {
    private val collector = Mutex()
    private var received = 0uL

    /**
     * Hands batches to [handle] until the watch ends. A batch counts as received when [handle] has returned, also if it wants no
     * more (`first()`, for example): only a coroutine that was cancelled meanwhile has not received it.
     */
    suspend fun deliver(handle: suspend (List<Change>) -> Unit) = collector.withLock {
        while (true) {
            val batch = next(received)
            // Only a watch whose client was shut down has nothing to report.
            if (batch.changes.isEmpty()) break
            try {
                handle(batch.changes)
            } catch (e: CancellationException) {
                if (currentCoroutineContext().isActive) received = batch.number
                throw e
            }
            received = batch.number
        }
    }
}
