//! The precompiled contracts of a fork, with a bound on their work.

use revm::context_interface::{Cfg, ContextTr};
use revm::handler::{EthPrecompiles, PrecompileProvider};
use revm::interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult};
use revm::primitives::AddressSet;
use revm::primitives::hardfork::SpecId;

use crate::bound::{Bound, PRECOMPILES};
use crate::refusal::Refusal;

/// The precompiled contracts, and how much gas is left for them.
pub(crate) struct Precompiles {
    inner: EthPrecompiles,
    left: u64,
    pub(crate) refusal: Option<Refusal>,
}

impl Precompiles {
    pub(crate) fn new(fork: SpecId) -> Self {
        Self { inner: EthPrecompiles::new(fork), left: PRECOMPILES, refusal: None }
    }

    /// The gas that precompiled contracts spent.
    pub(crate) const fn work(&self) -> u64 {
        PRECOMPILES.saturating_sub(self.left)
    }

    fn give_up<T>(&mut self, reason: impl Into<Refusal>) -> Result<T, String> {
        self.refusal.get_or_insert(reason.into());
        Err("the run was given up".to_owned())
    }
}

impl<Context: ContextTr<Cfg: Cfg<Spec = SpecId>>> PrecompileProvider<Context> for Precompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, fork: SpecId) -> bool {
        PrecompileProvider::<Context>::set_spec(&mut self.inner, fork)
    }

    /// Runs with the gas that is left for precompiled contracts, if the call has more. The code sees the gas of its call.
    fn run(
        &mut self,
        context: &mut Context,
        inputs: &CallInputs,
    ) -> Result<Option<InterpreterResult>, String> {
        if !self.inner.contains(&inputs.bytecode_address) {
            return Ok(None);
        }
        let given = inputs.gas_limit.min(self.left);
        let bounded = CallInputs { gas_limit: given, ..inputs.clone() };
        let mut result = match PrecompileProvider::<Context>::run(&mut self.inner, context, &bounded) {
            Ok(Some(result)) => result,
            Ok(None) => return Ok(None),
            Err(_) => return self.give_up(Refusal::Machine),
        };
        if result.result == InstructionResult::PrecompileOOG {
            let is_ours = given < inputs.gas_limit;
            return self.give_up(if is_ours { Bound::Precompiles.into() } else { Refusal::OutOfGas });
        }
        let spent = result.gas.total_gas_spent();
        self.left = self.left.saturating_sub(spent);
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
