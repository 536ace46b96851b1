//! From Gloas on, a head gives only the hash of its execution block. It is no anchor until its header arrives; then
//! it is like any head.

use saldo_chain::{Assurance, Chain, ChainError, Level, Path, Standing};
use saldo_tests::gloas::{Made, client, finalize, sign};

/// A head with only a hash is requested, gives no anchor, and becomes one with its header.
#[test]
fn the_header_makes_the_anchor() {
    let (start, head) = (Made::alone(7, 0), Made::alone(20, 0));
    let mut light_client = client(8, start);
    sign(&mut light_client, 21, head);
    let mut chain = Chain::new();
    chain.follow(&light_client).unwrap();
    assert!(chain.newest(Level::Signed).is_none());
    assert_eq!(chain.missing_head(Level::Signed), Some(head.hash()));
    assert_eq!(chain.missing_head(Level::Finalized), Some(start.hash()));

    let anchor = chain.attach(&head.header()).unwrap().clone();
    assert_eq!((anchor.number(), anchor.hash(), anchor.path()), (20, head.hash(), Path::Head));
    assert_eq!(anchor.state_root().get(), head.state_root);
    assert_eq!(anchor.assurance(), Assurance::Signed { signers: 32, size: 32 });
    assert_eq!(chain.newest(Level::Signed), Some(&anchor));
    assert_eq!(chain.missing_parent(18), Some((19, head.parent_hash)));

    // A signed reading needs no further header. The checkpoint's header is still requested, and becomes final.
    assert_eq!(chain.missing_head(Level::Signed), None);
    assert_eq!(chain.missing_head(Level::Finalized), Some(start.hash()));
    let anchor = chain.attach(&start.header()).unwrap().clone();
    assert_eq!(anchor.assurance().level(), Level::Finalized);
    assert_eq!(chain.missing_head(Level::Signed), None);
    // Following the same light client again requests nothing again.
    chain.follow(&light_client).unwrap();
    assert_eq!([Level::Signed, Level::Finalized].map(|level| chain.missing_head(level)), [None, None]);
    assert_eq!(chain.newest(Level::Finalized).map(|anchor| anchor.number()), Some(7));
}

/// Before any head is signed, only the checkpoint can prove something.
#[test]
fn the_checkpoint_is_fetched_while_nothing_is_signed() {
    let start = Made::alone(7, 0);
    let mut chain = Chain::new();
    chain.follow(&client(8, start)).unwrap();
    assert_eq!(chain.missing_head(Level::Signed), Some(start.hash()));
    chain.attach(&start.header()).unwrap();
    assert_eq!(chain.missing_head(Level::Signed), None);
}

/// A known header is not requested: a parent, or the same block again because a payload was withheld.
#[test]
fn a_known_block_is_not_fetched() {
    let parent = Made::alone(20, 0);
    let head = parent.child(0);
    let mut light_client = client(8, Made::alone(7, 0));
    let mut chain = Chain::new();
    chain.follow(&light_client).unwrap();
    chain.attach(&Made::alone(7, 0).header()).unwrap();
    sign(&mut light_client, 22, head);
    chain.follow(&light_client).unwrap();
    chain.attach(&head.header()).unwrap();

    // The payload of slot 22 was withheld: the next block has the same parent.
    sign(&mut light_client, 23, head);
    chain.follow(&light_client).unwrap();
    assert_eq!(chain.missing_head(Level::Signed), None);
    let anchor = chain.newest(Level::Signed).unwrap().clone();
    assert_eq!((anchor.number(), anchor.path()), (21, Path::Head));

    // Finality reaches a block that was attached as a parent.
    chain.attach(&parent.header()).unwrap();
    let next = head.child(0);
    finalize(&mut light_client, 24, next, (21, parent));
    chain.follow(&light_client).unwrap();
    assert_eq!(chain.missing_head(Level::Finalized), None);
    assert_eq!(chain.newest(Level::Finalized).map(|anchor| anchor.hash()), Some(parent.hash()));
    assert_eq!(chain.missing_head(Level::Signed), Some(next.hash()));
}

/// A light client that is behind another one, such as a stored one, removes no pending head.
#[test]
fn an_older_light_client_removes_no_pending_head() {
    let (start, finalized, head) = (Made::alone(7, 0), Made::alone(20, 0), Made::alone(24, 0));
    let older = client(8, start);
    let mut newer = older.clone();
    finalize(&mut newer, 25, head, (21, finalized));
    let mut chain = Chain::new();
    chain.follow(&newer).unwrap();
    chain.follow(&older).unwrap();
    assert_eq!(chain.missing_head(Level::Finalized), Some(finalized.hash()));
    assert_eq!(chain.missing_head(Level::Signed), Some(head.hash()));
}

/// A header that was not requested is no anchor, whatever it contains.
#[test]
fn another_header_is_refused() {
    let mut light_client = client(8, Made::alone(7, 0));
    sign(&mut light_client, 21, Made::alone(20, 0));
    let mut chain = Chain::new();
    chain.follow(&light_client).unwrap();
    let other = Made::alone(20, 1);
    assert_eq!(chain.attach(&other.header()), Err(ChainError::NotAParent { hash: other.hash() }));
    assert!(chain.newest(Level::Signed).is_none());
    assert_eq!(chain.missing_head(Level::Signed), Some(Made::alone(20, 0).hash()));
}

