extension SaldoClient {
    /// Makes `calls` by a handle of this client, and ends them when the calling task is cancelled:
    ///
    ///     let reading = await client.cancellable { await $0.balance(owner: owner) }
    ///
    /// A cancelled call returns at once, and its HTTP requests are cancelled. Its reading is unknown, with the code `closed`. The client
    /// and its other calls go on. Without this a call lasts until its deadline, because the generated code does not notice that a task was
    /// cancelled.
    public func cancellable<Value: Sendable>(
        _ calls: @Sendable (SaldoClient) async throws -> Value
    ) async rethrows -> Value {
        let own = self.handle()
        return try await withTaskCancellationHandler {
            try await calls(own)
        } onCancel: {
            own.cancelCalls()
        }
    }
}
