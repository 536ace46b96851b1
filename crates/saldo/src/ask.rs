//! Asking the providers for proofs, and weighing what they say.

use alloy_primitives::B256;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo_chain::{Anchor, ExecutionHeader, HeaderError, Level};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, StateRoot, Verified, claimed_root};
use saldo_reading::{Failure, Holding, Proven, ProviderId, Role};
use saldo_source::execution::{At, Question, ask_together, chain_id};
use saldo_source::{Answer, Contest, Deadline, Endpoint, Race};
use serde_json::value::RawValue;

use crate::core::{Core, Joined};
use crate::evidence::Evidence;
use crate::parked::Waiting;

/// Which block a proof is asked for at.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A trusted one.
    Known(Anchor),
    /// That of a head which tells its hash alone: its header is asked for along with the proof.
    ByHash(B256),
    /// The provider's own newest.
    Tip,
}

/// What proofs are wanted for.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    pub(crate) target: Target,
    /// How sure the block must be.
    pub(crate) level: Level,
}

/// The block that a proof was asked for at.
#[derive(Clone, Copy)]
pub(crate) struct Pin {
    pub(crate) hash: B256,
    pub(crate) number: u64,
    pub(crate) state_root: StateRoot,
}

/// A result of `eth_getProof`, and whether it was asked for by the block's hash: by its number, an honest provider may
/// mean another block.
struct Reply {
    result: Result<Box<RawValue>, Failure>,
    by_hash: bool,
}

impl Core {
    /// Asks for the proofs of `holdings` that `aim` is about, until each is proven or nobody is left to ask.
    pub(crate) async fn prove(
        &self,
        holdings: &[Holding],
        aim: &Aim,
        deadline: Deadline,
    ) -> Vec<Race<Box<Proven>>> {
        let mut races = self.prove_once(holdings, aim, deadline).await;
        let brought = match &aim.target {
            Target::ByHash(hash) => self.known().chain.anchor_at_hash(*hash).cloned(),
            Target::Known(_) | Target::Tip => None,
        };
        let open: Vec<usize> = (0..races.len())
            .filter(|place| races.get(*place).is_some_and(|race| race.winner.is_none()))
            .collect();
        let Some(anchor) = brought.filter(|_| !open.is_empty()) else { return races };
        // Who had no header was not asked for a proof under it; meanwhile somebody else brought the header.
        let again = Aim { target: Target::Known(anchor), ..aim.clone() };
        let asked: Vec<Holding> = open.iter().filter_map(|place| holdings.get(*place).copied()).collect();
        for (place, second) in open.into_iter().zip(self.prove_once(&asked, &again, deadline).await) {
            if let Some(race) = races.get_mut(place) {
                let attempts = [std::mem::take(&mut race.attempts), second.attempts].concat();
                *race = Race { attempts, ..second };
            }
        }
        races
    }

