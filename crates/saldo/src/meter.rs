//! Counts proofs, readings and answers for a recorder of the `metrics` facade, with the feature `metrics`. `docs/metrics.md` lists the
//! names. No label has an amount, an address, a URL or text from a provider.

use saldo_reading::{Failure, ProviderId, Reading, Why};

use crate::env::Env;

/// Adds one to a counter of the network. Without the feature nothing is evaluated.
macro_rules! count {
    ($env:expr, $name:literal $(, $label:literal => $value:expr)*) => {
        #[cfg(feature = "metrics")]
        metrics::counter!($name, "network" => $env.network_name() $(, $label => $value)*).increment(1);
        #[cfg(not(feature = "metrics"))]
        let _ = || ($env, $($value),*);
    };
}

/// Counts how each of the `readings` ended.
pub(crate) fn readings(env: &Env, readings: &[Reading]) {
    for reading in readings {
        let state = match reading {
            Reading::Proven(_) => "proven",
            Reading::Provisional(_) => "provisional",
            Reading::Unknown(unknown) => {
                not_known(env, unknown.why());
                "unknown"
            }
        };
        count!(env, "saldo_readings_total", "state" => state);
    }
}

/// Counts that a reading was withdrawn.
pub(crate) fn withdrawn(env: &Env) {
    count!(env, "saldo_withdrawn_total");
}

/// Counts an answer about a block, of one `kind`; `why` says why it is not proven.
pub(crate) fn answer(env: &Env, kind: &'static str, why: Option<&Why>) {
    if let Some(why) = why {
        not_known(env, why);
    }
    let outcome = if why.is_none() { "proven" } else { "not_proven" };
    count!(env, "saldo_answers_total", "kind" => kind, "outcome" => outcome);
}

/// Counts why something is not known.
fn not_known(env: &Env, why: &Why) {
    count!(env, "saldo_unknown_total", "reason" => why.code(), "fault" => why.fault().code());
}

/// Counts a proof that was checked.
pub(crate) fn proof<T>(env: &Env, provider: &ProviderId, checked: &Result<T, Failure>) {
    let outcome = match checked {
        Ok(_) => "verified",
        Err(Failure::Proof(_)) => "refused",
        // There was no proof to check.
        Err(_) => return,
    };
    count!(env, "saldo_proofs_total", "provider" => provider.to_string(), "outcome" => outcome);
}

/// Counts a question about the state of a block: `cached`, `shared` with a request that was under way, or `asked`.
pub(crate) fn question(env: &Env, way: &'static str) {
    count!(env, "saldo_questions_total", "way" => way);
}
