package org.saldo

/**
 * The native library cannot be used. No client can be made in this process: the app is put together wrongly.
 *
 * @property reason what is wrong.
 * @property nextStep what to do about it, for the developer of the app.
 */
class SaldoLoadException internal constructor(
    val reason: Reason,
    what: String,
    val nextStep: String,
    cause: Throwable?,
) : RuntimeException("$what $nextStep", cause) {
    /** What is wrong with the native library. A later version may know more reasons. */
    enum class Reason {
        /** No native library for this system was found. */
        MISSING,

        /** The native library is of another version than this package. */
        OTHER_VERSION,

        /** JNA, which calls the native library, is missing or cannot be used. */
        JNA,

        /** The system refused to load the native library. */
        REFUSED,
    }
}
