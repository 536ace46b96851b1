//! Changes to a genuine update.

use alloy_primitives::B256;
use saldo_beacon::unit::Slot;
use saldo_beacon::{Execution, LightClientHeader, LightClientUpdate};

use crate::input::Input;

/// Makes the next change that the input describes. Inserted parts come from `others`.
pub fn edit(update: &mut LightClientUpdate, input: &mut Input<'_>, others: &[LightClientUpdate]) {
    match input.byte() % 18 {
        0 => header(&mut update.attested_header, input),
        1 => {
            if let Some(finalized) = update.finality.as_mut().and_then(|part| part.header.as_mut()) {
                header(finalized, input);
            }
        }
        2 => update.attested_header = input.choice(others).attested_header.clone(),
        3 => update.finality = input.choice(others).finality.clone(),
        4 => update.finality = None,
        5 => update.next_sync_committee = input.choice(others).next_sync_committee.clone(),
        6 => update.next_sync_committee = None,
        7 => update.sync_aggregate = input.choice(others).sync_aggregate.clone(),
        8 => update.signature_slot = slot(update.signature_slot, input),
        9 => flip(&mut update.sync_aggregate.bits, input),
        10 => flip(update.sync_aggregate.signature.as_mut_slice(), input),
        11 => update.sync_aggregate.bits.truncate(input.index() % 6),
        12 => update.sync_aggregate.size = input.index(),
        13 => {
            if let Some(part) = &mut update.finality {
                part.header = input.choice(others).finalized_header().cloned();
            }
        }
        14 => {
            if let Some(part) = &mut update.finality {
                roots(&mut part.branch, input);
            }
        }
        15 => {
            if let Some(next) = &mut update.next_sync_committee {
                roots(&mut next.branch, input);
            }
        }
        16 => {
            if let Some(next) = &mut update.next_sync_committee {
                let keys = next.committee.pubkeys.iter_mut().chain([&mut next.committee.aggregate_pubkey]);
                let mut keys: Vec<_> = keys.collect();
                let chosen = input.index() % keys.len();
                flip(keys[chosen].as_mut_slice(), input);
            }
        }
        _ => {
            if let Some(next) = &mut update.next_sync_committee {
                next.committee.pubkeys.truncate(input.index() % 33);
            }
        }
    }
}

fn header(header: &mut LightClientHeader, input: &mut Input<'_>) {
    let beacon = &mut header.beacon;
    match input.byte() % 11 {
        0 => beacon.slot = slot(beacon.slot, input),
        1 => beacon.proposer_index = input.number(),
        2 => flip(beacon.parent_root.as_mut_slice(), input),
        3 => flip(beacon.state_root.as_mut_slice(), input),
        4 => flip(beacon.body_root.as_mut_slice(), input),
        5 => roots(&mut header.execution_branch, input),
        6 => header.execution = Execution::Absent,
        7 => header.execution = Execution::Hash(header.execution.block_hash().unwrap_or_default()),
        8 => header.execution = Execution::Hash(B256::from(input.array())),
        kind => match &mut header.execution {
            Execution::Absent => {}
            Execution::Hash(hash) => flip(hash.as_mut_slice(), input),
            Execution::Header(payload) => match (kind, input.byte() % 6) {
                (9, 0) => payload.blob_gas_used = None,
                (9, 1) => payload.excess_blob_gas = Some(input.number()),
                (9, 2) => payload.block_number = input.number(),
                (9, 3) => payload.timestamp = input.number(),
                (9, _) => payload.extra_data = input.part().to_vec().into(),
                (_, 0) => flip(payload.state_root.as_mut_slice(), input),
                (_, 1) => flip(payload.block_hash.as_mut_slice(), input),
                (_, 2) => flip(payload.parent_hash.as_mut_slice(), input),
                _ => flip(payload.logs_bloom.as_mut_slice(), input),
            },
        },
    }
}

/// Returns a slot nearby, or any slot.
fn slot(slot: Slot, input: &mut Input<'_>) -> Slot {
    match input.byte() {
        0 => Slot::new(input.number()),
        by @ 1..=127 => slot.saturating_add(u64::from(by)),
        by => slot.saturating_sub(u64::from(by - 127)),
    }
}

fn flip(bytes: &mut [u8], input: &mut Input<'_>) {
    let (place, by) = (input.index(), input.byte());
    if !bytes.is_empty() {
        let place = place % bytes.len();
        bytes[place] ^= by;
    }
}

fn roots(branch: &mut Vec<B256>, input: &mut Input<'_>) {
    match input.byte() % 4 {
        0 => branch.push(B256::ZERO),
        1 => branch.insert(0, B256::ZERO),
        2 => branch.truncate(input.index() % 8),
        _ => {
            let place = input.index();
            if !branch.is_empty() {
                let place = place % branch.len();
                flip(branch[place].as_mut_slice(), input);
            }
        }
    }
}
