use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{SortedMap, SortedSet, sort_by_key};

/// A sequence of numbers that looks random, and is the same every time.
fn numbers() -> impl Iterator<Item = u64> {
    std::iter::successors(Some(1_u64), |last| {
        Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    })
    .map(|number| number >> 33)
}

#[test]
fn a_map_does_what_a_tree_map_does() {
    let (mut map, mut tree) = (SortedMap::new(), BTreeMap::new());
    let mut numbers = numbers();
    let mut next = || numbers.next().unwrap();
    for _ in 0..20_000 {
        let (key, value) = (next() % 97, next());
        match next() % 10 {
            0..3 => assert_eq!(map.insert(key, value), tree.insert(key, value)),
            3..5 => assert_eq!(map.remove(&key), tree.remove(&key)),
            5 => assert_eq!(map.entry(key).or_insert(value), tree.entry(key).or_insert(value)),
            6 => assert_eq!(map.get(&key), tree.get(&key)),
            7 => assert_eq!(map.get_mut(&key).map(|it| *it += 1), tree.get_mut(&key).map(|it| *it += 1)),
            8 => assert!(map.starting_at(&key).eq(tree.range(key..))),
            _ if value % 50 == 0 => {
                map.retain(|key, _| key % 3 == 0);
                tree.retain(|key, _| key % 3 == 0);
            }
            _ if value % 7 == 0 => assert_eq!(map.pop_first(), tree.pop_first()),
            _ => assert_eq!(map.contains_key(&key), tree.contains_key(&key)),
        }
        assert_eq!((map.len(), map.is_empty()), (tree.len(), tree.is_empty()));
        assert_eq!(map.first_key_value(), tree.first_key_value());
        assert_eq!(map.last_key_value(), tree.last_key_value());
    }
    assert!(map.iter().eq(tree.iter()));
    assert!(map.keys().eq(tree.keys()) && map.values().eq(tree.values()));
    assert_eq!(format!("{map:?}"), format!("{tree:?}"));
    assert!(map.clone().into_values().eq(tree.clone().into_values()));
    assert!(map.into_iter().eq(tree));
}

#[test]
fn a_set_does_what_a_tree_set_does() {
    let (mut set, mut tree) = (SortedSet::new(), BTreeSet::new());
    let mut numbers = numbers();
    let mut next = || numbers.next().unwrap();
    for _ in 0..20_000 {
        let key = next() % 97;
        match next() % 6 {
            0..3 => assert_eq!(set.insert(key), tree.insert(key)),
            3 => assert_eq!(set.remove(&key), tree.remove(&key)),
            4 if key % 9 == 0 => assert_eq!(set.pop_first(), tree.pop_first()),
            _ => assert_eq!(set.contains(&key), tree.contains(&key)),
        }
        assert_eq!((set.len(), set.first(), set.last()), (tree.len(), tree.first(), tree.last()));
    }
    assert!(set.iter().eq(tree.iter()));
    assert_eq!(format!("{set:?}"), format!("{tree:?}"));
}

#[test]
fn the_later_of_two_equal_keys_is_kept() {
    let map: SortedMap<_, _> = [(2, 'a'), (1, 'b'), (2, 'c')].into_iter().collect();
    assert!(map.into_iter().eq([(1, 'b'), (2, 'c')]));
    let words: SortedSet<String> = ["b", "a", "b"].map(str::to_owned).into();
    assert!(words.contains("a") && words.iter().eq(["a", "b"]));
    assert!(words.is_disjoint(&SortedSet::from(["c".to_owned()])));
    assert!(!words.is_disjoint(&SortedSet::from(["c".to_owned(), "b".to_owned()])));
}

#[test]
fn equals_keep_their_order() {
    let mut numbers = numbers();
    for length in [0, 1, 2, 30, 500] {
        let mut ours: Vec<(u64, usize)> =
            (0..length).map(|place| (numbers.next().unwrap() % 9, place)).collect();
        let mut theirs = ours.clone();
        sort_by_key(&mut ours, |(number, _)| Reverse(*number));
        theirs.sort_by_key(|(number, _)| Reverse(*number));
        assert_eq!(ours, theirs);
    }
}
