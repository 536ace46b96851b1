//! Chains that were signed once, and what a light client is sent of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock};

use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_beacon::unit::{Epoch, Period, Slot, UnixTime};
use saldo_beacon::{
    Checkpoint, Execution, Fork, LightClient, LightClientBootstrap, LightClientUpdate, Network,
};
use saldo_drill::{BlockInfo, Chain};

/// Who holds something in every history.
pub const ALICE: Address = Address::repeat_byte(0xa1);

/// Slots of a period of the minimal preset.
const PERIOD: u64 = 64;
/// How long a history is.
const SLOTS: u64 = 3 * PERIOD + 20;

/// A chain, what its sources served while it went on, and what is true of it.
#[derive(Debug)]
pub struct History {
    /// The chain, at its end.
    pub chain: Chain,
    /// Tables that wallets may have of it; the first is complete.
    pub tables: Vec<Network>,
    /// What clients start from.
    pub bootstraps: Vec<(Checkpoint, LightClientBootstrap)>,
    /// Every kind of update, oldest first; some of them signed by fewer than two thirds.
    pub updates: Vec<LightClientUpdate>,
    /// The blocks that were signed, by their beacon roots.
    pub signed: BTreeMap<B256, BlockInfo>,
    /// When it ends.
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

    /// Goes on, and notes what sources serve on the way.
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

    /// Whether a head is one that was signed, and tells of the execution block that it told of then, or of none.
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

    /// The hash of the execution block that came with the beacon block at a slot.
    fn own_hash(&self, slot: Slot) -> Option<B256> {
        // Every slot has a block, and genesis is number 0.
        self.chain.block(slot.get()).map(|block| block.hash)
    }
}

/// All histories: on Fulu; from Electra through Fulu to Gloas; without finality for a while; and the first one again,
/// whose committee signs another branch as well.
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

/// The same validators sign two branches.
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

/// What always holds of a light client that was sent anything of a history, in any order and condition.
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
            LightClient::load(&bytes, client.network().clone(), now).expect("what is written can be read");
        assert!(again.snapshot() == bytes, "written back otherwise");
    }
}

/// Whether this was not asked before in this process: loading takes two pairings, and the same bytes load again.
fn is_new(bytes: &[u8]) -> bool {
    static SEEN: Mutex<BTreeSet<B256>> = Mutex::new(BTreeSet::new());
    SEEN.lock().expect("nobody panics while he holds it").insert(keccak256(bytes))
}
