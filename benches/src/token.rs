//! The balance of a token with a known layout, compared with the keccak hashes of its proofs.

use std::collections::BTreeSet;
use std::hint::black_box;

use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use saldo_proof::eip1186::{AccountReply, StorageReply};
use saldo_proof::{ProvenState, StateRoot, claimed_root, verify_accounts};
use saldo_token::VerifiedBalance;
use serde::Deserialize;

use crate::proof::{hash_all, peer_verifies, value};
use crate::row::{Bound, Row, Work};
use crate::{Missing, vector};

const TOKEN: Address = address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
const IMPLEMENTATION: Address = address!("43506849D7C04F9138D1A2050bbF3A0c054402dd");
const HOLDER: Address = address!("37305B1cD40574E4C5Ce33f8e8306Be057fD7341");
const AMOUNT: u64 = 4_996_521_887_269_694;
/// The owner of the proxy, whose slot the real reply has too. The balance does not need it.
const OWNER_SLOT: B256 =
    alloy_primitives::b256!("10d6a54a4754c8869d6886b5f5d7fbfa5b4522237ea5c60d11bc4e7a1ff9390b");

#[derive(Deserialize)]
struct Reply {
    result: AccountReply,
}

/// A trie's root, a key of it, its value, and the nodes that prove it.
type Proof = (B256, B256, Option<Vec<u8>>, Vec<Bytes>);

/// Real proofs of USDC and of its implementation at one block of mainnet.
struct Usdc {
    root: B256,
    accounts: [(Address, Vec<Bytes>); 2],
    slots: Vec<StorageReply>,
    storage_root: B256,
}

impl Usdc {
    fn read() -> Result<Self, Missing> {
        let reply = |file| -> Result<AccountReply, Missing> {
            let folder = "e2e/mainnet-deneb-11412861-usdc-balance";
            Ok(vector::json::<Reply>(&format!("{folder}/{file}"))?.result)
        };
        let (token, code) = (reply("eth_getProof_1.json")?, reply("eth_getProof_0.json")?);
        let is_needed = |slot: &StorageReply| B256::from(slot.key) != OWNER_SLOT;
        Ok(Self {
            root: claimed_root(&token.account_proof)?.get(),
            storage_root: token.storage_hash.ok_or("no storage hash")?,
            slots: token.storage_proof.into_iter().filter(is_needed).collect(),
            accounts: [(TOKEN, token.account_proof), (IMPLEMENTATION, code.account_proof)],
        })
    }

    /// All proofs, each on its own.
    fn proofs(&self) -> Result<Vec<Proof>, Missing> {
        let accounts = self.accounts.iter().map(|(address, nodes)| (self.root, keccak256(address), nodes));
        let slots =
            self.slots.iter().map(|slot| (self.storage_root, keccak256(B256::from(slot.key)), &slot.proof));
        let proof = |(root, key, nodes): (B256, B256, &Vec<Bytes>)| {
            Ok((root, key, value(root, key, nodes)?, nodes.clone()))
        };
        accounts.chain(slots).map(proof).collect()
    }

    /// The amount that the proofs show.
    fn amount(&self) -> Option<U256> {
        let root = StateRoot::new(black_box(self.root));
        let proofs = self.accounts.each_ref().map(|(address, nodes)| (*address, nodes.as_slice()));
        let mut accounts = verify_accounts(root, black_box(&proofs)).into_iter();
        let mut state = ProvenState::new(root);
        let (token, code) = (accounts.next()?.ok()?, accounts.next()?.ok()?);
        state.add_account(&token).ok()?;
        state.add_account(&code).ok()?;
        let slots: Vec<(B256, &[Bytes])> =
            self.slots.iter().map(|slot| (B256::from(slot.key), slot.proof.as_slice())).collect();
        for slot in token.slots(black_box(&slots)) {
            state.add_slot(&slot.ok()?).ok()?;
        }
        let balance = VerifiedBalance::from_slot(&state, black_box(TOKEN), black_box(HOLDER)).ok()?;
        Some(black_box(balance).amount())
    }
}

pub(crate) fn known_layout() -> Result<Row, Missing> {
    let usdc = Usdc::read()?;
    let proofs = usdc.proofs()?;
    let nodes: BTreeSet<Bytes> = proofs.iter().flat_map(|(.., nodes)| nodes.iter().cloned()).collect();
    let what = format!(
        "a mainnet balance of USDC: two accounts and two slots, {} distinct nodes (peer: only the proofs)",
        nodes.len()
    );
    let slots: Vec<B256> = usdc.slots.iter().map(|slot| B256::from(slot.key)).collect();
    let limit: Work = Box::new(move || {
        black_box(keccak256(black_box(TOKEN)));
        black_box(keccak256(black_box(IMPLEMENTATION)));
        slots.iter().for_each(|key| _ = black_box(keccak256(black_box(key))));
        hash_all(&nodes)
    });
    let peer: Work = Box::new(move || {
        proofs.iter().all(|(root, key, value, nodes)| {
            peer_verifies(black_box(*root), black_box(*key), value.as_deref(), black_box(nodes))
        })
    });
    let ours: Work = Box::new(move || usdc.amount() == Some(U256::from(AMOUNT)));
    let bound = Bound::TimesLimit(1.10);
    Ok(Row { what, limit: Some(limit), peer: Some(peer), ours, bound })
}
