//! What the state of the readings keeps, and for how long.

use saldo_chain::Level;

use super::*;
use crate::made::{checked, holding, proven, unsaved};

/// The numbers of the blocks whose readings wait to be written.
fn waiting(state: &mut ReadingsState) -> Vec<u64> {
    state.take_unwritten().0.iter().map(|unsaved| unsaved.proven.anchor().number()).collect()
}

#[test]
fn a_final_reading_below_a_newer_signed_one_is_stored_once() {
    let (mut state, holding) = (ReadingsState::default(), holding(1));
    let checked = checked(&holding);
    for (number, level, is_new) in [
        (10, Level::Signed, true),
        (10, Level::Signed, false),
        (8, Level::Finalized, true),
        (8, Level::Finalized, false),
        (7, Level::Finalized, false),
        (9, Level::Finalized, true),
        (9, Level::Signed, false),
        (11, Level::Signed, true),
        (12, Level::Finalized, true),
    ] {
        let offered = proven(&holding, number, level);
        assert_eq!(state.offer(&offered, Some(&checked)), is_new, "{number} {level:?}");
        let expected = if is_new { vec![number] } else { Vec::new() };
        assert_eq!(waiting(&mut state), expected, "{number} {level:?}");
    }
}

#[test]
fn the_list_of_withdrawn_blocks_is_bounded() {
    let mut state = ReadingsState::default();
    for number in 1..=2_000 {
        state.note_lost(B256::left_padding_from(&u64::to_be_bytes(number)));
        let (noted, most) = (usize::try_from(number).unwrap(), ReadingsState::LOST_BLOCKS);
        assert_eq!(state.lost_blocks.len(), noted.min(most));
    }
    assert_eq!(state.take_unwritten().1.len(), ReadingsState::LOST_BLOCKS);
    assert!(state.lost_blocks.is_empty());
}

/// A watch remembers the number of the last withdrawal that it reported. Later ones need higher numbers.
#[test]
fn the_numbers_of_withdrawals_go_on_after_a_new_trust_start() {
    let (mut state, holding) = (ReadingsState::default(), holding(1));
    for number in 1..=3 {
        state.withdrawals.note(proven(&holding, number, Level::Signed));
    }
    let (reported, _) = state.withdrawals.newest(0);
    let _ = state.offer(&proven(&holding, 4, Level::Signed), None);
    state.clear();
    assert!(state.records.is_empty());
    assert_eq!(state.withdrawals.newest(reported), (3, Vec::new()));
    let later = proven(&holding, 5, Level::Signed);
    state.withdrawals.note(later.clone());
    assert_eq!(state.withdrawals.newest(reported), (4, vec![(3, later)]));
}

#[test]
fn a_failed_write_is_repeated_only_if_its_reading_is_still_recorded() {
    let (mut state, held, never_read) = (ReadingsState::default(), holding(1), holding(2));
    let [first, final_one, newest] = [
        proven(&held, 9, Level::Signed),
        proven(&held, 8, Level::Finalized),
        proven(&held, 10, Level::Signed),
    ];
    let forgotten = proven(&never_read, 10, Level::Signed);
    for candidate in [&first, &final_one, &newest] {
        let _ = state.offer(candidate, None);
    }
    let withdrawn = SortedSet::from([B256::repeat_byte(7)]);
    let failed = || Returned {
        unsaved: [&first, &final_one, &newest, &forgotten].map(unsaved).to_vec(),
        withdrawn: withdrawn.clone(),
        pending: Vec::new(),
    };
    state.return_unwritten(failed(), Generation::FIRST);
    assert_eq!(state.lost_blocks, withdrawn);
    assert_eq!(waiting(&mut state), [8, 10]);

    // Trust started again while the storage wrote.
    state.return_unwritten(failed(), Generation::FIRST.next());
    assert_eq!(waiting(&mut state), Vec::<u64>::new());
}
