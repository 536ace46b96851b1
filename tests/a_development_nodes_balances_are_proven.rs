//! A temporary committee signs the blocks of a development node, so that a wallet gets proven readings from it. The
//! node may be idle, go back, or be reset. `tests/attach/run` does the same with anvil, hardhat, ganache and geth.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use saldo::{Address, Client, Endpoint, Policy, Reading, UnixTime};
use saldo_drill::attach::{AttachError, Attached, NodeError, Noticed, Signing};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::simulate::Simulation;
use saldo_drill::{Chain, Fault, Provider};
use serde_json::Value;

const OWNER: Address = Address::repeat_byte(0xa1);
const SLOT: Duration = Duration::from_secs(1);

/// A node that mines on request: its chain does not follow the time.
#[derive(Clone)]
struct Node {
    chain: Chain,
    provider: Provider,
    serves_evm_mine: bool,
}

impl Node {
    fn new(chain_id: u64, history: u64) -> Self {
        let builder = Chain::builder(3).chain_id(chain_id).history(history);
        let chain = builder.accounts([(OWNER, U256::from(10))]).build();
        Self { provider: Provider::honest(&chain), chain, serves_evm_mine: true }
    }

    /// A drill chain has at least one block after block 0. With a lag of one block the provider shows only block 0.
    fn at_block_0() -> Self {
        let node = Self::new(31337, 0);
        node.provider.set_lag(1);
        node
    }
}

impl Service for Node {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let call: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if call["method"] == "evm_mine" && self.serves_evm_mine {
            self.chain.advance(1);
            return Reaction::Reply(Reply::json(
                200,
                &serde_json::json!({ "id": call["id"], "result": "0x0" }),
            ));
        }
        self.provider.answer(request)
    }

    fn refuses(&self) -> bool {
        self.provider.refuses()
    }
}

struct World {
    simulation: Simulation,
    node: Node,
    attached: Attached,
    client: Client,
}

impl World {
    fn new(finality: bool) -> Self {
        Self::with(Node::new(31337, 5), finality)
    }

    fn with(node: Node, finality: bool) -> Self {
        // The simulation needs only this chain's time; the node's own chain does not advance.
        let simulation =
            Simulation::new(1, &Chain::builder(99).genesis_time(UnixTime::from_secs(1_790_000_000)).build());
        let internet = simulation.internet();
        internet.register("https://node.test", node.clone());
        let attached = attach(&simulation, finality).unwrap();
        internet.register("https://committee.test", attached.beacon());
        let client = Client::builder(attached.network())
            .policy(Policy::signed())
            .transport(internet)
            .clock(simulation.clock())
            .rpc("node=https://node.test")
            .beacon("committee=https://committee.test")
            .build()
            .unwrap();
        Self { simulation, node, attached, client }
    }

    /// Lets that many slots pass, and returns everything that `follow` noticed.
    fn pass(&mut self, slots: u32) -> Result<Vec<Noticed>, AttachError> {
        let mut noticed = Vec::new();
        for _ in 0..slots {
            self.simulation.pass(SLOT);
            let now = self.simulation.clock().true_time();
            match self.simulation.run(self.attached.follow(now))? {
                Noticed::Nothing => {}
                something => noticed.push(something),
            }
        }
        Ok(noticed)
    }

    fn read(&self) -> Reading {
        self.simulation.run(self.client.balance(OWNER))
    }

    #[track_caller]
    fn expect(&self, wei: u64) -> u64 {
        let reading = self.read();
        let proven = reading.proven().unwrap_or_else(|| panic!("{reading:?}"));
        assert_eq!(proven.amount().base_units(), U256::from(wei));
        proven.anchor().number()
    }
}

fn attach(simulation: &Simulation, finality: bool) -> Result<Attached, AttachError> {
    let endpoint = Endpoint::new("https://node.test").unwrap();
    let signing = Signing { slot: SLOT, finality };
    let now = simulation.clock().true_time();
    simulation.run(Attached::to(endpoint, Arc::new(simulation.internet()), signing, now))
}

#[test]
fn a_balance_is_proven_and_a_mined_change_two_slots_later() {
    let mut world = World::new(false);
    assert_eq!(world.expect(10), 5);
    world.node.chain.set_balance(OWNER, U256::from(25));
    world.node.chain.advance(3);
    assert_eq!(world.pass(2), Ok(vec![Noticed::Newer { number: 8 }]));
    assert_eq!(world.expect(25), 8);
}

#[test]
fn an_idle_node_is_not_out_of_date() {
    [false, true].into_iter().for_each(an_idle_node_is_not_out_of_date_with);
}

fn an_idle_node_is_not_out_of_date_with(finality: bool) {
    let mut world = World::new(finality);
    world.expect(10);
    assert_eq!(world.pass(900), Ok(vec![]));
    let reading = world.read();
    let proven = reading.proven().unwrap_or_else(|| panic!("{reading:?}"));
    let age = world.client.now().age_of(proven.anchor().timestamp()).expect("the clock is right");
    // The timestamp of a final block is the time at which it was last signed as final.
    assert!(age <= if finality { 26 * SLOT } else { 3 * SLOT }, "{age:?}");
    // The same block is signed again and again: each time it is proven, also by a client that has proven it before.
    for _ in 0..30 {
        world.pass(1).unwrap();
        world.expect(10);
    }
}

