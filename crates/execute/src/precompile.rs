//! The precompiled contracts of a fork, with a bound on their work.

use revm::context_interface::{Cfg, ContextTr};
use revm::handler::{EthPrecompiles, PrecompileProvider};
use revm::interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, AddressSet};
use saldo_chain::ExecutionFork;

use crate::bound::{Bound, PRECOMPILES};
use crate::fork::specification;
use crate::meter::Limits;
use crate::refusal::Refusal;

/// The precompiled contracts, and how much gas is left for them.
pub(crate) struct Precompiles {
    /// Those of this build.
    inner: EthPrecompiles,
    fork: ExecutionFork,
    limit: u64,
    spent: u64,
    pub(crate) refusal: Option<Refusal>,
}

impl Precompiles {
    /// `limit` is the most gas that they may spend.
    pub(crate) fn new(fork: ExecutionFork, limit: u64) -> Self {
        let inner = EthPrecompiles::new(specification(fork));
        Self { inner, fork, limit, spent: 0, refusal: None }
    }

    /// The gas that precompiled contracts spent.
    pub(crate) const fn spent(&self) -> u64 {
        self.spent
    }

    fn give_up<T>(&mut self, reason: impl Into<Refusal>) -> Result<T, String> {
        self.refusal.get_or_insert(reason.into());
        Err("the run was given up".to_owned())
    }
}

/// Whether the chain has a precompiled contract at `address` in `fork`. The list does not depend on what is built, so that a missing
/// one is noticed: else it would be an account without code, whose call succeeds and returns nothing.
fn is_precompiled(fork: ExecutionFork, address: Address) -> bool {
    let [zeros @ .., high, low] = address.0.0;
    let first = match u16::from_be_bytes([high, low]) {
        1..=9 => ExecutionFork::Paris,
        // https://eips.ethereum.org/EIPS/eip-4844
        0x0a => ExecutionFork::Cancun,
        // https://eips.ethereum.org/EIPS/eip-2537
        0x0b..=0x11 => ExecutionFork::Prague,
        // https://eips.ethereum.org/EIPS/eip-7951
        0x100 => ExecutionFork::Osaka,
        _ => return false,
    };
    zeros == [0; 18] && fork >= first
}

impl<Context: ContextTr<Cfg: Cfg<Spec = SpecId>>> PrecompileProvider<Context> for Precompiles {
    type Output = InterpreterResult;

    /// The fork was given at the start.
    fn set_spec(&mut self, _: SpecId) -> bool {
        false
    }

    /// Runs with the gas that is left for precompiled contracts, if the call has more. The code sees the gas of its call.
    fn run(
        &mut self,
        context: &mut Context,
        inputs: &CallInputs,
    ) -> Result<Option<InterpreterResult>, String> {
        let address = inputs.bytecode_address;
        let is_built = self.inner.contains(&address);
        if is_built != is_precompiled(self.fork, address) {
            return self.give_up(Refusal::Precompile { address });
        }
        if !is_built {
            return Ok(None);
        }
        let given = inputs.gas_limit.min(self.limit.saturating_sub(self.spent));
        let bounded = CallInputs { gas_limit: given, ..inputs.clone() };
        let mut result = match PrecompileProvider::<Context>::run(&mut self.inner, context, &bounded) {
            Ok(Some(result)) => result,
            Ok(None) => return Ok(None),
            Err(_) => return self.give_up(Refusal::Machine),
        };
        if result.result == InstructionResult::PrecompileOOG {
            let is_ours = given < inputs.gas_limit;
            let bound = Limits::bound(self.limit, PRECOMPILES, Bound::Precompiles);
            return self.give_up(if is_ours { bound.into() } else { Refusal::OutOfGas });
        }
        let spent = result.gas.total_gas_spent();
        self.spent = self.spent.saturating_add(spent);
        let mut gas = Gas::new_with_regular_gas_and_reservoir(inputs.gas_limit, inputs.reservoir);
        if result.is_halt() {
            gas.spend_all();
        } else if !gas.record_regular_cost(spent) {
            return self.give_up(Refusal::Machine);
        }
        result.gas = gas;
        Ok(Some(result))
    }

    fn warm_addresses(&self) -> &AddressSet {
        self.inner.warm_addresses()
    }
}

#[cfg(test)]
#[path = "precompile_tests.rs"]
mod tests;
