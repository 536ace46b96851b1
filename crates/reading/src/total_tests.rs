use alloy_primitives::U256;
use proptest::prelude::*;

use super::*;
use crate::reading::Unknown;
use crate::why::Why;

fn owner(number: u8) -> Address {
    Address::repeat_byte(number)
}

const NETWORK: NetworkId = NetworkId::new(1);

fn native(number: u8) -> Holding {
    Holding::native(NETWORK, owner(number))
}

fn amount(base_units: u64) -> Amount {
    Amount::new(U256::from(base_units))
}

fn proven(base_units: u64, at: u64) -> Part {
    Part::Proven { amount: amount(base_units), at: UnixTime::from_secs(at) }
}

fn remembered(base_units: u64, at: u64) -> Part {
    Part::Remembered { amount: amount(base_units), at: UnixTime::from_secs(at) }
}

/// Returns the total of `parts`, one for each of the owners 1, 2, 3…
fn total(parts: impl IntoIterator<Item = Part>) -> Total {
    let mut totals = Totals::new();
    for (number, part) in (1..).zip(parts) {
        totals.put(native(number), part);
    }
    totals.of(NETWORK, Asset::Native).unwrap()
}

#[test]
fn totals_without_readings_have_no_total() {
    let totals = Totals::new();
    assert_eq!(totals.iter().count(), 0);
    assert_eq!(totals.of(NETWORK, Asset::Native), None);
}

#[test]
fn an_unknown_holding_is_missing_and_not_zero() {
    let mut totals = Totals::new();
    let unknown = Reading::Unknown(Unknown::new(Why::DeviceOffline, [], None));
    totals.add(native(1), &unknown).unwrap();
    let total = totals.of(NETWORK, Asset::Native).unwrap();
    assert_eq!(total.sum(), Sum::Partial { proven: None, remembered: None, missing: &[native(1)] });
    assert_eq!((total.as_of(), total.oldest()), (None, None));
    assert_eq!((total.network(), total.asset()), (NETWORK, Asset::Native));
}

#[test]
fn a_proven_zero_counts_as_an_amount() {
    assert_eq!(total([proven(0, 5)]).sum(), Sum::Proven(amount(0)));
    let none_proven = total([remembered(0, 5)]);
    assert_eq!(none_proven.sum(), Sum::Remembered { proven: None, remembered: amount(0) });
}

#[test]
fn remembered_amounts_are_separate_and_added_only_with_their_time() {
    let total = total([proven(5, 100), remembered(7, 60), proven(1, 90)]);
    assert_eq!(total.sum(), Sum::Remembered { proven: Some(amount(6)), remembered: amount(7) });
    assert_eq!(total.as_of(), Some((amount(13), UnixTime::from_secs(60))));
}

#[test]
fn a_total_with_a_missing_holding_has_no_whole() {
    let total = total([proven(5, 100), Part::Missing, remembered(7, 60), Part::Missing]);
    let missing = [native(2), native(4)];
    let sum = Sum::Partial { proven: Some(amount(5)), remembered: Some(amount(7)), missing: &missing };
    assert_eq!(total.sum(), sum);
    assert_eq!((total.as_of(), total.oldest()), (None, Some(UnixTime::from_secs(60))));
}

