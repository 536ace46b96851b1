/// An exact number of an asset's base units (wei for the native asset), up to 2^256 - 1.
///
/// Swift has no such integer, so this keeps the decimal digits. It has no arithmetic: the client adds up (`totals`).
public struct BaseUnits: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The decimal digits, without a sign and without leading zeros.
    public let digits: String

    /// Takes decimal digits. What is no number stays as it is, and the library refuses it: it never becomes zero.
    public init(digits: String) {
        let cut = digits.drop { $0 == "0" }
        let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { (48...57).contains($0) }
        self.digits = isNumber ? (cut.isEmpty ? "0" : String(cut)) : digits
    }

    /// The digits.
    public var description: String { digits }

    /// Whether the amount is zero. Only a proof makes it so.
    public var isZero: Bool { digits == "0" }

    /// Compares by value.
    public static func < (one: BaseUnits, other: BaseUnits) -> Bool {
        if one.digits.utf8.count != other.digits.utf8.count {
            return one.digits.utf8.count < other.digits.utf8.count
        }
        return one.digits < other.digits
    }

    /// Returns the exact quantity as a decimal fraction: 1500000000000000000 wei with 18 decimals is `1.5`.
    public func formatted(decimals: UInt8) -> String {
        formatAmount(amount: self, decimals: decimals)
    }

    /// Returns the quantity cut to `places` digits after the point. An amount that is not zero never reads as zero: one that is
    /// too small for the places is `<0.0001`.
    public func formatted(decimals: UInt8, places: UInt8) -> String {
        formatAmountShort(amount: self, decimals: decimals, places: places)
    }
}
