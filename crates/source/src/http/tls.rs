//! What is wrong with a connection that should be secure. Nothing that the server wrote is kept.

use std::error::Error;

use rustls::{AlertDescription, CertificateError, Error as RustlsError, InvalidMessage, PeerIncompatible};
use saldo_beacon::unit::UnixTime;

use crate::transport::{TlsFault, TransportError};

/// The fault behind a refused handshake.
pub(super) fn fault(error: &RustlsError) -> TransportError {
    let fault = match error {
        RustlsError::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer => TlsFault::UntrustedIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFault::OtherName
            }
            CertificateError::Expired => TlsFault::Expired { since: None },
            CertificateError::ExpiredContext { not_after, .. } => {
                TlsFault::Expired { since: Some(UnixTime::from_secs(not_after.as_secs())) }
            }
            CertificateError::NotValidYet => TlsFault::NotYetValid { from: None },
            CertificateError::NotValidYetContext { not_before, .. } => {
                TlsFault::NotYetValid { from: Some(UnixTime::from_secs(not_before.as_secs())) }
            }
            CertificateError::Revoked => TlsFault::Revoked,
            CertificateError::Other(error) if is_own_issuer(error.0.as_ref()) => TlsFault::UntrustedIssuer,
            _ => return TransportError::Tls,
        },
        RustlsError::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | RustlsError::AlertReceived(AlertDescription::ProtocolVersion) => TlsFault::OldVersion,
        // The first byte is that of no TLS record, for example the H of HTTP.
        RustlsError::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => TlsFault::PlainHttp,
        _ => return TransportError::Tls,
    };
    TransportError::Unsecured(fault)
}

/// Whether the server sent a certificate that is its own issuer, which no store of issuers has.
fn is_own_issuer(error: &(dyn Error + 'static)) -> bool {
    // The verifier's error type is not public in rustls; its text is one word of its own.
    error.to_string().contains("CaUsedAsEndEntity")
}

/// Whether a server answered a plain HTTP request with a TLS record: an alert that it expects a handshake.
pub(super) fn is_record(cause: &(dyn Error + 'static)) -> bool {
    // Hyper's error type is not public in reqwest; its text begins with words of its own.
    cause.to_string().starts_with("invalid HTTP version")
}

/// Whether a server of HTTPS says in plain HTTP that it expects TLS: what Go, nginx and Apache answer.
pub(super) fn asks_for_tls(status: u16, body: &[u8]) -> bool {
    /// Longer than those pages.
    const LONGEST: usize = 2_048;
    const SIGNS: [&str; 3] = [
        "an HTTP request to an HTTPS server",
        "plain HTTP request was sent to HTTPS port",
        "speaking plain HTTP to an SSL-enabled",
    ];
    let text = || String::from_utf8_lossy(body);
    status == 400 && body.len() <= LONGEST && SIGNS.iter().any(|sign| text().contains(sign))
}
