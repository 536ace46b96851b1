//! The rows of `limits` under a benchmark harness, for daily work:
//!
//!     cargo bench -p saldo-benches --bench daily -- account_proof

use saldo_benches::{ROWS, Side};

fn main() {
    divan::main();
}

fn names() -> [&'static str; ROWS.len()] {
    ROWS.map(|(name, _)| name)
}

fn run(bencher: divan::Bencher<'_, '_>, name: &str, side: Side) {
    let made = ROWS.into_iter().find(|row| row.0 == name).map(|(_, make)| make());
    if let Some(Ok(mut row)) = made
        && let Some(work) = row.side(side)
    {
        bencher.bench_local(work);
    }
}

#[divan::bench(args = names())]
fn ours(bencher: divan::Bencher<'_, '_>, name: &str) {
    run(bencher, name, Side::Ours);
}

#[divan::bench(args = names())]
fn peer(bencher: divan::Bencher<'_, '_>, name: &str) {
    run(bencher, name, Side::Peer);
}

#[divan::bench(args = names())]
fn limit(bencher: divan::Bencher<'_, '_>, name: &str) {
    run(bencher, name, Side::Limit);
}
