import Foundation

/// Waits for `task`, or until the calling task is cancelled. The task itself goes on, and its result is not lost: another call can wait
/// for it.
///
/// The generated code does not notice a cancellation, so a plain `await` would last until the library answers.
func value<Value: Sendable>(of task: Task<Value, Never>) async -> Value? {
    let race = Race<Value>()
    return await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            race.begin(continuation)
            Task { race.end(await task.value) }
        }
    } onCancel: {
        race.end(nil)
    }
}

/// A continuation that is resumed once, by the value or by the cancellation.
private final class Race<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var continuation: CheckedContinuation<Value?, Never>?
    private var hasEnded = false

    func begin(_ continuation: CheckedContinuation<Value?, Never>) {
        lock.lock()
        let isLate = hasEnded
        if !isLate {
            self.continuation = continuation
        }
        lock.unlock()
        if isLate {
            continuation.resume(returning: nil)
        }
    }

    func end(_ value: Value?) {
        lock.lock()
        let waiting = continuation
        continuation = nil
        hasEnded = true
        lock.unlock()
        waiting?.resume(returning: value)
    }
}
