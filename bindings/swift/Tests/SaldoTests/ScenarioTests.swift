import XCTest

@testable import Saldo

/// Every scenario of the common table shows what the table says: tests/ffi/README.md.
final class ScenarioTests: XCTestCase {
    func testEveryScenarioShowsWhatTheTableSays() async throws {
        guard let server = World.server else { throw XCTSkip("SALDO_SCENARIO_SERVER is not set") }
        for name in try World.names(server) {
            let scenario = try Scenario(World(name, server: server))
            for (index, step) in scenario.world.steps.enumerated() {
                do {
                    try await scenario.step(step)
                } catch {
                    XCTFail("\(name), step \(index + 1): \(error)")
                    break
                }
            }
            await scenario.client.shutdown()
            scenario.world.end()
        }
    }
}

/// A scenario in progress.
private final class Scenario {
    let world: World
    let http = SwitchedTransport()
    let memory = SwitchedStorage()
    var client: SaldoClient
    private var changes: ChangeSequence?

    init(_ world: World) throws {
        self.world = world
        client = try SaldoClient(config: world.config, transport: http, storage: memory)
    }

    func step(_ step: Fields) async throws {
        let end = Date().addingTimeInterval(Double(step["within_ms"] as? Int ?? 0) / 1_000)
        if step["call"] as? String == "watch_until" {
            return try await watchUntil(step, end)
        }
        while true {
            do {
                return try await once(step)
            } catch let difference as Difference {
                if Date() >= end { throw difference }
                try await Task.sleep(nanoseconds: 100_000_000)
            }
        }
    }

    /// The client for calls about the network of the step.
    private func on(_ step: Fields) -> SaldoClient {
        (step["network_id"] as? Int).map { client.on(networkId: UInt64($0))! } ?? client
    }

    private func once(_ step: Fields) async throws {
        let expect = step["expect"] as? Fields ?? [:]
        let list = step["expect"] as? [Fields] ?? []
        switch step["call"] as! String {
        case "balance": try compare([await on(step).balance(owner: step["owner"] as! String)], [expect])
        case "account":
            let account = await client.account(owner: step["owner"] as! String)
            var fields = shown(account.balance, expect)
            fields["nonce"] = account.nonce.map { "\($0)" } ?? "none"
            try compare(fields, expect)
        case "read": try compare(await client.read(holdings: holdings(step)), list)
        case "read_patiently":
            let patience = UInt64(step["patience_ms"] as! Int)
            try compare(await client.readPatiently(holdings: holdings(step), patienceMs: patience), list)
        case "finalized": try compare(await client.finalized(holdings: holdings(step)), list)
        case "last": try compare(shown(await client.last(holding: holding(step["holding"]!))), expect)
        case "withdrawn": try compare(shown(await client.withdrawn(holding: holding(step["holding"]!))), expect)
        case "totals":
            let totals = await client.totals(holdings: holdings(step))
            guard totals.count == list.count else { throw Difference("\(totals.count) totals") }
            for (total, fields) in zip(totals, list) { try compare(shown(total), fields) }
        case "token": try compare(shown(await client.token(token: step["token"] as! String)), expect)
        case "token_list":
            let json = Data((step["json"] as! String).utf8)
            try compare(shown(try await client.tokenList(json: json)), expect)
        case "check":
            let verdicts = await client.check(claims: (step["claims"] as! [Any]).map(claim))
            guard verdicts.count == list.count else { throw Difference("\(verdicts.count) verdicts") }
            for (verdict, fields) in zip(verdicts, list) { try compare(shown(verdict), fields) }
        case "health": try compare(shown(await on(step).health()), expect)
        case "freshness":
            let block = await client.last(holding: holding(step["holding"]!))!.block
            let freshness = await client.freshness(
                networkId: block.chainId, timestamp: block.timestamp, level: block.assurance.level)
            try compare(["freshness": freshness.code], ["freshness": step["expect"]!])
        case "evidence":
            let least = expect["at_least"] as! Int
            try compare(["at_least": min(await client.evidence().count, least)], expect)
        case "consensus_fault": try compare(["is_there": await client.consensusFault() != nil], expect)
        case "storage_faults":
            let codes = await client.storageFaults().map(\.code)
            let wanted = step["expect"] as! [String]
            let isSame = wanted.isEmpty ? codes.isEmpty : wanted.allSatisfy(codes.contains)
            if !isSame { throw Difference("the faults are \(codes)") }
        case "watch_ended":
            var iterator = changes!.makeAsyncIterator()
            if let change = await iterator.next() { throw Difference("the watch has not ended: \(change)") }
        default: try await act(step)
        }
    }

