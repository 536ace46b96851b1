//! What a reading must satisfy, by the options of the command.

use saldo::{Level, Policy};

use super::{ClientOptions, EndpointChoice};

/// The policy of a network with a committee. If the user did not name it, it only serves rollups, and their policy says how old a
/// block may be.
pub(super) fn of_network(options: &ClientOptions<'_>, rpc: &EndpointChoice, is_named: bool) -> Policy {
    let policy = match options.is_finalized && is_named {
        true => of(options, rpc, Policy::finalized()),
        false => of(options, rpc, Policy::signed()),
    };
    let max_age = if is_named { policy.max_age } else { Policy::signed().max_age };
    Policy { max_age, ..policy }
}

/// The policy of a rollup.
pub(super) fn of_rollup(options: &ClientOptions<'_>, rpc: &EndpointChoice) -> Policy {
    let base = Policy::rollup();
    let base = match options.is_finalized {
        true => Policy { assurance: Level::L1Finalized, ..base.at(Level::L1Finalized) },
        false => base,
    };
    of(options, rpc, base)
}

fn of(options: &ClientOptions<'_>, rpc: &EndpointChoice, base: Policy) -> Policy {
    let operators_per_address = match options.operators {
        Some(operators) => operators.get(),
        None if rpc.is_listed() => base.operators_per_address,
        // A user who names providers lets all of them see the address.
        None => usize::MAX,
    };
    let deadline = match options.is_timeout_given {
        true => options.timeout,
        false => options.timeout.max(base.deadline),
    };
    Policy {
        max_age: options.max_age.unwrap_or(base.max_age),
        deadline,
        operators_per_address,
        // The user chose this number, or the notice states it as the maximum: the limit must hold.
        strict: rpc.is_listed() || options.operators.is_some(),
        ..base
    }
}
