import XCTest

@testable import Saldo

final class BaseUnitsTests: XCTestCase {
    private let most = "115792089237316195423570985008687907853269984665640564039457584007913129639935"

    func testAmountsAreFormattedExactly() {
        XCTAssertEqual(BaseUnits(digits: "1500000000000000000").formatted(decimals: 18), "1.5")
        XCTAssertEqual(BaseUnits(digits: "1").formatted(decimals: 18), "0.000000000000000001")
        XCTAssertEqual(BaseUnits(digits: most).formatted(decimals: 0), most)
    }

    func testAnAmountThatIsNotZeroNeverReadsAsZero() {
        XCTAssertEqual(BaseUnits(digits: "1").formatted(decimals: 18, places: 4), "<0.0001")
        XCTAssertEqual(BaseUnits(digits: "0").formatted(decimals: 18, places: 4), "0")
    }

    func testAmountsAreComparedByValue() {
        XCTAssertEqual(BaseUnits(digits: "007"), BaseUnits(digits: "7"))
        XCTAssertLessThan(BaseUnits(digits: "9"), BaseUnits(digits: "10"))
        XCTAssertLessThan(BaseUnits(digits: "99"), BaseUnits(digits: most))
        XCTAssertTrue(BaseUnits(digits: "000").isZero)
    }

    func testWhatIsNoNumberDoesNotBecomeZero() {
        for text in ["", "-1", "0x0", "1.0", "٠"] {
            XCTAssertFalse(BaseUnits(digits: text).isZero, text)
        }
    }
}
