//! The table of forks and networks in `docs/forks.md`: each cell states what a light client with that network's table
//! really does.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use saldo_beacon::fork::HeaderLayout;
use saldo_beacon::unit::{Epoch, Slot};
use saldo_beacon::{Execution, Fork, LightClient, Network};
use saldo_chain::{Chain, ExecutionHeader, Level};
use saldo_proof::{StateRoot, verify_account};
use saldo_reading::{Generation, Holding, NetworkId, ProviderId, join};
use saldo_tests::beacon::{Block, Forge, MINIMAL_FULU, Tree};
use saldo_tests::forge::{account, leaf, nibbles};
use saldo_tests::gate::let_out;

const OWNER: Address = Address::repeat_byte(0xa1);
const WEI: U256 = U256::from_limbs([1_500_000_000, 0, 0, 0]);

/// A state with only the owner's account, and the proof of that account.
fn state() -> (B256, Vec<Vec<u8>>) {
    let empty = keccak256([0x80]);
    let value = account(3, WEI, empty, keccak256([]));
    let node = leaf(&nibbles(keccak256(OWNER).as_slice()), &value);
    (keccak256(&node), vec![node])
}

/// The header of an execution block with that state, as its provider serves it.
fn execution_header(slot: u64, state_root: B256) -> saldo_drill::ExecutionHeader {
    saldo_drill::ExecutionHeader {
        parent_hash: B256::ZERO,
        fee_recipient: Address::ZERO,
        state_root,
        number: slot,
        timestamp: slot,
        extra_data: Bytes::new(),
        prev_randao: B256::ZERO,
        base_fee_per_gas: 7,
        parent_beacon_block_root: B256::ZERO,
        slot_number: slot,
        // Only a Gloas head needs the header separately.
        fork: Fork::Gloas,
    }
}

/// The forge's block of a slot, whose execution block has the owner's state.
fn block(forge: &Forge, slot: u64, finalized: Option<&Block>) -> Block {
    let mut block = forge.block(slot, finalized.map(|block| &block.header));
    let rules = forge.network.fork_at(Slot::new(slot)).unwrap().rules();
    let (state_root, _) = state();
    let leaf = match &mut block.header.execution {
        Execution::Absent => return block,
        Execution::Header(payload) => {
            payload.state_root = state_root;
            payload.hash_tree_root()
        }
        Execution::Hash(hash) => {
            *hash = execution_header(slot, state_root).hash();
            *hash
        }
    };
    let gindex = rules.execution.unwrap();
    let body = Tree(BTreeMap::from([(gindex, leaf)]));
    block.header.beacon.body_root = body.node(1);
    block.header.execution_branch = body.branch(gindex);
    block
}

/// What a client with `table` can do with the chain's head at `slot`, if trust starts at `start`.
fn follow(forge: &Forge, table: &Network, start: u64, slot: u64) -> &'static str {
    let (checkpoint, bootstrap) = forge.bootstrap(start);
    let mut client = LightClient::bootstrap(table.clone(), checkpoint, bootstrap, forge.now(start)).unwrap();
    client.advance(forge.update_of(&block(forge, slot, None), None, None), forge.now(slot)).unwrap();
    let head = client.signed_head().unwrap();
    assert_eq!(head.slot(), Slot::new(slot));

    let mut chain = Chain::new();
    chain.follow(&client).unwrap();
    let (state_root, proof) = state();
    if let Execution::Hash(hash) = head.execution() {
        assert_eq!(chain.missing_head(Level::Signed), Some(*hash));
        let header = ExecutionHeader::from_rlp(&execution_header(slot, state_root).rlp(), *hash).unwrap();
        chain.attach(&header).unwrap();
    }
    let verified = verify_account(StateRoot::new(state_root), OWNER, &proof).unwrap();
    let Some(anchor) = chain.anchor_at_root(verified.state_root()) else { return "follows" };
    let provider = ProviderId::new("forge").unwrap();
    let first = Generation::FIRST;
    let joined =
        join(Holding::native(NetworkId::from(table), OWNER), &verified, anchor, provider, first).unwrap();
    assert_eq!(let_out(&joined, &chain).amount().base_units(), WEI);
    "proves"
}

