//! Any code, with any storage, of which any part is proven: no panic, bounded work, and the same result again. What a run reads
//! without proof is named. More proofs never change a result.
#![no_main]

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_rlp::Encodable;
use libfuzzer_sys::fuzz_target;
use saldo_chain::Environment;
use saldo_drill::trie::Trie;
use saldo_execute::{ACCOUNTS, Call, Executed, Refusal, SLOTS, execute};
use saldo_fuzz::block;
use saldo_fuzz::input::Input;
use saldo_proof::{ProvenState, Query, StateRoot, verify_account};

/// The addresses that code reaches most easily, and the epochs of all forks.
const PLACES: [u8; 4] = [0x70, 0x71, 0x72, 0x01];
const EPOCHS: [u64; 5] = [150_000, 200_000, 300_000, 380_000, 420_000];

/// A contract: its code, the words in its storage, and its balance.
#[derive(Default)]
struct Contract {
    code: Bytes,
    storage: BTreeMap<B256, U256>,
    balance: u64,
}

/// Contracts in a block.
struct World {
    accounts: BTreeMap<Address, Contract>,
    environment: Environment,
}

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let hides = input.number();
    let data = Bytes::copy_from_slice(input.part());
    let world = World::read(&mut input);
    let call = Call::new(Address::repeat_byte(PLACES[0]), data);
    let whole = world.run(&call, |_| true);
    let partial = world.run(&call, |index| hides >> (index % 64) & 1 == 0);
    match (&whole, &partial) {
        // Nothing is guessed: the result of fewer proofs is the result of all.
        (whole, Ok(partial)) => assert_eq!(whole.as_ref(), Ok(partial)),
        (_, Err(Refusal::Missing(query))) => assert!(!query.is_empty()),
        (whole, Err(refusal)) => assert_eq!(whole.as_ref().err(), Some(refusal)),
    }
    assert!(!matches!(whole, Err(Refusal::Missing(_) | Refusal::OtherBlock)), "{whole:?}");
    assert_eq!(whole, world.run(&call, |_| true));
    if let Ok(executed) = &whole {
        let slots: usize = executed.touched().slots().values().map(|keys| keys.len()).sum();
        assert!(executed.touched().slots().len() <= ACCOUNTS && slots <= SLOTS);
    }
});

impl World {
    fn read(input: &mut Input<'_>) -> Self {
        let epoch = *input.choice(&EPOCHS);
        let gas_limit = input.number() % 100_000_000;
        let mut accounts = BTreeMap::new();
        for place in PLACES {
            let code = match input.byte() % 4 {
                // A delegation (EIP-7702).
                0 => [&[0xef, 0x01, 0x00][..], &[*input.choice(&PLACES); 20]].concat().into(),
                _ => Bytes::copy_from_slice(input.part()),
            };
            let words = (0..input.byte() % 4).map(|_| {
                let key = B256::with_last_byte(input.byte());
                (key, U256::from(input.number()))
            });
            let storage = words.filter(|(_, word)| !word.is_zero()).collect();
            accounts
                .insert(Address::repeat_byte(place), Contract { code, storage, balance: u64::from(place) });
        }
        let root = state_trie(&accounts).root();
        Self { accounts, environment: block::environment(root, epoch, gas_limit) }
    }

    /// Runs `call`, and proves those of the missing parts whose number `proves` accepts.
    fn run(&self, call: &Call, proves: impl Fn(usize) -> bool) -> Result<Executed, Refusal> {
        let mut state = ProvenState::new(self.environment.state_root());
        for number in 0.. {
            match execute(&state, &self.environment, call) {
                Err(Refusal::Missing(query)) if proves(number) => self.prove(&mut state, &query),
                outcome => return outcome,
            }
        }
        unreachable!("each round proves something new, and a run reads a bounded number of parts")
    }

    fn prove(&self, state: &mut ProvenState, query: &Query) {
        let trie = state_trie(&self.accounts);
        let empty = Default::default();
        let codes = query.codes().iter().map(|address| (*address, &empty));
        for (address, keys) in query.slots().iter().map(|(address, keys)| (*address, keys)).chain(codes) {
            let proof = trie.prove(keccak256(address).as_slice()).expect("the whole trie is known");
            let root: StateRoot = state.root();
            let account = verify_account(root, address, &proof).expect("the proof is genuine");
            state.add_account(&account).expect("it is under this root");
            let Some(contract) = self.accounts.get(&address) else { continue };
            state.add_code(contract.code.clone());
            let storage = storage_trie(contract);
            for key in keys {
                let proof = storage.prove(keccak256(key).as_slice()).expect("the whole trie is known");
                let slot = account.slot(*key, &proof).expect("the proof is genuine");
                state.add_slot(&slot).expect("it is under this root");
            }
        }
    }
}

fn storage_trie(contract: &Contract) -> Trie {
    let mut trie = Trie::default();
    for (key, word) in &contract.storage {
        trie.insert(keccak256(key).as_slice(), &alloy_rlp::encode(word));
    }
    trie
}

fn state_trie(accounts: &BTreeMap<Address, Contract>) -> Trie {
    let mut trie = Trie::default();
    for (address, contract) in accounts {
        let code_hash = if contract.code.is_empty() { KECCAK256_EMPTY } else { keccak256(&contract.code) };
        let mut fields = Vec::new();
        1_u64.encode(&mut fields);
        contract.balance.encode(&mut fields);
        storage_trie(contract).root().encode(&mut fields);
        code_hash.encode(&mut fields);
        trie.insert(keccak256(address).as_slice(), &block::list(&fields));
    }
    trie
}
