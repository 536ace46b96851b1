import Foundation

/// Keeps everything in one file, which each write replaces as a whole. On iOS the file can be read after the first unlock, also in the
/// background. It is left out of backups: after a restore, what it remembers would be old.
///
/// Share one `FileStorage` between the clients of an app. An app and its widget each need a file of their own.
public actor FileStorage: Storage {
    private let url: URL

    /// Uses this file. It and its folder are made by the first write.
    public init(url: URL) {
        self.url = url
    }

    /// Reads everything that is kept.
    public func load() async throws -> StorageSnapshot {
        let content = try read()
        let entries = content.entries.map { StorageEntry(name: $0.key, value: $0.value) }
        return StorageSnapshot(entries: entries, version: content.version)
    }

    /// Writes all of `changes`, or throws `Conflict`. It is on the disk when this returns.
    public func apply(changes: [StorageChange], expectedVersion: UInt64) async throws -> StorageAck {
        // Nothing is awaited here, so no other call of this actor comes between.
        var content = try read()
        guard content.version == expectedVersion else { throw StorageFailure.Conflict }
        for change in changes {
            content.entries[change.name] = change.value
        }
        // Counted by the clock, so that a file that was deleted and made anew has no version of the old one.
        let now = UInt64(max(Date().timeIntervalSince1970, 0) * 1_000_000)
        content.version = max(content.version + 1, now)
        try write(content)
        let written = try read()
        return StorageAck(written: changes.map { ($0.name, written.entries[$0.name]) }, version: written.version)
    }

    private func read() throws -> FileContent {
        guard FileManager.default.fileExists(atPath: url.path) else { return FileContent() }
        let bytes: Data
        do {
            bytes = try Data(contentsOf: url)
        } catch {
            throw failure(of: error)
        }
        guard let content = FileContent(bytes: bytes) else { throw StorageFailure.Damaged }
        return content
    }

    private func write(_ content: FileContent) throws {
        let folder = url.deletingLastPathComponent()
        let temporary = folder.appendingPathComponent(".\(url.lastPathComponent).\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try content.bytes.write(to: temporary, options: options)
            let handle = try FileHandle(forWritingTo: temporary)
            try handle.synchronize()
            try handle.close()
            try leaveOutOfBackups(temporary)
            if FileManager.default.fileExists(atPath: url.path) {
                _ = try FileManager.default.replaceItemAt(url, withItemAt: temporary)
            } else {
                try FileManager.default.moveItem(at: temporary, to: url)
            }
        } catch {
            try? FileManager.default.removeItem(at: temporary)
            throw failure(of: error)
        }
    }

    private var options: Data.WritingOptions {
        #if os(iOS) || os(tvOS) || os(watchOS)
        return [.completeFileProtectionUntilFirstUserAuthentication]
        #else
        return []
        #endif
    }

    private func leaveOutOfBackups(_ file: URL) throws {
        #if !canImport(FoundationNetworking)
        var file = file
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try file.setResourceValues(values)
        #endif
    }

    private func failure(of error: Error) -> StorageFailure {
        guard let error = error as? CocoaError else { return .Unexpected(detail: "\(type(of: error))") }
        switch error.code {
        case .fileWriteOutOfSpace: return .Full
        case .fileWriteNoPermission, .fileReadNoPermission, .fileWriteVolumeReadOnly: return .ReadOnly
        default: return .Unexpected(detail: "CocoaError \(error.code.rawValue)")
        }
    }
}