/// A newer head replaces one that never got its header. A late header for the old head is no anchor by itself.
#[test]
fn a_newer_head_replaces_a_pending_one() {
    let (old, new) = (Made::alone(20, 0), Made::alone(25, 0));
    let mut light_client = client(8, Made::alone(7, 0));
    let mut chain = Chain::new();
    sign(&mut light_client, 21, old);
    chain.follow(&light_client).unwrap();
    sign(&mut light_client, 26, new);
    chain.follow(&light_client).unwrap();
    assert_eq!(chain.missing_head(Level::Signed), Some(new.hash()));
    assert_eq!(chain.attach(&old.header()), Err(ChainError::NotAParent { hash: old.hash() }));
    chain.attach(&new.header()).unwrap();
    assert_eq!(chain.newest(Level::Signed).map(|anchor| anchor.number()), Some(25));
}

/// A head without header excludes nothing, because its number is unknown. With its header it does.
#[test]
fn only_the_header_withdraws() {
    let before = Made::alone(20, 0);
    let reorganised = Made::alone(20, 1);
    let mut light_client = client(8, Made::alone(7, 0));
    let mut chain = Chain::new();
    sign(&mut light_client, 21, before);
    chain.follow(&light_client).unwrap();
    let anchor = chain.attach(&before.header()).unwrap().clone();
    sign(&mut light_client, 22, reorganised);
    chain.follow(&light_client).unwrap();
    assert_eq!(chain.standing(&anchor), Standing::Stands);
    assert_eq!(chain.newest(Level::Signed), Some(&anchor));
    chain.attach(&reorganised.header()).unwrap();
    assert_eq!(chain.standing(&anchor), Standing::Withdrawn);

    // A head that never gets its header does not keep the next head from withdrawing readings.
    let held = chain.newest(Level::Signed).unwrap().clone();
    let last = Made::alone(19, 2);
    sign(&mut light_client, 23, Made::alone(21, 3));
    chain.follow(&light_client).unwrap();
    sign(&mut light_client, 24, last);
    chain.follow(&light_client).unwrap();
    chain.attach(&last.header()).unwrap();
    assert_eq!(chain.standing(&held), Standing::Withdrawn);
    assert_eq!(chain.newest(Level::Signed).map(|anchor| anchor.number()), Some(19));
}

/// A pending finalized head is kept beside newer signed ones. When its header comes last, a signed block that
/// contradicts it stops the chain.
#[test]
fn a_late_finalized_header_still_shows_a_contradiction() {
    let mut light_client = client(8, Made::alone(7, 0));
    let mut chain = Chain::new();
    let (finalized, attested, signed) = (Made::alone(15, 0), Made::alone(30, 0), Made::alone(15, 1));
    finalize(&mut light_client, 31, attested, (16, finalized));
    chain.follow(&light_client).unwrap();
    sign(&mut light_client, 32, signed);
    chain.follow(&light_client).unwrap();
    assert_eq!(chain.missing_head(Level::Finalized), Some(finalized.hash()));
    assert_eq!(chain.missing_head(Level::Signed), Some(signed.hash()));
    chain.attach(&signed.header()).unwrap();
    let fault = ChainError::ConsensusFault { number: 15, finalized: finalized.hash(), signed: signed.hash() };
    assert_eq!(chain.attach(&finalized.header()), Err(fault));
}

/// A block signed before another block of its number became final was reorganised away: that is no contradiction.
#[test]
fn finality_after_a_reorganisation_is_no_contradiction() {
    let mut light_client = client(8, Made::alone(7, 0));
    let mut chain = Chain::new();
    let (left, finalized, attested) = (Made::alone(15, 1), Made::alone(15, 0), Made::alone(30, 0));
    sign(&mut light_client, 16, left);
    chain.follow(&light_client).unwrap();
    let anchor = chain.attach(&left.header()).unwrap().clone();
    finalize(&mut light_client, 31, attested, (17, finalized));
    chain.follow(&light_client).unwrap();
    chain.attach(&attested.header()).unwrap();
    assert_eq!(chain.standing(&anchor), Standing::Stands);
    chain.attach(&finalized.header()).unwrap();
    assert_eq!(chain.standing(&anchor), Standing::Withdrawn);
    assert_eq!(chain.newest(Level::Signed).map(|anchor| anchor.number()), Some(30));
}

/// A signed head below the final one brings nothing new, and is not requested repeatedly.
#[test]
fn a_head_below_finality_is_asked_for_once() {
    let mut light_client = client(8, Made::alone(7, 0));
    let mut chain = Chain::new();
    let (finalized, attested, below) = (Made::alone(15, 0), Made::alone(30, 0), Made::alone(12, 1));
    finalize(&mut light_client, 31, attested, (16, finalized));
    chain.follow(&light_client).unwrap();
    chain.attach(&finalized.header()).unwrap();
    sign(&mut light_client, 32, below);
    chain.follow(&light_client).unwrap();
    assert_eq!(chain.attach(&below.header()), Err(ChainError::BelowFinal { number: 12, finalized: 15 }));
    chain.follow(&light_client).unwrap();
    assert_eq!(chain.missing_head(Level::Signed), None);
}
