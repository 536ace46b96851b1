//! What a wallet has to keep to: every number that is not a law of nature, in one place.

/// How much time and how many requests a wallet may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// After how long without an answer the next one is asked, in milliseconds.
    pub hedge: u64,
    /// How much longer that can become where answers are known to take as long, in milliseconds in all.
    pub longest_hedge: u64,
    /// After how many such delays all have been asked, however many there are.
    pub waves: u64,
    /// For how long a newer head is looked for while one is known that is young enough, in milliseconds.
    pub gain: u64,
    /// How many milliseconds the way there and back takes at most, without what the answer itself takes.
    pub way: u64,
    /// How long a read may take longer than the proof for what is only needed later, in milliseconds.
    pub afterwards: u64,
    /// By how much a deadline may be missed, in milliseconds.
    pub grace: u64,
    /// How many requests one provider may get within a minute besides those of the reads in it.
    pub requests: u64,
    /// How many more for each account in each read.
    pub requests_for_each: u64,
    /// How many attempts one reading may tell of.
    pub attempts: usize,
    /// For how many milliseconds it may be believed that no source knows a newer head, after all were late once.
    pub believes_lag: u64,
    /// For how many milliseconds whoever asked to be left alone, or whose quota is used up, may be. The clock of it stands
    /// still while the device sleeps.
    pub rests: u64,
    /// By how many blocks a proven reading may be behind the newest signed one while that can be had.
    pub behind: u64,
}

impl Bounds {
    /// What the asker keeps to: the first, one more, then all who remain.
    pub const USUAL: Self = Self {
        hedge: 400,
        longest_hedge: 2_000,
        waves: 2,
        gain: 1_000,
        way: 80,
        afterwards: 100,
        grace: 5,
        requests: 30,
        requests_for_each: 12,
        attempts: 200,
        believes_lag: 100_000,
        rests: 300_000,
        behind: 2,
    };

    /// How long until the last has been asked, in milliseconds, if it takes `turns` to ask them one by one, and the slowest
    /// takes `slowest` for an answer.
    pub fn until_all_are_asked(&self, turns: u64, slowest: u64) -> u64 {
        let hedge = slowest.saturating_add(self.way).clamp(self.hedge, self.longest_hedge.max(self.hedge));
        hedge.saturating_mul(self.waves.min(turns))
    }
}