#[test]
fn a_block_that_the_node_removes_is_withdrawn() {
    let mut world = World::new(false);
    world.expect(10);
    world.node.chain.set_balance(OWNER, U256::from(25));
    world.node.chain.advance(1);
    world.pass(3).unwrap();
    assert_eq!(world.expect(25), 6);
    // As after evm_revert: the block and its changes are gone.
    world.node.chain.reorg(1);
    let noticed = world.pass(3).unwrap();
    assert!(matches!(noticed.as_slice(), [Noticed::WentBack { from: 6, .. }]), "{noticed:?}");
    world.expect(10);
    assert!(world.client.consensus_fault().is_none());
}

#[test]
fn a_node_that_goes_back_before_a_final_block_was_reset() {
    let mut world = World::new(true);
    world.expect(10);
    world.node.chain.advance(4);
    // This is long enough for block 9 to become final.
    world.pass(40).unwrap();
    world.node.chain.reorg(2);
    assert_eq!(world.pass(1), Err(AttachError::Reset { number: 9 }));
}

#[test]
fn a_restarted_node_was_reset() {
    let mut world = World::new(false);
    world.expect(10);
    let another = Chain::builder(4).history(5).build();
    world.simulation.internet().register("https://node.test", Provider::honest(&another));
    assert_eq!(world.pass(1), Err(AttachError::Reset { number: 4 }));
}

#[test]
fn an_unreachable_nodes_blocks_are_not_signed() {
    let mut world = World::new(false);
    world.expect(10);
    world.node.provider.set(Fault::Refuse);
    let error = world.pass(1).unwrap_err();
    assert!(matches!(error, AttachError::Node(NodeError::Unreachable(_))), "{error:?}");
    world.simulation.pass(Duration::from_secs(1_000));
    assert!(world.read().proven().is_none(), "the present balance is unknown");
    world.node.provider.clear();
    assert_eq!(world.pass(2), Ok(vec![]));
    world.expect(10);
}

#[test]
fn a_built_in_network_is_refused_by_name() {
    for (chain_id, name) in [(1, "mainnet"), (11_155_111, "sepolia"), (560_048, "hoodi")] {
        let simulation = Simulation::new(1, &Chain::new(1));
        simulation.internet().register("https://node.test", Node::new(chain_id, 5));
        let error = attach(&simulation, false).unwrap_err();
        assert_eq!(error, AttachError::BuiltIn { name: name.to_owned(), chain_id });
    }
}

/// Some nodes cannot prove the state of block 0.
#[test]
fn a_node_at_block_0_must_mine_a_block() {
    let simulation = Simulation::new(1, &Chain::new(1));
    simulation.internet().register("https://node.test", Node::at_block_0());
    let attached = attach(&simulation, false).unwrap();
    assert_eq!((attached.mined(), attached.number()), (true, 1));
}

/// As geth: its first block can be proven, and it mines when a transaction comes.
#[test]
fn a_node_that_does_not_mine_on_request_is_followed_from_block_0() {
    let mut world = World::with(Node { serves_evm_mine: false, ..Node::at_block_0() }, false);
    assert_eq!((world.attached.mined(), world.attached.number()), (false, 0));
    assert_eq!(world.expect(10), 0);
    // Its first block is the final one, whose time stays: it is too old after some minutes without another.
    assert_eq!(world.pass(200), Ok(vec![]));
    assert_eq!(world.expect(10), 0);
    world.node.chain.set_balance(OWNER, U256::from(25));
    world.node.chain.advance(1);
    world.node.provider.set_lag(0);
    assert_eq!(world.pass(2), Ok(vec![Noticed::Newer { number: 2 }]));
    assert_eq!(world.expect(25), 2);
}

#[test]
fn a_node_that_refuses_the_host_name_or_the_key_says_so() {
    for status in [401, 403, 407] {
        let simulation = Simulation::new(1, &Chain::new(1));
        let node = Node::new(31337, 5);
        node.provider.set(Fault::Status(status));
        simulation.internet().register("https://node.test", node);
        let error = attach(&simulation, false).unwrap_err();
        assert_eq!(error, AttachError::Node(NodeError::Denied { status }));
    }
}

#[test]
fn another_server_is_told_from_an_unreachable_node() {
    let simulation = Simulation::new(1, &Chain::new(1));
    let error = attach(&simulation, false).unwrap_err();
    assert!(matches!(error, AttachError::Node(NodeError::Unreachable(_))), "{error:?}");
    let web_server = Provider::honest(&Chain::new(2)).with(Fault::Html);
    simulation.internet().register("https://node.test", web_server);
    let error = attach(&simulation, false).unwrap_err();
    assert_eq!(error, AttachError::Node(NodeError::NoAnswer { method: "eth_chainId" }));
}
