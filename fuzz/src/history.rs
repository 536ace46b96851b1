//! Signed chains, and the objects of them that a light client gets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock};

use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_beacon::unit::{Epoch, Period, Slot, UnixTime};
use saldo_beacon::{
    Checkpoint, Execution, Fork, LightClient, LightClientBootstrap, LightClientUpdate, Network,
};
use saldo_drill::{BlockInfo, Chain};

/// An address that has a balance in every history.
pub const ALICE: Address = Address::repeat_byte(0xa1);

/// Slots of a period of the minimal preset.
const PERIOD: u64 = 64;
/// The length of a history, in slots.
const SLOTS: u64 = 3 * PERIOD + 20;

/// A chain, the objects that its sources served, and what is true of it.
#[derive(Debug)]
pub struct History {
    /// The chain, at its end.
    pub chain: Chain,
    /// Tables that wallets can have of the chain. The first is complete.
    pub tables: Vec<Network>,
    /// Checkpoints and bootstraps that clients start from.
    pub bootstraps: Vec<(Checkpoint, LightClientBootstrap)>,
    /// Every kind of update, oldest first; some of them signed by fewer than two thirds.
    pub updates: Vec<LightClientUpdate>,
    /// The blocks that were signed, by their beacon roots.
    pub signed: BTreeMap<B256, BlockInfo>,
    /// The time of its end.
    pub end: UnixTime,
}

impl History {
    fn of(chain: Chain, unscheduled: Option<Fork>) -> Self {
        let mut tables = vec![chain.network()];
        if let Some(fork) = unscheduled {
            tables.extend([chain.network_before(fork), chain.network_without(fork)]);
        }
        let mut history = Self {
            tables,
            bootstraps: Vec::new(),
            updates: Vec::new(),
            signed: BTreeMap::new(),
            end: chain.time(),
            chain,
        };
        history.go_on(SLOTS);
        history
    }

    /// Continues the chain, and collects the objects that sources serve.
    fn go_on(&mut self, slots: u64) {
        let chain = &self.chain;
        for slot in 0..slots {
            chain.set_balance(ALICE, U256::from(1_000 + slot));
            chain.advance(1);
            for block in [chain.signed(), chain.finalized()] {
                self.signed.insert(block.beacon_root, block);
            }
            if slot % 7 == 0 {
                self.updates.extend([chain.finality_update(), chain.optimistic_update()]);
            }
            if slot % 24 == 0 {
                let period = chain.network().period_at(chain.slot());
                self.updates.extend(chain.update(period));
                let too_few = [1, 21].into_iter().zip([chain.update(period), Some(chain.finality_update())]);
                self.updates.extend(too_few.filter_map(|(signers, update)| {
                    let mut update = update?;
                    chain.sign(&mut update, signers);
                    Some(update)
                }));
                let checkpoint = chain.checkpoint();
                self.bootstraps
                    .extend(chain.bootstrap(checkpoint.root).map(|bootstrap| (checkpoint, bootstrap)));
            }
        }
        let periods = (0..=chain.network().period_at(chain.slot()).get()).map(Period::new);
        self.updates.extend(periods.filter_map(|period| chain.update(period)));
        self.end = chain.time();
    }

    /// Whether a head was signed, and has the execution block that it had then, or none.
    pub fn is_true(&self, root: B256, slot: Slot, execution: &Execution) -> bool {
        self.signed.get(&root).is_some_and(|block| {
            let told = match execution {
                Execution::Absent => true,
                Execution::Hash(hash) => *hash == block.hash || self.own_hash(slot) == Some(*hash),
                Execution::Header(header) => {
                    (header.block_hash, header.state_root, header.block_number)
                        == (block.hash, block.state_root, block.number)
                }
            };
            block.slot == slot && told
        })
    }

    /// Returns the hash of the execution block of the beacon block at a slot.
    fn own_hash(&self, slot: Slot) -> Option<B256> {
        // Every slot has a block, and genesis is number 0.
        self.chain.block(slot.get()).map(|block| block.hash)
    }
}

/// Returns all histories: on Fulu; from Electra through Fulu to Gloas; without finality for a while; and the first one
/// again, with a committee that also signs another branch.
pub fn histories() -> &'static [History] {
    static HISTORIES: OnceLock<Vec<History>> = OnceLock::new();
    HISTORIES.get_or_init(|| {
        let builder = |seed| Chain::builder(seed).accounts([(ALICE, U256::from(1))]);
        let forks = builder(2).fork(Fork::Electra);
        let forks = forks.fork_at(Fork::Fulu, Epoch::new(9)).fork_at(Fork::Gloas, Epoch::new(15));
        let stalled = History::of(builder(3).fork(Fork::Deneb).build(), None);
        stalled.chain.stall_finality(true);
        let mut stalled = stalled;
        stalled.go_on(2 * PERIOD);
        vec![
            History::of(builder(1).build(), None),
            History::of(forks.build(), Some(Fork::Gloas)),
            stalled,
            contradiction(builder(1).build()),
        ]
    })
}

/// Makes a history in which the same validators sign two branches.
fn contradiction(chain: Chain) -> History {
    let mut one = History::of(chain, None);
    let mut other = History {
        chain: one.chain.split(),
        tables: Vec::new(),
        bootstraps: Vec::new(),
        updates: Vec::new(),
        signed: BTreeMap::new(),
        end: one.end,
    };
    one.go_on(PERIOD);
    other.go_on(PERIOD);
    one.updates.append(&mut other.updates);
    one.signed.append(&mut other.signed);
    one
}

/// Checks what must hold for every light client that got objects of a history, in any order and changed in any way.
///
/// # Panics
/// If it does not hold.
pub fn assert_sound(client: &LightClient, history: &History, now: UnixTime) {
    let finalized = client.finalized_head();
    assert!(
        history.is_true(finalized.beacon_root(), finalized.slot(), finalized.execution()),
        "{finalized:?}"
    );
    if let Some(head) = client.signed_head() {
        assert!(head.signers() * 3 >= head.committee_size() * 2, "{head:?}");
        assert!(head.signature_slot() > head.slot());
        assert!(history.is_true(head.beacon_root(), head.slot(), head.execution()), "{head:?}");
    }
    let bytes = client.snapshot();
    if is_new(&[client.network().to_toml().as_bytes(), &bytes].concat()) {
        let again =
            LightClient::load(&bytes, client.network().clone(), now).expect("a snapshot can be loaded");
        assert!(again.snapshot() == bytes, "written back to other bytes");
    }
}

/// Whether this process sees these bytes for the first time. Loading costs two pairings, and the same bytes load again.
fn is_new(bytes: &[u8]) -> bool {
    static SEEN: Mutex<BTreeSet<B256>> = Mutex::new(BTreeSet::new());
    SEEN.lock().expect("no thread panics while it holds the lock").insert(keccak256(bytes))
}
