package org.saldo

import org.saldo.SaldoLoadException.Reason
import org.saldo.ffi.libraryVersion
import org.saldo.ffi.uniffiEnsureInitialized

/** The version of this package. The native library must have the same. */
internal const val PACKAGE_VERSION = "0.1.0"

/** Loads the native library once. */
internal object NativeLibrary {
    private val system = "${System.getProperty("os.name")} on ${System.getProperty("os.arch")}"

    private val failure: SaldoLoadException? by lazy {
        // Whatever goes wrong while classes are loaded is an `Error`.
        try {
            uniffiEnsureInitialized()
            check(libraryVersion())
        } catch (thrown: Throwable) {
            explain(thrown)
        }
    }

    /** @throws SaldoLoadException if it cannot be used; the same one each time. */
    fun load() {
        failure?.let { throw it }
    }

    /** Compares the version of the library with the one of this package. */
    fun check(version: String): SaldoLoadException? =
        if (version == PACKAGE_VERSION) null else otherVersion("The native library of saldo has version $version, this package $PACKAGE_VERSION.", null)

    /** Says what a failure to load means. */
    fun explain(thrown: Throwable): SaldoLoadException {
        val causes = generateSequence(thrown) { it.cause }.take(8).toList()
        val text = causes.joinToString(" ") { "${it.javaClass.simpleName}: ${it.message}" }
        return when {
            "API checksum mismatch" in text || "contract version mismatch" in text || "Error looking up function" in text ->
                otherVersion("The native library of saldo has other functions than this package expects.", thrown)
            "jnidispatch" in text || "com/sun/jna" in text || "com.sun.jna" in text && causes.any { it is ClassNotFoundException } ->
                SaldoLoadException(
                    Reason.JNA,
                    "JNA cannot be used.",
                    "On Android, depend on `net.java.dev.jna:jna` 5.17 or later as `@aar`, and keep its classes in R8.",
                    thrown,
                )
            "not found in resource path" in text && REFUSALS.none { it in text } ->
                SaldoLoadException(
                    Reason.MISSING,
                    "There is no native library of saldo for $system.",
                    "Use the artefact that contains it, or build it and name its folder with -Djna.library.path.",
                    thrown,
                )
            else -> SaldoLoadException(
                Reason.REFUSED,
                "The system refused to load the native library of saldo.",
                "See the cause; the library must be built for $system.",
                thrown,
            )
        }
    }

    /** What loaders say of a file that they found: JNA goes on to look elsewhere, and says at last that it found nothing. */
    private val REFUSALS = listOf("ELF", "file too short", "GLIBC", "failed to map", "mach-o", "32-bit", "page size", "valid Win32")

    private fun otherVersion(what: String, cause: Throwable?) = SaldoLoadException(
        Reason.OTHER_VERSION,
        what,
        "Take library and package from one release, and look for a second copy of the library in the app.",
        cause,
    )
}
