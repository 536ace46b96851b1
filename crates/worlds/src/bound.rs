//! The limits of time and requests for a wallet, all in one place.

/// How much time and how many requests a wallet may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The hedge delay: how long without an answer until the next provider is asked, in milliseconds.
    pub hedge: u64,
    /// The longest hedge delay, where answers are known to be slow, in milliseconds.
    pub longest_hedge: u64,
    /// The number of hedge delays until all providers have been asked.
    pub waves: u64,
    /// How long a newer head is awaited while the known one is young enough, in milliseconds.
    pub gain: u64,
    /// The longest network round trip, without the latency of the party, in milliseconds.
    pub way: u64,
    /// How long a read may go on after its proof, for requests that only later reads need, in milliseconds.
    pub afterwards: u64,
    /// How much a deadline may be exceeded, in milliseconds.
    pub grace: u64,
    /// The requests that one provider may get within a minute, without those for accounts.
    pub requests: u64,
    /// The further requests for each account in each read.
    pub requests_for_each: u64,
    /// The most round trips to one provider for a token that was never read.
    pub token_steps: u64,
    /// The attempts that one reading may list.
    pub attempts: usize,
    /// How long the client may assume that all sources lag, after all were late once, in milliseconds.
    pub believes_lag: u64,
    /// The longest backoff of a party with a rate limit or without quota, in milliseconds. It does not
    /// count the time that the device sleeps.
    pub longest_backoff: u64,
    /// How many blocks a proven reading may be behind the newest signed one, if that is available.
    pub behind: u64,
}

impl Bounds {
    /// The limits of the dispatcher: the primary provider, one hedge, then fan-out.
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
        token_steps: 6,
        attempts: 200,
        believes_lag: 100_000,
        longest_backoff: 300_000,
        behind: 2,
    };

    /// Milliseconds until the last provider is asked, if there are `turns` of them and the slowest
    /// answers in `slowest`.
    pub fn until_all_are_asked(&self, turns: u64, slowest: u64) -> u64 {
        let hedge = slowest.saturating_add(self.way).clamp(self.hedge, self.longest_hedge.max(self.hedge));
        hedge.saturating_mul(self.waves.min(turns))
    }
}
