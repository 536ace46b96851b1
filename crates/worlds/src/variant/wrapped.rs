//! The real client behind a screen that shows something else.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use alloy_primitives::{B256, U256};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Holding, UnixTime};

use crate::client::RealWallet;
use crate::wallet::{Shown, ShownAmount, ShownBlock, Wallet};

/// The defect of a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Screen {
    /// Shows zero for an unknown amount.
    Zero,
    /// Shows a claim as an amount.
    Claim,
    /// Forgets the last amount.
    Forgets,
    /// Keeps withdrawn amounts.
    Stubborn,
    /// Shows the last amount as known now.
    Stale,
}

/// The real wallet behind a screen.
pub(super) struct Wrapped {
    wallet: RealWallet,
    screen: Screen,
    /// The newest amount that was shown of each.
    shown: Mutex<BTreeMap<Holding, ShownAmount>>,
}

impl Wrapped {
    pub(super) fn new(wallet: RealWallet, screen: Screen) -> Self {
        Self { wallet, screen, shown: Mutex::default() }
    }

    fn show(&self, holding: Holding, told: Shown) -> Shown {
        let mut before = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let block = told.last.map_or(NOWHERE, |last| last.block);
        let amount = |units: U256| Some(ShownAmount { units, is_frozen: false, block });
        let shown = match self.screen {
            _ if told.amount.is_some() && self.screen != Screen::Stubborn => told,
            Screen::Zero => Shown { amount: amount(U256::ZERO), why: None, ..told },
            Screen::Claim => match told.claim {
                Some(claim) => Shown { amount: amount(claim), why: None, ..told },
                None => told,
            },
            Screen::Forgets => Shown { last: None, ..told },
            Screen::Stale => {
                Shown { amount: told.last, why: told.why.filter(|_| told.last.is_none()), ..told }
            }
            Screen::Stubborn => match before.get(&holding).copied() {
                Some(held) if told.newest().is_none_or(|now| now.block.number < held.block.number) => {
                    Shown { amount: None, last: Some(held), withdrawn: None, ..told }
                }
                _ => told,
            },
        };
        if let Some(newest) = shown.newest() {
            before.insert(holding, newest);
        }
        shown
    }
}

/// A block that does not exist.
const NOWHERE: ShownBlock =
    ShownBlock { number: 0, hash: B256::ZERO, time: UnixTime::from_secs(0), finalized: false };

impl Wallet for Wrapped {
    fn read<'a>(&'a self, holdings: &'a [Holding]) -> BoxFuture<'a, Vec<Shown>> {
        async move {
            let told = self.wallet.read(holdings).await;
            holdings.iter().zip(told).map(|(holding, told)| self.show(*holding, told)).collect()
        }
        .boxed()
    }

    fn network_changed(&self, online: bool) {
        self.wallet.network_changed(online);
    }
}
