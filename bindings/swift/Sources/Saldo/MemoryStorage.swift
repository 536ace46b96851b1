import Foundation

/// Keeps bytes in memory, for tests and previews. Several clients may share one.
public actor MemoryStorage: Storage {
    private var entries: [String: Data] = [:]
    private var version: UInt64 = 0

    public init() {}

    /// Reads everything that is kept.
    public func load() async throws -> StorageSnapshot {
        let entries = entries.map { StorageEntry(name: $0.key, value: $0.value) }
        return StorageSnapshot(entries: entries, version: version)
    }

    /// Writes all of `changes`, or throws `Conflict`.
    public func apply(changes: [StorageChange], expectedVersion: UInt64) async throws -> StorageAck {
        guard version == expectedVersion else { throw StorageFailure.Conflict }
        for change in changes {
            entries[change.name] = change.value
        }
        version += 1
        return StorageAck(written: changes.map { ($0.name, entries[$0.name]) }, version: version)
    }
}
