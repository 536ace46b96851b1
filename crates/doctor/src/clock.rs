//! Finds out that it is this device's clock that makes data look old or certificates expired, as a balance does.

use std::collections::BTreeSet;

use saldo_source::{Endpoint, is_clock_fast};

use crate::finding::Finding;

/// What is known of one endpoint.
pub(crate) struct Seen<'a> {
    pub(crate) endpoint: &'a Endpoint,
    /// By how many seconds its clock is ahead of the device's.
    pub(crate) clock_offset: Option<i64>,
    pub(crate) findings: &'a mut Vec<Finding>,
}

/// Replaces findings that follow from this device's clock by [`Finding::ClockOff`].
pub(crate) fn blame(seen: &mut [Seen<'_>]) {
    let dated = seen.iter().filter_map(|one| Some((one.endpoint, one.clock_offset?.saturating_neg())));
    let (is_fast, is_by_certificates) = (is_clock_fast(dated), is_by_certificates(seen));
    let is_the_clock = |finding: &Finding| match finding {
        Finding::Behind { is_too_old: true, .. }
        | Finding::NoUpdates { .. }
        | Finding::OldHead { .. }
        | Finding::CheckpointTooOld => is_fast,
        Finding::NotSecure(fault) => fault.may_be_the_clock() && (is_fast || is_by_certificates),
        _ => false,
    };
    for one in seen {
        if one.findings.iter().any(is_the_clock) {
            one.findings.retain(|finding| !is_the_clock(finding) && *finding != Finding::ClockOff);
            one.findings.insert(0, Finding::ClockOff);
        }
    }
}

/// Whether several servers have certificates that are not valid at this device's time, and no other server could be reached.
fn is_by_certificates(seen: &[Seen<'_>]) -> bool {
    let mut hosts = BTreeSet::new();
    for one in seen {
        let fault = one.findings.iter().find_map(|finding| match finding {
            Finding::NotSecure(fault) => Some(fault),
            _ => None,
        });
        match fault {
            Some(fault) if fault.may_be_the_clock() => {
                let url = one.endpoint.url().expose();
                hosts.insert((url.host_str().map(str::to_owned), url.port_or_known_default()));
            }
            None if one.findings.iter().any(is_silence) => {}
            _ => return false,
        }
    }
    hosts.len() > 1
}

fn is_silence(finding: &Finding) -> bool {
    matches!(finding, Finding::Unreachable(_) | Finding::NeverAnswers)
}
