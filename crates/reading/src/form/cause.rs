//! Reasons, attempts and freshness in serialised forms.

use serde::{Serialize, Serializer};

use crate::failure::{Attempt, Role};
use crate::freshness::Freshness;
use crate::provider::ProviderId;
use crate::why::Why;

#[derive(Serialize)]
struct WhyForm<'a> {
    code: &'a str,
    detail: String,
    fault: &'a str,
    needs_action: bool,
    retry_after_seconds: Option<u64>,
    next_step: &'a str,
}

/// As `why` of `saldo.reading/1`. `detail` and `next_step` are for people.
impl Serialize for Why {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = WhyForm {
            code: self.code(),
            detail: self.to_string(),
            fault: self.fault().code(),
            needs_action: self.needs_action(),
            retry_after_seconds: self.retry_after().map(|after| after.as_secs()),
            next_step: self.next_step(),
        };
        form.serialize(serializer)
    }
}

#[derive(Serialize)]
struct AttemptForm<'a> {
    provider: &'a ProviderId,
    role: Role,
    outcome: &'a str,
    detail: String,
    ms: u64,
    over_policy: bool,
}

/// As one of `attempts` of `saldo.reading/1`.
impl Serialize for Attempt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = AttemptForm {
            provider: &self.provider,
            role: self.role,
            outcome: self.outcome.code(),
            detail: self.outcome.to_string(),
            ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            over_policy: self.over_policy,
        };
        form.serialize(serializer)
    }
}

/// As its code.
impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// As its code, without the age: an age is only true at the moment when it was computed.
impl Serialize for Freshness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