#[test]
fn different_networks_and_assets_are_never_added_up() {
    let mut totals = Totals::new();
    let tokens = [Asset::Erc20(owner(8)), Asset::Erc20(owner(9))];
    let put = |totals: &mut Totals, chain_id, asset, base_units| {
        totals.put(Holding::of(NetworkId::new(chain_id), owner(1), asset), proven(base_units, 1));
    };
    put(&mut totals, 10, Asset::Native, 5);
    put(&mut totals, 1, tokens[1], 4);
    put(&mut totals, 1, tokens[0], 3);
    put(&mut totals, 1, Asset::Native, 2);
    let seen: Vec<_> =
        totals.iter().map(|total| (total.network().chain_id(), total.asset(), total.amounts)).collect();
    let sum = |base_units| Some([Some(amount(base_units)), None, Some(amount(base_units))]);
    let expected = [
        (1, Asset::Native, sum(2)),
        (1, tokens[0], sum(3)),
        (1, tokens[1], sum(4)),
        (10, Asset::Native, sum(5)),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_sum_that_does_not_fit_is_too_large_in_any_order() {
    let most = Part::Proven { amount: Amount::new(U256::MAX), at: UnixTime::from_secs(3) };
    assert_eq!(total([most, proven(0, 1)]).sum(), Sum::Proven(Amount::new(U256::MAX)));
    for parts in [
        [most, proven(1, 1), Part::Missing],
        [proven(1, 1), Part::Missing, most],
        [Part::Missing, remembered(1, 1), most],
    ] {
        let total = total(parts);
        assert_eq!((total.sum(), total.as_of()), (Sum::TooLarge, None), "{parts:?}");
    }
}

/// Statements about few owners, so that many owners get more than one.
fn statements() -> impl Strategy<Value = (u64, u8, Part)> {
    let part = prop_oneof![
        (0..1_000_u64, 1..100_u64).prop_map(|(base_units, at)| proven(base_units, at)),
        (0..1_000_u64, 1..100_u64).prop_map(|(base_units, at)| remembered(base_units, at)),
        Just(Part::Missing),
    ];
    (1..3_u64, 1..6_u8, part)
}

proptest! {
    /// The reference adds plain integers: the latest statement about each owner.
    #[test]
    fn every_holding_counts_once_by_its_latest_statement(given in proptest::collection::vec(statements(), 0..24)) {
        let mut totals = Totals::new();
        for (chain_id, number, part) in &given {
            totals.put(Holding::native(NetworkId::new(*chain_id), owner(*number)), *part);
        }
        let mut seen = Vec::new();
        for chain_id in 1..3 {
            let last = |number: u8| {
                given.iter().rev().find(|(chain, owner, _)| (*chain, *owner) == (chain_id, number)).map(|(_, _, part)| *part)
            };
            let parts: Vec<Part> = (1..6).filter_map(last).collect();
            let network = NetworkId::new(chain_id);
            let Some(total) = totals.of(network, Asset::Native) else {
                prop_assert!(parts.is_empty());
                continue;
            };
            seen.push(chain_id);
            let sum = |of: fn(&Part) -> Option<Amount>| {
                let amounts: Vec<u64> = parts.iter().filter_map(of).map(|amount| amount.base_units().to()).collect();
                (!amounts.is_empty()).then(|| amount(amounts.iter().sum()))
            };
            let missing: Vec<Holding> =
                (1..6).filter(|number| last(*number) == Some(Part::Missing))
                    .map(|number| Holding::native(network, owner(number)))
                    .collect();
            let (proven, remembered) = (sum(Part::proven), sum(Part::remembered));
            match total.sum() {
                Sum::Proven(amount) => {
                    prop_assert_eq!((Some(amount), None, 0), (proven, remembered, missing.len()));
                }
                Sum::Remembered { proven: is, remembered: was } => {
                    prop_assert_eq!((is, Some(was), 0), (proven, remembered, missing.len()));
                }
                Sum::Partial { proven: is, remembered: was, missing: gaps } => {
                    prop_assert!(!gaps.is_empty());
                    prop_assert_eq!((is, was, gaps), (proven, remembered, missing.as_slice()));
                }
                Sum::TooLarge => prop_assert!(false, "it fits"),
            }
            let whole = sum(|part| part.proven().or(part.remembered())).filter(|_| missing.is_empty());
            prop_assert_eq!(total.as_of().map(|(amount, _)| amount), whole);
            prop_assert_eq!(total.oldest(), parts.iter().filter_map(Part::at).min());
        }
        prop_assert_eq!(totals.iter().map(|total| total.network().chain_id()).collect::<Vec<_>>(), seen);
    }
}
