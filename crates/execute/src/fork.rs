//! The rules of a fork, as the virtual machine names them.

use revm::primitives::hardfork::SpecId;
use saldo_chain::ExecutionFork;

pub(crate) const fn specification(fork: ExecutionFork) -> SpecId {
    match fork {
        ExecutionFork::Paris => SpecId::MERGE,
        ExecutionFork::Shanghai => SpecId::SHANGHAI,
        ExecutionFork::Cancun => SpecId::CANCUN,
        ExecutionFork::Prague => SpecId::PRAGUE,
        ExecutionFork::Osaka => SpecId::OSAKA,
        ExecutionFork::Amsterdam => SpecId::AMSTERDAM,
    }
}
