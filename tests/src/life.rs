//! A chain as a light client saw it at many moments, with a proof at each moment.

use std::sync::OnceLock;

use alloy_primitives::Address;
use saldo_beacon::{Checkpoint, LightClient, Network};
use saldo_chain::{Anchor, Chain as Headers, Level};
use saldo_drill::Chain;
use saldo_proof::{Account, StateRoot, Verified, verify_account};
use saldo_reading::{Candidate, Generation, ProviderId, join};

use crate::native;
use crate::scene::{ALICE, BEFORE, BOB};

/// A moment on a chain: the light client's state then, and a proof at each block it trusted.
pub struct Moment {
    /// The headers that the light client trusted.
    pub headers: Headers,
    /// A proof at the newest signed block, and one at the newest finalized block, if there was one.
    pub proven: Vec<Candidate>,
}

/// A chain and the moments at which a light client saw it.
pub struct Life {
    /// The chain at its end.
    pub chain: Chain,
    /// Its moments, oldest first.
    pub moments: Vec<Moment>,
}

fn proof(chain: &Chain, owner: Address, number: u64, root: StateRoot) -> Verified<Account> {
    use saldo_drill::http::{HttpRequest, Reaction, Service};
    let call = serde_json::json!({
        "jsonrpc": "2.0", "id": 1, "method": "eth_getProof", "params": [owner, [], format!("{number:#x}")],
    });
    let request = HttpRequest {
        method: "POST".into(),
        path: "/".into(),
        body: call.to_string().into_bytes(),
        ..Default::default()
    };
    let Reaction::Reply(reply) = saldo_drill::Provider::honest(chain).answer(&request) else {
        panic!("no reply")
    };
    let reply: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let reply: saldo_proof::eip1186::AccountReply = serde_json::from_value(reply["result"].clone()).unwrap();
    verify_account(root, owner, &reply.account_proof).unwrap()
}

/// The test chain, shared by all tests.
pub fn life() -> &'static Life {
    static LIFE: OnceLock<Life> = OnceLock::new();
    LIFE.get_or_init(|| life_of(3))
}

/// A chain that grows, loses its unfinalized head twice, and becomes final, as a light client saw it.
pub fn life_of(seed: u64) -> Life {
    let chain = Chain::builder(seed).tip_lead(1).accounts([(ALICE, BEFORE), (BOB, BEFORE)]).build();
    let network: Network = chain.network();
    let checkpoint: Checkpoint = chain.checkpoint();
    let mut client =
        LightClient::bootstrap(network, checkpoint, chain.bootstrap(checkpoint.root).unwrap(), chain.time())
            .unwrap();
    let mut headers = Headers::new();
    let mut moments = Vec::new();
    for step in 0_u64..60 {
        chain.set_balance(ALICE, BEFORE.saturating_add(alloy_primitives::U256::from(step)));
        if step % 17 == 11 {
            chain.reorg(3);
        } else {
            chain.advance(1);
        }
        let hand_over = chain.update(client.period()).filter(|_| !client.next_committee_known());
        for update in hand_over.into_iter().chain([chain.finality_update(), chain.optimistic_update()]) {
            // An update without anything new is refused, which does not matter here.
            let _ = client.advance(update, chain.time());
        }
        headers.follow(&client).unwrap();
        let anchors = [headers.newest(Level::Signed), headers.newest(Level::Finalized)];
        let proven = anchors.into_iter().flatten().map(|anchor| prove(&chain, anchor)).collect();
        moments.push(Moment { headers: headers.clone(), proven });
    }
    Life { chain, moments }
}

/// A proof of Alice's balance at `anchor`.
pub fn prove(chain: &Chain, anchor: &Anchor) -> Candidate {
    let account = proof(chain, ALICE, anchor.number(), anchor.state_root());
    let provider = ProviderId::new("anyone").unwrap();
    join(native(ALICE), &account, anchor, provider, Generation::FIRST).unwrap()
}

/// Alice's account, proven at `anchor`, a block of [`life`].
pub fn account_at(anchor: &Anchor) -> Verified<Account> {
    proof(&life().chain, ALICE, anchor.number(), anchor.state_root())
}
