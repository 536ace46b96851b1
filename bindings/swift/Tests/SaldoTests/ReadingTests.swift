import XCTest

@testable import Saldo

final class ReadingTests: XCTestCase {
    /// Does not compile if a state is missing. There is no `default` on purpose.
    private func state(of reading: Reading) -> String {
        switch reading {
        case .proven: return "proven"
        case .provisional: return "provisional"
        case .unknown: return "unknown"
        }
    }

    func testThereIsASampleOfEachState() {
        XCTAssertEqual(Set(samples().map { state(of: $0.reading) }), ["proven", "provisional", "unknown"])
    }

    func testAClientThatWasShutDownSaysSo() async throws {
        let endpoint = Endpoint(url: "https://node.test", name: nil, operator: nil, hosting: nil, edge: nil)
        let config = ClientConfig(network: "mainnet", rpc: [endpoint], beacon: [endpoint], useDirectory: true)
        let client = try SaldoClient(config: config, transport: URLSessionTransport(), storage: MemoryStorage())
        await client.shutdown()
        let reading = await client.balance(owner: "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045")
        guard case .unknown(let unknown) = reading else { return XCTFail("\(reading)") }
        XCTAssertEqual(unknown.why.code, "closed")
        for await change in client.changes(of: [client.native(owner: "0x")]) {
            XCTFail("\(change)")
        }
    }

    func testACancelledStepReturnsAtOnceAndLosesNothing() async throws {
        let task = Task<Int, Never> {
            try? await Task.sleep(nanoseconds: 300_000_000)
            return 7
        }
        let waiting = Task { await value(of: task) }
        waiting.cancel()
        let cancelled = await waiting.value
        XCTAssertNil(cancelled)
        let later = await value(of: task)
        XCTAssertEqual(later, 7)
    }
}
