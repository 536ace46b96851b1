//! How far L1 stands behind a block of a rollup, as it is stored.

use alloy_primitives::{Address, B256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use saldo_beacon::unit::UnixTime;

use super::error::StoredAnchorError;
use crate::rollup::vouched::{Pause, Provers, Vouched};

#[derive(RlpEncodable, RlpDecodable)]
pub(super) struct StoredVouched {
    is_final: bool,
    game: Address,
    game_type: u32,
    provers: u8,
    is_pause_checked: bool,
    l1_number: u64,
    l1_hash: B256,
    l1_time: u64,
}

const PROVERS: [Provers; 4] = [Provers::None, Provers::Tee, Provers::Zk, Provers::Both];

impl StoredVouched {
    pub(super) fn of(vouched: &Vouched) -> Self {
        let (l1_number, l1_hash, l1_time) = vouched.l1();
        let provers = PROVERS.iter().position(|provers| *provers == vouched.provers());
        Self {
            is_final: vouched.level().is_strongest(),
            game: vouched.game(),
            game_type: vouched.game_type(),
            provers: provers.and_then(|place| u8::try_from(place).ok()).unwrap_or_default(),
            is_pause_checked: vouched.pause() == Pause::NotPaused,
            l1_number,
            l1_hash,
            l1_time: l1_time.as_secs(),
        }
    }

    pub(super) fn read(&self) -> Result<Vouched, StoredAnchorError> {
        let provers = PROVERS.get(usize::from(self.provers)).copied();
        let provers = provers.ok_or(StoredAnchorError::Malformed)?;
        let pause = if self.is_pause_checked { Pause::NotPaused } else { Pause::NotChecked };
        let l1 = (self.l1_number, self.l1_hash, UnixTime::from_secs(self.l1_time));
        let (is_final, game, game_type) = (self.is_final, self.game, self.game_type);
        Ok(Vouched { is_final, game, game_type, provers, pause, l1 })
    }
}
