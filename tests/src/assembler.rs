//! A tiny assembler for the contracts of tests.

use std::collections::HashMap;

use alloy_primitives::{Address, B256, Bytes, U256};

/// The instructions that tests use, with their bytes.
const INSTRUCTIONS: &[(&str, u8)] = &[
    ("STOP", 0x00),
    ("ADD", 0x01),
    ("MUL", 0x02),
    ("SUB", 0x03),
    ("DIV", 0x04),
    ("MOD", 0x06),
    ("LT", 0x10),
    ("EQ", 0x14),
    ("ISZERO", 0x15),
    ("AND", 0x16),
    ("SHR", 0x1c),
    ("SHA3", 0x20),
    ("ADDRESS", 0x30),
    ("BALANCE", 0x31),
    ("ORIGIN", 0x32),
    ("CALLER", 0x33),
    ("CALLVALUE", 0x34),
    ("CALLDATALOAD", 0x35),
    ("CALLDATASIZE", 0x36),
    ("CALLDATACOPY", 0x37),
    ("GASPRICE", 0x3a),
    ("EXTCODESIZE", 0x3b),
    ("EXTCODECOPY", 0x3c),
    ("RETURNDATASIZE", 0x3d),
    ("RETURNDATACOPY", 0x3e),
    ("EXTCODEHASH", 0x3f),
    ("BLOCKHASH", 0x40),
    ("COINBASE", 0x41),
    ("TIMESTAMP", 0x42),
    ("NUMBER", 0x43),
    ("PREVRANDAO", 0x44),
    ("GASLIMIT", 0x45),
    ("CHAINID", 0x46),
    ("SELFBALANCE", 0x47),
    ("BASEFEE", 0x48),
    ("BLOBBASEFEE", 0x4a),
    ("SLOTNUM", 0x4b),
    ("POP", 0x50),
    ("MLOAD", 0x51),
    ("MSTORE", 0x52),
    ("SLOAD", 0x54),
    ("SSTORE", 0x55),
    ("JUMP", 0x56),
    ("JUMPI", 0x57),
    ("GAS", 0x5a),
    ("TLOAD", 0x5c),
    ("TSTORE", 0x5d),
    ("DUP1", 0x80),
    ("DUP2", 0x81),
    ("SWAP1", 0x90),
    ("CREATE", 0xf0),
    ("CALL", 0xf1),
    ("RETURN", 0xf3),
    ("DELEGATECALL", 0xf4),
    ("CREATE2", 0xf5),
    ("STATICCALL", 0xfa),
    ("REVERT", 0xfd),
    ("INVALID", 0xfe),
    ("SELFDESTRUCT", 0xff),
];

/// Assembles `source`: names of instructions, numbers (`7`, `0x07…`, which are pushed), `name:` for a place, and `@name`, which
/// pushes it.
///
/// # Panics
/// If the source has an unknown word.
pub fn assemble(source: &str) -> Bytes {
    let mut code: Vec<u8> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut uses: Vec<(usize, &str)> = Vec::new();
    for word in source.split_whitespace() {
        if let Some(place) = word.strip_suffix(':') {
            places.insert(place, code.len());
            code.push(0x5b);
        } else if let Some(place) = word.strip_prefix('@') {
            uses.push((code.len() + 1, place));
            code.extend([0x61, 0, 0]);
        } else if let Some((_, byte)) = INSTRUCTIONS.iter().find(|(name, _)| *name == word) {
            code.push(*byte);
        } else {
            let number: U256 = word.parse().unwrap_or_else(|_| panic!("not an instruction: {word}"));
            let bytes = number.to_be_bytes_trimmed_vec();
            let bytes = if bytes.is_empty() { vec![0] } else { bytes };
            code.push(0x5f + u8::try_from(bytes.len()).unwrap());
            code.extend(bytes);
        }
    }
    for (at, place) in uses {
        let target = u16::try_from(places[place]).unwrap().to_be_bytes();
        code[at..at + 2].copy_from_slice(&target);
    }
    code.into()
}

/// The slot of `owner` in a Solidity mapping at slot `base`.
pub fn slot_of(owner: Address, base: u64) -> B256 {
    let words = [owner.into_word(), B256::from(U256::from(base))];
    alloy_primitives::keccak256(words.concat())
}

/// Pushes the word that the mapping at slot `base` has for the owner in the input.
pub fn push_balance(base: u64) -> String {
    format!("4 CALLDATALOAD 0 MSTORE {base} 32 MSTORE 64 0 SHA3 SLOAD")
}

/// Returns the word on top of the stack.
pub const RETURN_WORD: &str = "0 MSTORE 32 0 RETURN";

/// A token that keeps its balances in a mapping at slot `base`.
pub fn plain_token(base: u64) -> Bytes {
    assemble(&format!("{} {RETURN_WORD}", push_balance(base)))
}

/// A token that returns what `source` leaves on the stack.
pub fn token_of(source: &str) -> Bytes {
    assemble(&format!("{source} {RETURN_WORD}"))
}

/// Passes the input to the contract whose address `target` pushes, by `DELEGATECALL`, and returns or reverts as it does.
pub fn proxy_to(target: &str) -> Bytes {
    assemble(&format!(
        "CALLDATASIZE 0 0 CALLDATACOPY 0 0 CALLDATASIZE 0 {target} GAS DELEGATECALL
         RETURNDATASIZE 0 0 RETURNDATACOPY @good JUMPI RETURNDATASIZE 0 REVERT good: RETURNDATASIZE 0 RETURN"
    ))
}

/// Asks `target` with the same input and with `gas`, and returns its answer; 0 if the call fails.
pub fn catching_token(target: Address, gas: &str) -> Bytes {
    assemble(&format!(
        "CALLDATASIZE 0 0 CALLDATACOPY 32 0 CALLDATASIZE 0 {target:?} {gas} STATICCALL
         @good JUMPI 0 {RETURN_WORD} good: 32 0 RETURN"
    ))
}
