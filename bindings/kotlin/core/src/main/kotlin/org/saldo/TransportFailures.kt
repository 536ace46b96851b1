package org.saldo

import java.io.EOFException
import java.io.IOException
import java.io.InterruptedIOException
import java.net.ConnectException
import java.net.MalformedURLException
import java.net.NoRouteToHostException
import java.net.ProtocolException
import java.net.UnknownHostException
import java.net.UnknownServiceException
import java.security.cert.CertPathBuilderException
import java.security.cert.CertPathValidatorException
import java.security.cert.CertPathValidatorException.BasicReason
import java.security.cert.CertificateException
import java.security.cert.CertificateExpiredException
import java.security.cert.CertificateNotYetValidException
import java.security.cert.CertificateRevokedException
import java.util.zip.ZipException
import javax.net.ssl.SSLException
import javax.net.ssl.SSLHandshakeException
import javax.net.ssl.SSLPeerUnverifiedException
import kotlinx.coroutines.TimeoutCancellationException
import org.saldo.ffi.TransportFailure

/**
 * Names the failure of an HTTP stack of Java or Android that threw [thrown], for example in an own transport. It never contains the
 * URL.
 */
fun transportFailureOf(thrown: Throwable): TransportFailure {
    val causes = generateSequence(thrown) { it.cause }.take(8).toList()
    val text = causes.joinToString(" ") { it.message.orEmpty() }
    val named = causes.firstNotNullOfOrNull { it as? TransportFailure }
    return when {
        named != null -> named
        causes.any { it is InterruptedIOException || it is TimeoutCancellationException } -> TransportFailure.Timeout()
        causes.any { it is UnknownHostException } -> TransportFailure.Dns()
        mentions(text, "network is unreachable", "ENETUNREACH", "ENETDOWN") -> TransportFailure.Offline()
        causes.any { it is ConnectException || it is NoRouteToHostException } -> TransportFailure.Connect()
        causes.any { it is SSLException || it is CertificateException } -> unsecured(causes, text)
        causes.any { it is ZipException } -> TransportFailure.Encoding()
        isTlsAlert(thrown) -> TransportFailure.TlsExpected()
        thrown is MalformedURLException || thrown is UnknownServiceException || mentions(text, "cleartext") ->
            TransportFailure.Unexpected(nameOf(thrown))
        thrown is IOException -> TransportFailure.Broken()
        else -> TransportFailure.Unexpected(nameOf(thrown))
    }
}

private fun unsecured(causes: List<Throwable>, text: String): TransportFailure {
    val reasons = causes.mapNotNull { (it as? CertPathValidatorException)?.reason }
    return when {
        causes.any { it is CertificateExpiredException } || BasicReason.EXPIRED in reasons -> TransportFailure.TlsExpired()
        causes.any { it is CertificateNotYetValidException } || BasicReason.NOT_YET_VALID in reasons ->
            TransportFailure.TlsNotYetValid()
        causes.any { it is CertificateRevokedException } || BasicReason.REVOKED in reasons -> TransportFailure.TlsRevoked()
        mentions(text, "no subject alternative", "no name matching") -> TransportFailure.TlsOtherName()
        causes.any { it is SSLPeerUnverifiedException } && mentions(text, "hostname") -> TransportFailure.TlsOtherName()
        causes.any { it is CertPathBuilderException } || mentions(text, "path building failed", "trust anchor") ->
            TransportFailure.TlsUntrustedIssuer()
        mentions(text, "unrecognized ssl message", "unable to parse tls packet", "wrong_version_number") ->
            TransportFailure.TlsPlainHttp()
        mentions(text, "protocol_version", "protocol version", "unsupported_protocol", "no appropriate protocol") ->
            TransportFailure.TlsOldVersion()
        causes.any { it is SSLHandshakeException } && causes.any { it is EOFException } -> TransportFailure.Connect()
        mentions(text, "connection reset", "broken pipe", "closed connection") -> TransportFailure.Broken()
        else -> TransportFailure.Tls()
    }
}

private fun mentions(text: String, vararg parts: String): Boolean = parts.any { text.contains(it, ignoreCase = true) }

/** OkHttp quotes the bytes that came in place of a status line: a TLS alert begins with 21 and 3 (RFC 8446, section 5.1). */
private fun isTlsAlert(thrown: Throwable): Boolean =
    thrown is ProtocolException && thrown.message.orEmpty().contains("\u0015\u0003")
