//! Trusted blocks, and proven accounts of their states or of others.

use std::sync::OnceLock;

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_beacon::LightClient;
use saldo_chain::{Anchor, Chain, ExecutionHeader, Level};
use saldo_drill::Provider;
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, StateRoot, Verified};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::history::{ALICE, History, histories};

/// The owners of the proven accounts: one with a balance, and one without an account.
pub const OWNERS: [Address; 2] = [ALICE, Address::repeat_byte(0x0b)];

/// A trusted block and its history.
#[derive(Debug)]
pub struct Trusted {
    /// The history of the block.
    pub history: &'static History,
    /// The block.
    pub anchor: Anchor,
}

/// Blocks and accounts that can be paired.
#[derive(Debug)]
pub struct Scene {
    /// Trusted blocks of all histories.
    pub trusted: Vec<Trusted>,
    /// Each history's chain as wallets have followed it, oldest first.
    pub chains: Vec<Vec<Chain>>,
    /// Accounts proven under the states of all histories.
    pub accounts: Vec<Verified<Account>>,
    /// The proofs of `accounts`.
    pub proofs: Vec<(Address, Vec<Bytes>)>,
}

/// Returns the scene, which is built once.
pub fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let mut scene = Scene { trusted: vec![], chains: vec![], accounts: vec![], proofs: vec![] };
        // Without the history that contradicts itself: there, two amounts are true.
        for history in &histories()[..3] {
            scene.add(history);
        }
        scene
    })
}

impl Scene {
    fn add(&mut self, history: &'static History) {
        let provider = Provider::honest(&history.chain);
        let (checkpoint, bootstrap) = history.bootstraps[0].clone();
        let mut client =
            LightClient::bootstrap(history.tables[0].clone(), checkpoint, bootstrap, history.end)
                .expect("the checkpoint is genuine");
        let (mut chain, mut followed) = (Chain::new(), Vec::new());
        for update in &history.updates {
            let Ok(advanced) = client.advance(update.clone(), history.end) else { continue };
            if !advanced.signed && !advanced.finalized {
                continue;
            }
            chain.follow(&client).expect("the chain does not contradict itself");
            for level in [Level::Signed, Level::Finalized] {
                while let Some(hash) = chain.missing_head(level) {
                    if chain.attach(&header(&provider, hash)).is_err() {
                        break;
                    }
                }
            }
            if let Some(down_to) = chain.newest(Level::Signed).map(|newest| newest.number().saturating_sub(2))
            {
                while let Some((_, hash)) = chain.missing_parent(down_to) {
                    chain.attach(&header(&provider, hash)).expect("it was asked for");
                }
            }
            let anchors = [Level::Signed, Level::Finalized].map(|level| chain.newest(level).cloned());
            for anchor in anchors.into_iter().flatten() {
                self.prove(&provider, &anchor);
                self.trusted.push(Trusted { history, anchor });
            }
            followed.push(chain.clone());
        }
        self.chains.push(followed);
    }

    fn prove(&mut self, provider: &Provider, anchor: &Anchor) {
        for owner in OWNERS {
            let proof: AccountReply =
                call(provider, "eth_getProof", &json!([owner, [], format!("{:#x}", anchor.number())]));
            self.accounts.push(proof.verify(anchor.state_root(), owner).expect("the proof is genuine"));
            self.proofs.push((owner, proof.account_proof));
        }
    }
}

/// Returns the true balance of `owner` at `anchor`, a block of `history`.
pub fn balance_at(history: &History, anchor: &Anchor, owner: Address) -> U256 {
    history.chain.balance_at(anchor.number(), owner).expect("the block is of this chain")
}

/// Whether the root is the state root of a block of any history.
pub fn is_of_a_history(root: StateRoot) -> bool {
    scene().accounts.iter().any(|account| account.state_root() == root)
}

fn header(provider: &Provider, hash: B256) -> ExecutionHeader {
    let rlp: Bytes = call(provider, "debug_getRawHeader", &json!([hash]));
    ExecutionHeader::from_rlp(&rlp, hash).expect("the header is genuine")
}

/// Returns an honest provider's answer.
pub fn answer(provider: &Provider, method: &str, params: &Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let request = HttpRequest { method: "POST".into(), body: body.to_string().into(), ..Default::default() };
    match provider.answer(&request) {
        Reaction::Reply(reply) => serde_json::from_slice(&reply.body).expect("JSON"),
        other => panic!("expected an answer of the honest provider, got {other:?}"),
    }
}

/// Returns an honest provider's answer, read.
pub fn call<T: DeserializeOwned>(provider: &Provider, method: &str, params: &Value) -> T {
    let result = answer(provider, method, params)["result"].take();
    serde_json::from_value(result).expect("the result has the type of the method")
}
