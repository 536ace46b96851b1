import Foundation

@testable import Saldo

typealias Fields = [String: Any]

/// One scenario of `tests/ffi/scenarios.toml`, served on loopback until `end`.
final class World {
    let config: ClientConfig
    let steps: [Fields]
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest = Data()

    static var server: URL? {
        ProcessInfo.processInfo.environment["SALDO_SCENARIO_SERVER"].map { URL(fileURLWithPath: $0) }
    }

    static func names(_ server: URL) throws -> [String] {
        let process = Process()
        let output = Pipe()
        process.executableURL = server
        process.arguments = ["--list"]
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    init(_ name: String, server: URL) throws {
        process.executableURL = server
        process.arguments = [name]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let told = try Self.line(output.fileHandleForReading, &rest)
        config = Self.config(told["config"] as! Fields)
        steps = told["steps"] as! [Fields]
    }

    func happen(_ at: String) throws -> Int {
        input.fileHandleForWriting.write(Data("\(at)\n".utf8))
        return try Self.line(output.fileHandleForReading, &rest)["happened"] as! Int
    }

    func end() {
        input.fileHandleForWriting.closeFile()
        process.waitUntilExit()
    }

    private static func line(_ handle: FileHandle, _ rest: inout Data) throws -> Fields {
        while !rest.contains(10) {
            let more = handle.availableData
            if more.isEmpty { throw Difference("the server has ended") }
            rest.append(more)
        }
        let end = rest.firstIndex(of: 10)!
        let line = Data(rest[rest.startIndex..<end])
        rest = Data(rest[(end + 1)...])
        return try JSONSerialization.jsonObject(with: line) as! Fields
    }

    private static func config(_ told: Fields) -> ClientConfig {
        ClientConfig(
            network: told["network"] as! String, rpc: endpoints(told["rpc"]), beacon: endpoints(told["beacon"]),
            checkpoint: (told["checkpoint"] as? Fields).map(checkpoint),
            checkpointSources: endpoints(told["checkpoint_sources"]),
            agreement: (told["agreement"] as? Int).map(UInt32.init), policy: (told["policy"] as? Fields).map(policy),
            others: (told["others"] as! [Fields]).map {
                NetworkConfig(
                    network: $0["network"] as! String, rpc: endpoints($0["rpc"]),
                    policy: ($0["policy"] as? Fields).map(policy))
            })
    }

    private static func endpoints(_ told: Any?) -> [Endpoint] {
        (told as? [Fields] ?? []).map {
            Endpoint(
                url: $0["url"] as! String, name: $0["name"] as? String, operator: $0["operator"] as? String,
                hosting: $0["hosting"] as? String)
        }
    }

    private static func policy(_ told: Fields) -> Policy {
        Policy(
            finalized: told["finalized"] as? Bool ?? false,
            maxAgeSeconds: (told["max_age_seconds"] as? Int).map(UInt64.init),
            deadlineMs: (told["deadline_ms"] as? Int).map(UInt64.init),
            operatorsPerAddress: UInt32(told["operators_per_address"] as? Int ?? 2),
            strict: told["strict"] as? Bool ?? false)
    }

    static func checkpoint(_ told: Fields) -> Checkpoint {
        Checkpoint(root: told["root"] as! String, slot: (told["slot"] as? Int).map(UInt64.init))
    }
}

/// What is shown differs from what the table expects.
struct Difference: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// An HTTP stack with a switch: it sends requests, or misbehaves.
final class SwitchedTransport: HttpTransport, @unchecked Sendable {
    private let inner = URLSessionTransport()
    private let lock = NSLock()
    private var does = "pass"
    private var count = 0

    var inProgress: Int { locked { count } }

    func set(_ does: String) {
        locked { self.does = does }
    }

    private func locked<T>(_ work: () -> T) -> T {
        lock.lock()
        defer { lock.unlock() }
        return work()
    }

    func send(request: HttpRequest) async throws -> HttpResponse {
        let does = locked { () -> String in
            count += 1
            return self.does
        }
        defer { locked { count -= 1 } }
        switch does {
        case "pass": return try await inner.send(request: request)
        case "hangs":
            try await Task.sleep(nanoseconds: 3_600_000_000_000)
            throw TransportFailure.Timeout
        case "floods": return HttpResponse(status: 200, headers: [], body: Data(count: Int(request.maxBytes) + 1))
        case "throws": throw Difference("something without a name")
        case "offline": throw TransportFailure.Offline
        case "dns": throw TransportFailure.Dns
        case "tls_untrusted_issuer": throw TransportFailure.TlsUntrustedIssuer
        case "tls_expired": throw TransportFailure.TlsExpired
        case "connect": throw TransportFailure.Connect
        case "timeout": throw TransportFailure.Timeout
        default: fatalError("the HTTP stack does not know \(does)")
        }
    }
}

/// A storage in memory with a switch: it works, or misbehaves.
actor SwitchedStorage: Storage {
    private let inner = MemoryStorage()
    private var does = "pass"

    func set(_ does: String) {
        self.does = does
    }

    func load() async throws -> StorageSnapshot {
        try await inner.load()
    }

    func apply(changes: [StorageChange], expectedVersion: UInt64) async throws -> StorageAck {
        switch does {
        case "pass": return try await inner.apply(changes: changes, expectedVersion: expectedVersion)
        case "full": throw StorageFailure.Full
        case "throws": throw Difference("something without a name")
        case "loses": return StorageAck(written: [], version: expectedVersion + 1)
        default: fatalError("the storage does not know \(does)")
        }
    }
}