    async fn prove_once(
        &self,
        holdings: &[Holding],
        aim: &Aim,
        deadline: Deadline,
    ) -> Vec<Race<Box<Proven>>> {
        let (most, strict) = (self.policy.operators_per_address, self.policy.strict);
        let audiences = {
            let known = self.known();
            holdings.iter().map(|holding| known.circles.audience(holding.owner, most, strict)).collect()
        };
        let ask = |provider, places: Vec<usize>| -> BoxFuture<'_, Vec<Answer<Box<Proven>>>> {
            let asked: Vec<Holding> =
                places.iter().filter_map(|place| holdings.get(*place).copied()).collect();
            async move { self.ask(provider, &asked, aim, deadline).await }.boxed()
        };
        let contest = Contest { role: Role::Execution, method: "eth_getProof", deadline };
        self.asker.race(contest, &self.execution, audiences, ask).await
    }

    /// Asks one provider for proofs at the block aimed at; where it has none there, at its own tip, which may be signed
    /// later.
    pub(crate) async fn ask(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        aim: &Aim,
        deadline: Deadline,
    ) -> Vec<Answer<Box<Proven>>> {
        let most = self.policy.operators_per_address;
        let told: Vec<bool> = {
            let mut known = self.known();
            holdings.iter().map(|holding| known.circles.tell(holding.owner, provider, most)).collect()
        };
        let answers = self.ask_for(provider, holdings, aim, deadline).await;
        let mut known = self.known();
        for ((holding, is_new), answer) in holdings.iter().zip(told).zip(&answers) {
            match answer {
                Answer::Wins(_) => {
                    known.circles.admit(holding.owner, provider);
                }
                Answer::Fails(failure) if is_new && !failure.may_have_been_seen() => {
                    known.circles.forget(holding.owner, provider);
                }
                _ => {}
            }
        }
        drop(known);
        answers
    }

    async fn ask_for(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        aim: &Aim,
        deadline: Deadline,
    ) -> Vec<Answer<Box<Proven>>> {
        // Somebody else may have brought the header since.
        let known = |hash| self.known().chain.anchor_at_hash(hash).cloned();
        let (pin, replies) = match &aim.target {
            Target::Known(anchor) => self.at_anchor(provider, holdings, anchor, aim.level, deadline).await,
            Target::ByHash(hash) => match known(*hash) {
                Some(anchor) => self.at_anchor(provider, holdings, &anchor, aim.level, deadline).await,
                None => match self.header_and_proofs(provider, holdings, *hash, deadline).await {
                    Ok((header, replies)) => (Some(Pin::of(&header)), replies),
                    Err(failure) => (None, Reply::all(holdings, &failure)),
                },
            },
            Target::Tip => (None, Reply::all(holdings, &Failure::NoResult)),
        };
        let mut answers: Vec<Option<Answer<Box<Proven>>>> = Vec::with_capacity(holdings.len());
        let mut missed: Vec<(usize, Holding, Failure)> = Vec::new();
        for (place, (holding, reply)) in holdings.iter().zip(replies).enumerate() {
            let failure = match (pin, reply.result) {
                (Some(pin), Ok(result)) => {
                    let answer = self.weigh_pinned(provider, *holding, aim, pin, &result, reply.by_hash);
                    answers.push(Some(answer));
                    continue;
                }
                (None, Ok(_)) => Failure::NoResult,
                (_, Err(failure)) => failure,
            };
            if Self::takes_tips(aim.level) && is_about_the_block(&failure) {
                missed.push((place, *holding, failure));
                answers.push(None);
            } else {
                answers.push(Some(Answer::Fails(failure)));
            }
        }
        let tips = self.ask_for_tips(provider, &missed, aim, deadline).await;
        for ((place, ..), answer) in missed.into_iter().zip(tips) {
            if let Some(slot) = answers.get_mut(place) {
                *slot = Some(answer);
            }
        }
        let answers =
            answers.into_iter().map(|answer| answer.unwrap_or(Answer::Fails(Failure::NoResult))).collect();
        self.told_apart_from_another_chain(provider, answers, deadline).await
    }

    /// Asks for proofs at the provider's own tip, of the holdings `missed` at the block that was aimed at.
    async fn ask_for_tips(
        &self,
        provider: &Endpoint,
        missed: &[(usize, Holding, Failure)],
        aim: &Aim,
        deadline: Deadline,
    ) -> Vec<Answer<Box<Proven>>> {
        let holdings: Vec<Holding> = missed.iter().map(|(_, holding, _)| *holding).collect();
        let replies = self.proofs(provider, &holdings, At::Latest, deadline).await;
        let accounts: Vec<Result<Verified<Account>, Failure>> = missed
            .iter()
            .zip(replies)
            .map(|((_, holding, missed), reply)| {
                let reply = reply.map_err(|failure| match (failure, &aim.target) {
                    // Not even of its own tip: it serves no proofs at all.
                    (Failure::ProofWindowMissed, _) => Failure::NotServed { method: "eth_getProof" },
                    (failure, Target::Tip) => failure,
                    (failure, _) if failure.is_unreachable() => failure,
                    _ => missed.clone(),
                });
                verify(&reply?, *holding, provider.id(), None)
            })
            .collect();
        let is_claim = |account: &Result<Verified<Account>, Failure>| match account {
            Ok(account) => self.known().chain.anchor_at_root(account.state_root()).is_none(),
            Err(_) => false,
        };
        // Before a claim is kept that nothing vouches for: is it at least about this chain?
        if accounts.iter().any(is_claim)
            && let Err(other) = self.confirm_chain(provider, deadline).await
        {
            return missed.iter().map(|_| Answer::Fails(other.clone())).collect();
        }
        let answers = missed.iter().zip(accounts).map(|((_, holding, missed), account)| match account {
            Err(failure) => Answer::Fails(failure),
            Ok(account) => {
                if *missed == Failure::ProofWindowMissed {
                    self.learn(provider.id(), |known| known.behind_tip = false);
                }
                self.weigh(*holding, account, aim, provider.id())
            }
        });
        answers.collect()
    }

    /// What a reply is worth that was asked for at the block `pin`.
    fn weigh_pinned(
        &self,
        provider: &Endpoint,
        holding: Holding,
        aim: &Aim,
        pin: Pin,
        reply: &RawValue,
        by_hash: bool,
    ) -> Answer<Box<Proven>> {
        let refusal = match verify(reply, holding, provider.id(), Some(pin.state_root)) {
            Ok(account) => return self.weigh(holding, account, aim, provider.id()),
            Err(refusal) => refusal,
        };
        // It may be a genuine proof at another block of this chain: then it is that block's, and no lie.
        if let Ok(account) = verify(reply, holding, provider.id(), None)
            && self.known().chain.anchor_at_root(account.state_root()).is_some()
        {
            return self.weigh(holding, account, aim, provider.id());
        }
        if by_hash && let Failure::Proof(_) = refusal {
            self.asker.strike(provider.id());
            let evidence = Evidence::new(provider.id(), holding, pin, reply, &refusal);
            self.known().evidence.keep(evidence);
        }
        Answer::Fails(refusal)
    }

    /// A proof that does not prove may be a genuine one of another chain: where there is one, the provider is asked which
    /// chain it serves.
    async fn told_apart_from_another_chain(
        &self,
        provider: &Endpoint,
        answers: Vec<Answer<Box<Proven>>>,
        deadline: Deadline,
    ) -> Vec<Answer<Box<Proven>>> {
        let is_doubtful = |answer: &Answer<Box<Proven>>| match answer {
            Answer::Wins(_) | Answer::Parks { .. } => false,
            Answer::Fails(failure) => matches!(
                failure,
                Failure::Proof(_)
                    | Failure::Malformed { .. }
                    | Failure::Header(HeaderError::HashMismatch { .. })
            ),
        };
        if !answers.iter().any(is_doubtful) {
            return answers;
        }
        let Err(other) = self.confirm_chain(provider, deadline).await else { return answers };
        let told = |answer: Answer<Box<Proven>>| {
            if is_doubtful(&answer) { Answer::Fails(other.clone()) } else { answer }
        };
        answers.into_iter().map(told).collect()
    }

    async fn at_anchor(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        anchor: &Anchor,
        level: Level,
        deadline: Deadline,
    ) -> (Option<Pin>, Vec<Reply>) {
        let pin = Pin { hash: anchor.hash(), number: anchor.number(), state_root: anchor.state_root() };
        if !self.capability(provider.id()).behind_tip && Self::takes_tips(level) {
            return (Some(pin), Reply::all(holdings, &Failure::ProofWindowMissed));
        }
        (Some(pin), self.pinned(provider, holdings, pin, deadline).await)
    }

    /// Asks one provider for proofs at the block `pin`: by its hash, and where the provider does not take that, by its
    /// number.
    async fn pinned(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        pin: Pin,
        deadline: Deadline,
    ) -> Vec<Reply> {
        if !self.capability(provider.id()).block_hash {
            let by_number = self.proofs(provider, holdings, At::Number(pin.number), deadline).await;
            return by_number.into_iter().map(|result| Reply { result, by_hash: false }).collect();
        }
        let by_hash = self.proofs(provider, holdings, At::Hash(pin.hash), deadline).await;
        let is_unread = |failure: &Failure| matches!(failure, Failure::Rpc { .. });
        self.or_by_number(provider, holdings, pin, by_hash, is_unread, deadline).await
    }

    /// `by_hash`, with those that the provider seems not to have understood (`is_unread`) asked for again by the block's
    /// number.
    async fn or_by_number(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        pin: Pin,
        by_hash: Vec<Result<Box<RawValue>, Failure>>,
        is_unread: impl Fn(&Failure) -> bool,
        deadline: Deadline,
    ) -> Vec<Reply> {
        let is_unread = |reply: &Result<Box<RawValue>, Failure>| reply.as_ref().is_err_and(&is_unread);
        let replies = holdings.iter().zip(&by_hash);
        let unread: Vec<Holding> =
            replies.filter(|(_, reply)| is_unread(reply)).map(|(holding, _)| *holding).collect();
        let mut by_number =
            self.proofs(provider, &unread, At::Number(pin.number), deadline).await.into_iter().peekable();
        if by_number.peek().is_some_and(Result::is_ok) {
            self.learn(provider.id(), |known| known.block_hash = false);
        }
        let reply = |reply: Result<Box<RawValue>, Failure>| match is_unread(&reply) {
            true => Reply { result: by_number.next().unwrap_or(reply), by_hash: false },
            false => Reply { result: reply, by_hash: true },
        };
        by_hash.into_iter().map(reply).collect()
    }

    /// Asks one provider for the header of this hash and proofs at it, in one request where it takes that. The header is
    /// taken into the chain.
    async fn header_and_proofs(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        hash: B256,
        deadline: Deadline,
    ) -> Result<(ExecutionHeader, Vec<Reply>), Failure> {
        let known = self.capability(provider.id());
        if !known.block_hash {
            let header = self.header(provider, hash, deadline).await?;
            self.take(&header);
            let replies = self.pinned(provider, holdings, Pin::of(&header), deadline).await;
            return Ok((header, replies));
        }
        let of_header = if known.json_header { Question::Block(hash) } else { Question::RawHeader(hash) };
        let proofs = holdings.iter().map(|holding| proof_of(*holding, At::Hash(hash)));
        let questions: Vec<Question> = std::iter::once(of_header.clone()).chain(proofs).collect();
        let mut each = self.together(provider, &questions, deadline).await.into_iter();
        let reply = each.next().unwrap_or(Err(Failure::NoResult));
        let header = self.read_header(provider, &of_header, reply, hash, deadline).await?;
        self.take(&header);
        // It has the block, since it gave the header: whatever it says, perhaps it does not take a hash.
        let is_unread = |failure: &Failure| {
            matches!(
                failure,
                Failure::Rpc { .. } | Failure::NoResult | Failure::NotSynced | Failure::Malformed { .. }
            )
        };
        let (pin, by_hash) = (Pin::of(&header), each.collect());
        let replies = self.or_by_number(provider, holdings, pin, by_hash, is_unread, deadline).await;
        Ok((header, replies))
    }

    async fn proofs(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        at: At,
        deadline: Deadline,
    ) -> Vec<Result<Box<RawValue>, Failure>> {
        let questions: Vec<Question> = holdings.iter().map(|holding| proof_of(*holding, at)).collect();
        self.together(provider, &questions, deadline).await
    }

    async fn together(
        &self,
        provider: &Endpoint,
        questions: &[Question],
        deadline: Deadline,
    ) -> Vec<Result<Box<RawValue>, Failure>> {
        let known = self.capability(provider.id()).batch;
        let together =
            ask_together(self.asker.network(), provider, questions, known, self.time_left(deadline)).await;
        if together.batch != known {
            self.learn(provider.id(), |known| known.batch = together.batch);
        }
        together.each
    }

    /// What a complete proof is worth: an amount if its root is trusted, else a claim that waits.
    fn weigh(
        &self,
        holding: Holding,
        account: Verified<Account>,
        aim: &Aim,
        provider: &ProviderId,
    ) -> Answer<Box<Proven>> {
        match self.join(holding, &account, provider, aim.level) {
            Joined::Proven(proven) => Answer::Wins(proven),
            Joined::Old { number } => Answer::Fails(Failure::OldBlock { number }),
            Joined::NotYet if !Self::takes_tips(aim.level) => Answer::Fails(Failure::NotSynced),
            Joined::NotYet => {
                let was_right_before = self.capability(provider).tips_were_signed;
                let mut known = self.known();
                let above = known.chain.newest(aim.level).map(Anchor::number);
                let came = self.asker.network().clock().monotonic();
                known.parked.keep(holding, Waiting { provider: provider.clone(), account, above, came });
                Answer::Parks { was_right_before }
            }
        }
    }

    async fn confirm_chain(&self, provider: &Endpoint, deadline: Deadline) -> Result<(), Failure> {
        let expected = self.network().chain_id();
        if self.known().chain_confirmed.contains(provider.id()) {
            return Ok(());
        }
        match chain_id(self.asker.network(), provider, self.time_left(deadline)).await {
            Ok(got) if got != expected => Err(Failure::WrongChain { got, expected }),
            Ok(_) => {
                self.known().chain_confirmed.insert(provider.id().clone());
                Ok(())
            }
            // One that cannot say is judged by its proofs alone.
            Err(_) => Ok(()),
        }
    }
}

