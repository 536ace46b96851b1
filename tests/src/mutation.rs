//! Real inputs, damaged in every way in which a careless or hostile sender may damage them; the same damage in every
//! run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// The number of damaged inputs for every parser.
pub const INPUTS: u64 = 100_000;

/// The longest time for one input. Ordinary inputs take microseconds; the rest allows for a busy machine.
pub const TIME_LIMIT: Duration = Duration::from_millis(50);

/// Random numbers from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator that gives the same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap();
        usize::try_from(self.number().checked_rem(bound).unwrap_or(0)).unwrap()
    }

    /// One of `things`.
    pub fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }
}

/// One of the seeds, damaged.
pub fn damaged(seeds: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = rng.pick(seeds).clone();
    damage(&mut bytes, seeds, rng);
    bytes
}

/// Damages bytes in one to three ways, with parts of `seeds` as foreign parts.
pub fn damage(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut Rng) {
    for _ in 0..=rng.below(3) {
        damage_once(bytes, seeds, rng);
    }
}

fn damage_once(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.below(bytes.len() + 1);
    let length = rng.below(64) + 1;
    let end = (at + length).min(bytes.len());
    match rng.below(12) {
        // One bit, one byte with a meaning in some format, or a run of bytes.
        0 | 1 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        2 if at < bytes.len() => {
            bytes[at] = *rng.pick(b"\x00\x01\x7f\x80\xb7\xbf\xc0\xf7\xff\"{}[],:0-\\\n=");
        }
        3 => bytes[at..end].iter_mut().for_each(|byte| *byte = rng.number().to_le_bytes()[0]),
        // Truncates, removes, doubles or inserts bytes.
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..end)),
        6 => {
            let again = bytes[at..end].to_vec();
            put(bytes, at, &again);
        }
        7 => put(bytes, at, &rng.number().to_le_bytes()),
        // The beginning of one seed and the end of another.
        8 => {
            let other = rng.pick(seeds);
            let from = rng.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        9 => change_number(bytes, at, rng),
        10 => change_length(bytes, at, rng),
        _ => nest(bytes, at, rng),
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, more: &[u8]) {
    let rest = bytes.split_off(at);
    bytes.extend_from_slice(more);
    bytes.extend_from_slice(&rest);
}

/// Changes the next number that is written in digits.
fn change_number(bytes: &mut Vec<u8>, at: usize, rng: &mut Rng) {
    const NUMBERS: [&str; 9] = [
        "",
        "0",
        "00",
        "-1",
        "1e999",
        "0x",
        "4294967296",
        "18446744073709551616",
        "9999999999999999999999999",
    ];
    let Some(start) = bytes[at..].iter().take(400).position(u8::is_ascii_digit) else { return };
    let start = at + start;
    let digits = bytes[start..].iter().take(100).take_while(|byte| byte.is_ascii_digit()).count();
    let rest = bytes.split_off(start);
    bytes.extend_from_slice(rng.pick(&NUMBERS).as_bytes());
    bytes.extend_from_slice(&rest[digits..]);
}

/// Replaces four or eight bytes by a number that can be a length or an offset.
fn change_length(bytes: &mut [u8], at: usize, rng: &mut Rng) {
    let about = u64::try_from(bytes.len()).unwrap();
    let numbers = [0, 1, about - about.min(1), about, about + 1, 0x7fff_ffff, 0xffff_ffff, u64::MAX];
    let number = rng.pick(&numbers).to_le_bytes();
    let width = *rng.pick(&[4, 8]);
    // Offsets and lengths are at multiples of four.
    let at = at & !3;
    if let Some(place) = bytes.get_mut(at..at + width) {
        place.copy_from_slice(&number[..width]);
    }
}

/// Inserts deeply nested brackets.
fn nest(bytes: &mut Vec<u8>, at: usize, rng: &mut Rng) {
    const BRACKETS: [&[u8]; 6] = [b"[", b"{\"data\":", b"{\"a\":[", b"[{", b"\xc1", b"\xf8\x40"];
    let levels = *rng.pick(&[1, 2, 100, 127, 128, 129, 400]);
    let more = rng.pick(&BRACKETS).repeat(levels);
    put(bytes, at, &more);
}

/// The result of feeding a parser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// The number of accepted inputs.
    pub read: u64,
    /// The number of refused inputs.
    pub refused: u64,
}

/// Feeds [`INPUTS`] inputs to a parser, which returns whether it accepted the input.
///
/// # Panics
/// If the parser panics, or if one input repeatedly takes longer than [`TIME_LIMIT`]. The message names the input.
pub fn feed<T>(parser: &str, mut make: impl FnMut(&mut Rng) -> T, reads: impl Fn(&T) -> bool) -> Fed {
    let mut fed = Fed::default();
    for seed in 0..INPUTS {
        let input = make(&mut Rng::new(seed));
        let read_once = || {
            catch_unwind(AssertUnwindSafe(|| reads(&input)))
                .unwrap_or_else(|_| panic!("{parser} panics at input {seed}"))
        };
        let begun = Instant::now();
        let read = read_once();
        let mut took = begun.elapsed();
        // A busy machine is no slow parser: then the processor time counts, if the system reports it.
        for _ in 0..5 {
            if took > TIME_LIMIT {
                let (begun, begun_at) = (time_on_processor(), Instant::now());
                read_once();
                let on_processor = begun.and_then(|begun| time_on_processor()?.checked_sub(begun));
                took = took.min(on_processor.unwrap_or_else(|| begun_at.elapsed()));
            }
        }
        assert!(took <= TIME_LIMIT, "{parser} takes {took:?} for input {seed}");
        *if read { &mut fed.read } else { &mut fed.refused } += 1;
    }
    assert_eq!(fed.read + fed.refused, INPUTS);
    fed
}

/// The processor time of this thread, where the system reports it (Linux).
fn time_on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
