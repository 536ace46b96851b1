import XCTest

@testable import Saldo

final class StorageTests: XCTestCase {
    private var folder: URL!

    override func setUp() {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    }

    override func tearDown() {
        try? FileManager.default.removeItem(at: folder)
    }

    private var file: URL { folder.appendingPathComponent("saldo.bin") }

    private func put(_ name: String, _ value: String?) -> StorageChange {
        StorageChange(name: name, value: value.map { Data($0.utf8) })
    }

    private func kept(_ storage: Storage) async throws -> [String: String] {
        let entries = try await storage.load().entries
        return Dictionary(uniqueKeysWithValues: entries.map { ($0.name, String(decoding: $0.value, as: UTF8.self)) })
    }

    func testWhatIsWrittenIsReadAgain() async throws {
        let storages: [Storage] = [MemoryStorage(), FileStorage(url: file)]
        for storage in storages {
            let first = try await storage.apply(changes: [put("a", "1"), put("b", "2")], expectedVersion: 0)
            XCTAssertEqual(first, StorageAck(version: first.version, written: 2, checksum: 97 + 49 + 98 + 50))
            let second = try await storage.apply(changes: [put("a", nil)], expectedVersion: first.version)
            XCTAssertNotEqual(second.version, first.version)
            let entries = try await kept(storage)
            XCTAssertEqual(entries, ["b": "2"])
        }
    }

    func testAnotherVersionIsAConflict() async throws {
        let (one, other) = (FileStorage(url: file), FileStorage(url: file))
        _ = try await one.apply(changes: [put("a", "1")], expectedVersion: 0)
        do {
            _ = try await other.apply(changes: [put("a", "2")], expectedVersion: 0)
            XCTFail("nothing was thrown")
        } catch StorageFailure.Conflict {
            let entries = try await kept(one)
            XCTAssertEqual(entries, ["a": "1"])
        }
    }

    func testEveryDamageIsNoticed() throws {
        var content = FileContent()
        content.version = 7
        content.entries = ["a": Data("1".utf8), "b": Data()]
        let whole = content.bytes
        XCTAssertEqual(FileContent(bytes: whole)?.entries, content.entries)
        for index in whole.indices {
            var flipped = whole
            flipped[index] ^= 1
            XCTAssertNil(FileContent(bytes: flipped), "\(index)")
            XCTAssertNil(FileContent(bytes: whole.prefix(index)), "\(index)")
        }
    }
}
