//! The proof walker against the keccaks of its nodes and key, by the same hash function.

use std::fmt;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, keccak256};
use saldo_proof::StateRoot;
use saldo_proof::eip1186::AccountReply;
use serde::Deserialize;

/// Rounds, and verifications in each. The two sides take turns, so that what slows the machine slows both.
const ROUNDS: usize = 301;
const REPEATS: u32 = 100;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "stateRoot")]
    state_root: B256,
    proof: AccountReply,
}

/// Medians over all rounds, for one account proof.
pub(crate) struct Report {
    nodes: usize,
    bytes: usize,
    verify: Duration,
    keccak: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratio = self.verify.as_secs_f64() / self.keccak.as_secs_f64();
        writeln!(formatter, "account proof: {} nodes, {} bytes", self.nodes, self.bytes)?;
        writeln!(formatter, "  verify  {:>10.3?}", self.verify)?;
        writeln!(formatter, "  keccaks {:>10.3?}", self.keccak)?;
        write!(formatter, "  ratio   {ratio:>10.3}")
    }
}

/// Measures the first account proof of a file of vectors.
pub(crate) fn measure(path: &Path) -> Result<Report, Box<dyn std::error::Error>> {
    let vectors: Vectors = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let case = vectors.cases.into_iter().next().ok_or("no cases")?;
    let (root, address, proof) =
        (StateRoot::new(case.state_root), case.proof.address, case.proof.account_proof);
    saldo_proof::verify_account(root, address, &proof)?;

    let verify = || {
        black_box(saldo_proof::verify_account(black_box(root), black_box(address), black_box(&proof))).is_ok()
    };
    let keccak = || {
        black_box(keccak256(black_box::<Address>(address)));
        black_box(&proof).iter().all(|node| !black_box(keccak256(node)).is_zero())
    };
    let (mut verify_times, mut keccak_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        verify_times.push(time(verify)?);
        keccak_times.push(time(keccak)?);
    }
    Ok(Report {
        nodes: proof.len(),
        bytes: proof.iter().map(|node| node.len()).sum(),
        verify: median(verify_times)?,
        keccak: median(keccak_times)?,
    })
}

/// The time of one call, over some calls.
fn time(call: impl Fn() -> bool) -> Result<Duration, Box<dyn std::error::Error>> {
    let start = Instant::now();
    for _ in 0..REPEATS {
        if !call() {
            return Err("it failed".into());
        }
    }
    start.elapsed().checked_div(REPEATS).ok_or_else(|| "no calls".into())
}

fn median(mut times: Vec<Duration>) -> Result<Duration, Box<dyn std::error::Error>> {
    times.sort();
    times.get(times.len() / 2).copied().ok_or_else(|| "no rounds".into())
}
