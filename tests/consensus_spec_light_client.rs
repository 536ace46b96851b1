//! The consensus specification's own vectors: syncing, proofs, ranking, collecting and hashing agree with the
//! executable spec. Vectors of a further folder run too: `SALDO_VECTORS_EXTRA=DIR`.

use saldo_tests::consensus::{Counts, cases_by_fork, run, run_sync};
use saldo_tests::further::{Further, say};

#[test]
fn the_generated_vectors_pass() {
    let Some(tests) = saldo_tests::vectors("consensus/spec-tests-generated-v1.7.0-beta.4/tests") else {
        return;
    };
    let expected = Counts::from([
        ("sync", 45),
        ("sync: updates", 141),
        ("sync: forced updates", 19),
        ("sync: upgrades", 3),
        ("update_ranking", 7),
        ("single_merkle_proof", 54),
        ("data_collection", 11),
        ("data_collection: bootstraps", 2009),
        // All of these are signed by 1 to 16 of 32, so saldo accepts none.
        ("data_collection: heads by the specification", 526),
        ("data_collection: heads of too few for the specification", 40),
        ("data_collection: heads after a missing committee update", 8),
        ("ssz_static", 888),
        ("ssz_static: as the second opinion", 720),
        ("ssz_static: decoded", 328),
        ("ssz_static: refused, since a part is unproven", 8),
        ("ssz_static: not of light clients", 12),
    ]);
    assert_eq!(run(&tests), expected);
}

/// Vectors in the form that was published until version 1.6.
#[test]
fn the_published_vectors_pass() {
    let Some(root) = saldo_tests::vectors("consensus/spec-tests-official-helios") else { return };
    assert_eq!(
        run_sync(&cases_by_fork(&root)),
        Counts::from([("sync", 6), ("sync: updates", 28), ("sync: forced updates", 4)])
    );
}

#[test]
fn further_vectors_pass() {
    let Some(further) = Further::named() else { return };
    for tests in &further.consensus {
        say(&format!("{}: {:?}", tests.display(), run(tests)));
    }
    say(&format!("{} further sync cases: {:?}", further.sync.len(), run_sync(&further.sync)));
}
