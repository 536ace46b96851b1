// swift-tools-version: 5.9
import PackageDescription

// The native library. On Apple platforms it comes as an XCFramework, which `build-xcframework` makes. On Linux, where only the
// tests run, it is the shared library that cargo built: `bindings/swift/test` names its folder to the linker.
#if os(Linux)
let library = Target.systemLibrary(name: "SaldoFFIFFI", path: "Sources/SaldoFFIFFI")
#else
let library = Target.binaryTarget(name: "SaldoFFIFFI", path: "SaldoFFI.xcframework")
#endif

let package = Package(
    name: "Saldo",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Saldo", targets: ["Saldo"])],
    targets: [
        library,
        // `SaldoFFI.swift` is generated. `BaseUnits.swift` is the type that it uses for amounts.
        .target(name: "SaldoFFI", dependencies: ["SaldoFFIFFI"]),
        .target(name: "Saldo", dependencies: ["SaldoFFI"]),
        .testTarget(name: "SaldoTests", dependencies: ["Saldo"]),
    ]
)
