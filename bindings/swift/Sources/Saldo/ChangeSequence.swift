/// The changes of some holdings, one after another, for as long as the app iterates:
///
///     for await change in client.changes(of: [holding]) { ... }
///
/// The iteration ends when its task is cancelled, or the client is shut down. A cancelled step loses nothing: a new iteration of the same
/// sequence begins with what the cancelled one did not deliver. Iterate one sequence from one task at a time.
public struct ChangeSequence: AsyncSequence, Sendable {
    public typealias Element = Change

    private let feed: ChangeFeed

    init(watch: Watch) {
        feed = ChangeFeed(watch: watch)
    }

    /// Makes an iterator. It goes on where the last one ended.
    public func makeAsyncIterator() -> Iterator {
        Iterator(feed: feed)
    }

    /// Steps from change to change.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let feed: ChangeFeed

        /// Waits for the next change. Returns nil if the task was cancelled, or the client was shut down.
        public mutating func next() async -> Change? {
            await feed.next()
        }
    }
}

/// The library's watch, with the changes that were received and not delivered.
private actor ChangeFeed {
    private let watch: Watch
    private var received: UInt64 = 0
    private var left: [Change] = []
    private var waiting: Task<Changes, Never>?

    init(watch: Watch) {
        self.watch = watch
    }

    func next() async -> Change? {
        if left.isEmpty {
            let task = waiting ?? wait()
            guard let batch = await value(of: task) else { return nil }
            // Two steps may have waited for the same batch.
            if waiting == task {
                waiting = nil
                received = batch.number
                left = batch.changes
            }
        }
        return left.isEmpty ? nil : left.removeFirst()
    }

    private func wait() -> Task<Changes, Never> {
        let (watch, received) = (self.watch, self.received)
        let task = Task { await watch.nextAll(received: received) }
        waiting = task
        return task
    }
}

extension SaldoClient {
    /// Watches `holdings`. A holding that is named twice counts once.
    public func changes(of holdings: [Holding]) -> ChangeSequence {
        ChangeSequence(watch: watch(holdings: holdings))
    }
}
