//! Genuine proof files, in both forms, of the histories whose heads become final: elsewhere a client does not know the committee.

use std::sync::OnceLock;

use alloy_primitives::{Address, Bytes, U256};
use saldo_beacon::{Execution, LightClient, LightClientUpdate};
use saldo_drill::Provider;
use saldo_proof::eip1186::AccountReply;
use saldo_proof_file::{BalanceProof, Committee, StateProof, Trust, TrustRoot};
use saldo_reading::{Holding, NetworkId};
use serde_json::json;

use crate::history::{ALICE, History, histories};
use crate::scene::call;

/// A genuine file, and what is true of it.
#[derive(Debug)]
pub struct Genuine {
    /// The file.
    pub bytes: Vec<u8>,
    /// What its reader trusts.
    pub trust: Trust,
    /// The history of its block.
    pub history: &'static History,
}

impl Genuine {
    /// Whether `owner` has this amount at the block `number`.
    pub fn is_true(&self, owner: Address, number: u64, amount: U256) -> bool {
        self.history.chain.balance_at(number, owner) == Some(amount)
    }
}

/// Returns the files, which are made once.
pub fn files() -> &'static [Genuine] {
    static FILES: OnceLock<Vec<Genuine>> = OnceLock::new();
    FILES.get_or_init(|| histories()[..2].iter().flat_map(files_of).collect())
}

fn files_of(history: &'static History) -> Vec<Genuine> {
    let chain = &history.chain;
    let (checkpoint, bootstrap) = history.bootstraps.last().expect("it has some").clone();
    let mut client =
        LightClient::bootstrap(history.tables[0].clone(), checkpoint, bootstrap.clone(), history.end)
            .expect("the checkpoint is genuine");
    let head = chain.optimistic_update();
    let mut updates = Vec::new();
    let (from, to) = (client.period(), chain.network().period_at(head.signature_slot));
    for ahead in 0..to.since(from).unwrap_or(0) {
        let update = chain.update(from.saturating_add(ahead)).expect("a period with an update");
        client.advance(update.clone(), history.end).expect("the update is genuine");
        updates.push(update);
    }
    client.advance(head, history.end).expect("the head is genuine");
    let signed = client.signed_update().expect("a head was signed");
    let compact = client.committee_proof(signed).expect("its committee is known");
    let complete = Committee::Complete { bootstrap: Box::new(bootstrap), updates };
    let (headers, state) = proofs(history, signed.update());
    let committees = [complete, Committee::Compact(Box::new(compact))];
    let file = |committee| {
        let network = &history.tables[0];
        let file =
            BalanceProof::new(network, committee, signed.update().clone(), headers.clone(), state.clone());
        let root = TrustRoot::Checkpoint(file.claimed_checkpoint());
        Genuine { bytes: file.encode(), trust: Trust::new(network.clone(), root), history }
    };
    committees.into_iter().map(file).collect()
}

/// The headers down to the block before the last, and Alice's account there.
fn proofs(history: &History, head: &LightClientUpdate) -> (Vec<Bytes>, StateProof) {
    let provider = Provider::honest(&history.chain);
    let raw = |hash| -> Bytes { call(&provider, "debug_getRawHeader", &json!([hash])) };
    let told = head.attested_header.execution.block_hash().expect("a block");
    let number = history.chain.signed().number;
    let mut headers = Vec::new();
    if let Execution::Hash(hash) = head.attested_header.execution {
        headers.push(raw(hash));
    }
    let parent = history.chain.block(number - 1).expect("it has a parent");
    assert_eq!(history.chain.block(number).map(|block| block.hash), Some(told));
    headers.push(raw(parent.hash));
    let at = format!("{:#x}", parent.number);
    let reply: AccountReply = call(&provider, "eth_getProof", &json!([ALICE, [], at]));
    let mut state = StateProof::new();
    state.add_holding(Holding::native(NetworkId::new(history.chain.network().chain_id()), ALICE));
    state.add_account(ALICE, reply.account_proof);
    (headers, state)
}