/// The cell for a network's table and a fork: `None` if the chain never was on that fork.
fn cell(table: &Network, fork: Fork) -> Option<String> {
    let epoch_of = |fork: Fork| table.forks().iter().find(|entry| entry.fork() == Some(fork))?.epoch();
    let slots = table.slots_per_epoch();
    match epoch_of(fork) {
        Some(epoch) => {
            let later = Fork::ALL.into_iter().filter(|later| *later > fork).find_map(epoch_of);
            if later == Some(epoch) {
                return None;
            }
            let start = epoch.get().max(1) * slots;
            let forge = Forge { network: table.clone(), seed: 3 };
            assert_eq!(table.fork_at(Slot::new(start)), Ok(fork));
            Some(follow(&forge, table, start, start + 40).to_owned())
        }
        // The chain reaches the fork at a time that the client's table does not have.
        None => {
            let last = table.forks().iter().filter_map(|entry| entry.epoch()).max().unwrap();
            let epoch = last.get() + 10;
            let entry = format!("name = \"{fork}\"\n");
            let scheduled = table.to_toml().replace(&entry, &format!("{entry}epoch = {epoch}\n"));
            let network = Network::from_toml(&scheduled).unwrap();
            let start = (epoch - 2) * slots;
            assert_eq!(network.fork_at(Slot::new(epoch * slots)), Ok(fork));
            let forge = Forge { network, seed: 3 };
            let done = follow(&forge, table, start, epoch * slots + 40);
            Some(format!("{done}, at whatever time it comes"))
        }
    }
}

fn own_network(fork: Fork) -> Network {
    let mut toml = String::new();
    let later: Vec<&str> = Fork::ALL.into_iter().filter(|other| *other > fork).map(Fork::name).collect();
    for line in MINIMAL_FULU.lines() {
        if later.iter().any(|name| line.contains(&format!("\"{name}\""))) {
            continue;
        }
        let line = if line.contains("epoch") || !line.contains("version = \"0x07") {
            line.to_owned()
        } else {
            line.replace("\" }", "\", epoch = 0 }")
        };
        toml += &format!("{line}\n");
    }
    Network::from_toml(&toml).unwrap()
}

/// The document's table: rows by fork, one column per network.
fn documented_table() -> BTreeMap<String, Vec<String>> {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/forks.md")).unwrap();
    let rows =
        document.lines().skip_while(|line| *line != "| fork | mainnet | Sepolia | Hoodi | a network file |");
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .map(|mut row: Vec<String>| (row.remove(0).to_lowercase(), row))
        .collect()
}

#[test]
fn the_table_in_the_document_is_true() {
    let built_in = Network::built_in();
    let mut expected = BTreeMap::new();
    for fork in Fork::ALL {
        let mut row: Vec<Option<String>> = built_in.iter().map(|table| cell(table, fork)).collect();
        row.push(cell(&own_network(fork), fork));
        let row: Vec<String> = row.into_iter().map(|cell| cell.unwrap_or("–".into())).collect();
        expected.insert(fork.name().to_owned(), row);
    }
    assert_eq!(documented_table(), expected);
}

/// Whether a fork can prove follows from the layout of its headers.
#[test]
fn only_forks_without_execution_headers_prove_nothing() {
    for fork in Fork::ALL {
        let network = own_network(fork);
        let proves = cell(&network, fork).unwrap() == "proves";
        assert_eq!(proves, fork.rules().layout != HeaderLayout::Beacon, "{fork}");
        assert_eq!(network.fork_at(Slot::new(0)), Ok(fork));
        assert_eq!(network.forks().last().unwrap().epoch(), Some(Epoch::new(0)));
    }
}
