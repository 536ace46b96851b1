//! Real inputs, damaged in every way that a careless or hostile sender damages them; the same damage every time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How many damaged inputs every parser is fed.
pub const INPUTS: u64 = 100_000;

/// The longest that one input may take. Ordinary ones take microseconds; the rest is for a busy machine.
pub const TIME_LIMIT: Duration = Duration::from_millis(50);

/// Random numbers from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always fall the same for a seed.
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

    /// One of some things.
    pub fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }
}

/// One of the seeds, damaged.
pub fn damaged(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = dice.pick(seeds).clone();
    damage(&mut bytes, seeds, dice);
    bytes
}

/// Damages bytes in one to three ways, with parts of `seeds` where parts of something else are wanted.
pub fn damage(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    for _ in 0..=dice.below(3) {
        damage_once(bytes, seeds, dice);
    }
}

fn damage_once(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let length = dice.below(64) + 1;
    let end = (at + length).min(bytes.len());
    match dice.below(12) {
        // One bit, one byte that means something somewhere, a run of bytes.
        0 | 1 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        2 if at < bytes.len() => {
            bytes[at] = *dice.pick(b"\x00\x01\x7f\x80\xb7\xbf\xc0\xf7\xff\"{}[],:0-\\\n=");
        }
        3 => bytes[at..end].iter_mut().for_each(|byte| *byte = dice.number().to_le_bytes()[0]),
        // Cut off, cut out, doubled, put in.
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..end)),
        6 => {
            let again = bytes[at..end].to_vec();
            put(bytes, at, &again);
        }
        7 => put(bytes, at, &dice.number().to_le_bytes()),
        // The beginning of one and the end of another.
        8 => {
            let other = dice.pick(seeds);
            let from = dice.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        9 => change_number(bytes, at, dice),
        10 => change_length(bytes, at, dice),
        _ => nest(bytes, at, dice),
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, more: &[u8]) {
    let rest = bytes.split_off(at);
    bytes.extend_from_slice(more);
    bytes.extend_from_slice(&rest);
}

/// The next number that is written in digits becomes another one.
fn change_number(bytes: &mut Vec<u8>, at: usize, dice: &mut Dice) {
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
    bytes.extend_from_slice(dice.pick(&NUMBERS).as_bytes());
    bytes.extend_from_slice(&rest[digits..]);
}

/// Four or eight bytes become a number that a length or an offset could be.
fn change_length(bytes: &mut [u8], at: usize, dice: &mut Dice) {
    let about = u64::try_from(bytes.len()).unwrap();
    let numbers = [0, 1, about - about.min(1), about, about + 1, 0x7fff_ffff, 0xffff_ffff, u64::MAX];
    let number = dice.pick(&numbers).to_le_bytes();
    let width = *dice.pick(&[4, 8]);
    // Offsets and lengths stand at multiples of four.
    let at = at & !3;
    if let Some(place) = bytes.get_mut(at..at + width) {
        place.copy_from_slice(&number[..width]);
    }
}

/// Brackets in brackets in brackets.
fn nest(bytes: &mut Vec<u8>, at: usize, dice: &mut Dice) {
    const BRACKETS: [&[u8]; 6] = [b"[", b"{\"data\":", b"{\"a\":[", b"[{", b"\xc1", b"\xf8\x40"];
    let levels = *dice.pick(&[1, 2, 100, 127, 128, 129, 400]);
    let more = dice.pick(&BRACKETS).repeat(levels);
    put(bytes, at, &more);
}

/// What came of feeding a parser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// How many inputs it read.
    pub read: u64,
    /// How many it refused.
    pub refused: u64,
}

/// Feeds [`INPUTS`] inputs to a parser, which says whether it could read one.
///
/// # Panics
/// If the parser does, or if one input takes longer than [`TIME_LIMIT`] again and again; either names the input.
pub fn feed<T>(parser: &str, mut make: impl FnMut(&mut Dice) -> T, reads: impl Fn(&T) -> bool) -> Fed {
    let mut fed = Fed::default();
    for seed in 0..INPUTS {
        let input = make(&mut Dice::new(seed));
        let read_once = || {
            catch_unwind(AssertUnwindSafe(|| reads(&input)))
                .unwrap_or_else(|_| panic!("{parser} panics at input {seed}"))
        };
        let begun = Instant::now();
        let read = read_once();
        let mut took = begun.elapsed();
        // A machine that is busy elsewhere is no slow parser: then the time on the processor counts, if it can be told.
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

/// How long this thread has been running on a processor, where the system says so (Linux).
fn time_on_processor() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
