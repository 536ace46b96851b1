//! Any bytes as what a token returns for `balanceOf`, `symbol` and `decimals`: no panic, and the same as a plain second reading. Where
//! `ethers-core` reads a text in them, ours is that text.
#![no_main]

use alloy_primitives::{Address, Bytes, U256, keccak256};
use alloy_rlp::Encodable;
use ethers_core::abi::{ParamType, Token, decode};
use libfuzzer_sys::fuzz_target;
use saldo_chain::Environment;
use saldo_drill::trie::Trie;
use saldo_fuzz::block;
use saldo_fuzz::input::Input;
use saldo_proof::{ProvenState, StateRoot, verify_account};
use saldo_token::{NotAToken, Obstacle, Symbol, TokenInfo, prove};

const TOKEN: Address = Address::repeat_byte(1);
const OWNER: Address = Address::repeat_byte(0xaa);
/// An epoch of Osaka.
const EPOCH: u64 = 420_000;
/// What `decimals` returns, where it does not return the bytes.
const DECIMALS: u8 = 18;

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let has_decimals = input.byte() % 4 != 0;
    let returned = input.rest();
    let Ok(length) = u16::try_from(returned.len()) else { return };
    let code = if has_decimals { with_decimals(length, returned) } else { returning(length, returned) };
    let (state, environment) = token(&code);

    let balance = prove(&state, Some(&environment), TOKEN, OWNER).map(|balance| balance.amount());
    let expected = match returned.get(..32) {
        Some(word) => Ok(U256::from_be_slice(word)),
        None => {
            let bytes = returned.len();
            Err(Obstacle::NotAToken(NotAToken::ReturnsTooLittle { address: TOKEN, bytes }))
        }
    };
    assert_eq!(balance, expected);

    let info = TokenInfo::from_execution(&state, &environment, TOKEN).expect("nothing is missing");
    let decimals = if has_decimals { Some(DECIMALS) } else { small(returned) };
    let Some(info) = info else { return assert_eq!(decimals, None) };
    assert_eq!(Some(info.decimals()), decimals);
    let text = text(returned).unwrap_or_default();
    assert_eq!(*info.symbol(), Symbol::new(&String::from_utf8_lossy(text)));
    if returned.len() != 32
        && let Ok(tokens) = decode(&[ParamType::String], returned)
        && let [Token::String(theirs)] = tokens.as_slice()
    {
        assert_eq!(*info.symbol(), Symbol::new(theirs));
    }
});

/// Code that returns `bytes`, whatever it is asked.
fn returning(length: u16, bytes: &[u8]) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    // `PUSH2 length PUSH1 place PUSH0 CODECOPY PUSH2 length PUSH0 RETURN`.
    let code = [0x61, high, low, 0x60, 12, 0x5f, 0x39, 0x61, high, low, 0x5f, 0xf3];
    [&code, bytes].concat()
}

/// The same, except that it returns a number if it is asked for its decimals.
fn with_decimals(length: u16, bytes: &[u8]) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    // `PUSH0 CALLDATALOAD PUSH1 224 SHR PUSH4 selector EQ PUSH1 place JUMPI`.
    let question = [0x5f, 0x35, 0x60, 224, 0x1c, 0x63, 0x31, 0x3c, 0xe5, 0x67, 0x14, 0x60, 26, 0x57];
    let code = [0x61, high, low, 0x60, 35, 0x5f, 0x39, 0x61, high, low, 0x5f, 0xf3];
    // `JUMPDEST PUSH1 decimals PUSH0 MSTORE PUSH1 32 PUSH0 RETURN`.
    let answer = [0x5b, 0x60, DECIMALS, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3];
    [&question[..], &code, &answer, bytes].concat()
}

/// A state in which only the token exists, with this code, and a block of it.
fn token(code: &[u8]) -> (ProvenState, Environment) {
    let mut fields = Vec::new();
    1_u64.encode(&mut fields);
    0_u64.encode(&mut fields);
    Trie::default().root().encode(&mut fields);
    keccak256(code).encode(&mut fields);
    let mut trie = Trie::default();
    trie.insert(keccak256(TOKEN).as_slice(), &block::list(&fields));
    let root = StateRoot::new(trie.root());
    let proof = trie.prove(keccak256(TOKEN).as_slice()).expect("the whole trie is known");
    let mut state = ProvenState::new(root);
    let account = verify_account(root, TOKEN, &proof).expect("the proof is genuine");
    state.add_account(&account).expect("it is under this root");
    state.add_code(Bytes::copy_from_slice(code));
    (state, block::environment(root.get(), EPOCH, 60_000_000))
}

/// The first word, if it is at most 255.
fn small(bytes: &[u8]) -> Option<u8> {
    match bytes.get(..32)? {
        [zeros @ .., last] if zeros.iter().all(|byte| *byte == 0) => Some(*last),
        _ => None,
    }
}

/// The text: up to the first zero in 32 bytes, else at the place that the first word says, after its length.
fn text(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.len() == 32 {
        return bytes.split(|byte| *byte == 0).next();
    }
    let place = number(bytes, 0)?;
    let (start, length) = (place + 32, number(bytes, place)?);
    bytes.get(start..start + length)
}

/// The word at `place`, if it is less than 2^32: there are fewer bytes.
fn number(bytes: &[u8], place: usize) -> Option<usize> {
    let word = bytes.get(place..place + 32)?;
    let (zeros, number) = word.split_at(28);
    if zeros.iter().any(|byte| *byte != 0) {
        return None;
    }
    Some(number.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}
