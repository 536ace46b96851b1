import Foundation

extension StorageAck {
    /// Counts what was written: each name, and the bytes that are under it now; nil if the entry was removed.
    public init(written: [(name: String, value: Data?)], version: UInt64) {
        var checksum: UInt32 = 0
        for (name, value) in written {
            for byte in name.utf8 { checksum = checksum &+ UInt32(byte) }
            for byte in value ?? Data() { checksum = checksum &+ UInt32(byte) }
        }
        self.init(version: version, written: UInt32(clamping: written.count), checksum: checksum)
    }
}
