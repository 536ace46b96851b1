import Foundation

/// What a `FileStorage` keeps, and its form in the file: a first line, the version, each entry, and a checksum over all of it.
///
/// The checksum finds damage. It is no protection from a person: the library checks everything that it reads.
struct FileContent {
    var entries: [String: Data] = [:]
    /// 0 if nothing was written yet.
    var version: UInt64 = 0

    private static let firstLine = Data("saldo storage 1 (Swift)\n".utf8)
    private static let mostBytes = 64 << 20

    init() {}

    /// Reads what `bytes` makes. Nil for anything else.
    init?(bytes: Data) {
        guard bytes.count <= Self.mostBytes, bytes.count >= 8, bytes.starts(with: Self.firstLine) else { return nil }
        let body = Data(bytes.dropLast(8))
        var end = Reader(Data(bytes.suffix(8)))
        guard end.number(of: 8) == Self.checksum(of: body) else { return nil }
        var reader = Reader(Data(body.dropFirst(Self.firstLine.count)))
        guard let version = reader.number(of: 8), version > 0 else { return nil }
        while !reader.isAtEnd {
            guard let nameLength = reader.number(of: 2), let valueLength = reader.number(of: 4),
                let name = reader.bytes(Int(nameLength)), let value = reader.bytes(Int(valueLength)),
                let text = String(data: name, encoding: .utf8)
            else { return nil }
            entries[text] = value
        }
        self.version = version
    }

    /// The form in the file.
    var bytes: Data {
        var bytes = Self.firstLine
        bytes.append(Self.bytes(of: version, count: 8))
        for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
            bytes.append(Self.bytes(of: UInt64(name.utf8.count), count: 2))
            bytes.append(Self.bytes(of: UInt64(value.count), count: 4))
            bytes.append(Data(name.utf8))
            bytes.append(value)
        }
        bytes.append(Self.bytes(of: Self.checksum(of: bytes), count: 8))
        return bytes
    }

    /// FNV-1a of 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
    private static func checksum(of bytes: Data) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    /// The last `count` bytes of a number, the most significant one first.
    private static func bytes(of number: UInt64, count: Int) -> Data {
        Data((0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) })
    }
}

/// Reads from the start of some bytes, and never beyond their end.
private struct Reader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: Data) {
        rest = ArraySlice(bytes)
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func bytes(_ count: Int) -> Data? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Data(rest.prefix(count))
    }

    mutating func number(of count: Int) -> UInt64? {
        bytes(count)?.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