impl Pin {
    fn of(header: &ExecutionHeader) -> Self {
        Self { hash: header.hash(), number: header.number(), state_root: header.state_root() }
    }
}

impl Reply {
    fn all(holdings: &[Holding], failure: &Failure) -> Vec<Self> {
        holdings.iter().map(|_| Self { result: Err(failure.clone()), by_hash: false }).collect()
    }
}

pub(crate) fn proof_of(holding: Holding, at: At) -> Question {
    Question::Proof { address: holding.owner, keys: Vec::new(), at }
}

/// Checks a reply to `eth_getProof` against what was asked, never against what it echoes: under `root`, or without one,
/// under the root that its own first node has.
fn verify(
    reply: &RawValue,
    holding: Holding,
    provider: &ProviderId,
    root: Option<StateRoot>,
) -> Result<Verified<Account>, Failure> {
    let reply: AccountReply = serde_json::from_str(reply.get())
        .map_err(|_| Failure::Malformed { what: "not an eth_getProof result" })?;
    let root = root.map_or_else(|| claimed_root(&reply.account_proof), Ok)?;
    let account = reply.verify(root, holding.owner)?;
    if reply.contradictions(&account).any() {
        // The leaf decides. That the claim beside it says otherwise is worth knowing about the provider.
        tracing::warn!(%provider, "claim contradicts proof");
    }
    Ok(account)
}

/// Whether the provider might answer the same question about another block.
fn is_about_the_block(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::ProofWindowMissed | Failure::NotSynced | Failure::NoResult | Failure::Rpc { .. }
    )
}
