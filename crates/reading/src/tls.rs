//! Why a connection could not be secured.

use std::fmt;

use saldo_beacon::unit::UnixTime;

/// Why a connection could not be secured. It says what this device found, and nothing that the server wrote: neither names nor
/// the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// The certificate is from an issuer that this device does not trust, or from the server itself. Fault: the network in
    /// between (a company's proxy, a protection program, an attacker), or the provider.
    UntrustedIssuer,
    /// The certificate is for other host names. Fault: the URL, the provider, or the network in between.
    OtherName,
    /// The certificate has expired, by this device's clock. Fault: the provider, or the device's clock.
    Expired {
        /// When it expired, where that is known.
        since: Option<UnixTime>,
    },
    /// The certificate is not valid yet, by this device's clock. Fault: the device's clock, or the provider.
    NotYetValid {
        /// From when it is valid, where that is known.
        from: Option<UnixTime>,
    },
    /// The issuer has revoked the certificate. Fault: the provider.
    Revoked,
    /// The server has no TLS 1.2 or later. Fault: the provider.
    OldVersion,
    /// The server speaks no TLS at this port, though the URL begins with `https`. Fault: the URL, or the network in between.
    PlainHttp,
    /// The server expects TLS at this port, though the URL begins with `http`. Fault: the URL.
    TlsExpected,
}

impl TlsFault {
    /// Returns a stable name, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UntrustedIssuer => "tls_untrusted_issuer",
            Self::OtherName => "tls_other_name",
            Self::Expired { .. } => "tls_expired",
            Self::NotYetValid { .. } => "tls_not_yet_valid",
            Self::Revoked => "tls_revoked",
            Self::OldVersion => "tls_old_version",
            Self::PlainHttp => "tls_plain_http",
            Self::TlsExpected => "tls_expected",
        }
    }

    /// Returns what to do about it, in one sentence. Trying again does not help with any of them.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::UntrustedIssuer => {
                "If a company's proxy or a protection program inspects this network, add its root certificate to the \
                 system's store or name it in SSL_CERT_FILE; else use another network."
            }
            Self::OtherName => "Check the host in the URL; if it is right, use another network or provider.",
            Self::Expired { .. } => {
                "Check this device's date; if it is right, the operator must renew the certificate: use another provider."
            }
            Self::NotYetValid { .. } => "Set this device's clock; if it is right, use another provider.",
            Self::Revoked => "Use another provider: the issuer has revoked this certificate.",
            Self::OldVersion => "Use another provider: this server has no TLS 1.2 or later.",
            Self::PlainHttp => {
                "Check the URL: the port speaks plain HTTP, or the network answers in place of the server."
            }
            Self::TlsExpected => "Write https:// instead of http:// in the URL.",
        }
    }

    /// Whether a wrong clock of this device explains it.
    pub fn may_be_the_clock(&self) -> bool {
        matches!(self, Self::Expired { .. } | Self::NotYetValid { .. })
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UntrustedIssuer => {
                f.write_str("the server's certificate is from an issuer that this device does not trust")
            }
            Self::OtherName => f.write_str("the server's certificate is for other host names"),
            Self::Expired { since } => {
                f.write_str("the server's certificate has expired")?;
                since.map_or(Ok(()), |since| write!(f, ", on {since}"))
            }
            Self::NotYetValid { from } => {
                f.write_str("the server's certificate is not valid yet by this device's clock")?;
                from.map_or(Ok(()), |from| write!(f, ", but from {from} on"))
            }
            Self::Revoked => f.write_str("the server's certificate was revoked by its issuer"),
            Self::OldVersion => f.write_str("the server has no TLS 1.2 or later"),
            Self::PlainHttp => {
                f.write_str("the server does not speak TLS at this port, as https:// needs it")
            }
            Self::TlsExpected => {
                f.write_str("the server expects TLS at this port, and the URL begins with http://")
            }
        }
    }
}
