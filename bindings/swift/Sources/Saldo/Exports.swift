// The records, the enums and `SaldoClient`, as the library has them.
@_exported import SaldoFFI