    private func act(_ step: Fields) async throws {
        switch step["call"] as! String {
        case "watch_open": changes = client.changes(of: holdings(step))
        case "watch_cancel":
            for _ in 0..<(step["times"] as! Int) {
                await cancelNext(UInt64(step["after_ms"] as! Int))
            }
        case "cancel": try compare(["requests_left": try await cancel(step)], step["expect"] as! Fields)
        case "transport": http.set(step["does"] as! String)
        case "storage": await memory.set(step["does"] as! String)
        case "event":
            if try world.happen(step["at"] as! String) == 0 { throw Difference("nothing happens") }
        case "network_changed": client.networkChanged(isOnline: step["is_online"] as! Bool)
        case "start_again": try await client.startAgain(checkpoint: World.checkpoint(step["checkpoint"] as! Fields))
        case "adopt": try await client.adopt(network: step["network"] as! String)
        case "forget": await client.forget(holding: holding(step["holding"]!))
        case "restart":
            await client.shutdown()
            client = try SaldoClient(config: world.config, transport: http, storage: memory)
        case "shutdown": await client.shutdown()
        default: fatalError("the runner does not know the step \(step)")
        }
    }

    /// Cancels a read, and returns how many requests are still in progress a second later.
    private func cancel(_ step: Fields) async throws -> Int {
        let (client, owner) = (client, step["owner"] as! String)
        let read = Task { await client.cancellable { await $0.balance(owner: owner) } }
        try await Task.sleep(nanoseconds: UInt64(step["after_ms"] as! Int) * 1_000_000)
        if http.inProgress == 0 { throw Difference("no request is in progress") }
        read.cancel()
        _ = await read.value
        let end = Date().addingTimeInterval(1)
        while http.inProgress > 0 && Date() < end {
            try await Task.sleep(nanoseconds: 10_000_000)
        }
        return http.inProgress
    }

    /// Cancels a step that brings nothing in time. A change that came in time is one that the table does not wait for.
    private func cancelNext(_ milliseconds: UInt64) async {
        let changes = changes!
        let step = Task { () -> Change? in
            var iterator = changes.makeAsyncIterator()
            return await iterator.next()
        }
        try? await Task.sleep(nanoseconds: milliseconds * 1_000_000)
        step.cancel()
        if let change = await step.value { early.append(change) }
    }

    private var early: [Change] = []

    private func watchUntil(_ step: Fields, _ end: Date) async throws {
        let expect = step["expect"] as! Fields
        var seen: [String] = []
        var iterator = changes!.makeAsyncIterator()
        while Date() < end {
            guard let change = early.isEmpty ? await iterator.next() : early.removeFirst() else { break }
            do {
                return try compare(shown(change, expect), expect)
            } catch {
                seen.append("\(error)")
            }
        }
        throw Difference("no such change came, but \(seen)")
    }

    private func holdings(_ step: Fields) -> [Holding] {
        (step["holdings"] as! [Any]).map(holding)
    }

    private func claim(_ told: Any) -> Claim {
        let told = told as! Fields
        let block = (told["block"] as? Int).map(UInt64.init)
        return Claim(
            holding: holding(told["holding"]!), amount: BaseUnits(digits: told["amount"] as! String), block: block)
    }

    private func holding(_ told: Any) -> Holding {
        let told = told as! Fields
        return Holding(
            networkId: UInt64(told["network_id"] as! Int), owner: told["owner"] as! String, token: told["token"] as? String)
    }
}
