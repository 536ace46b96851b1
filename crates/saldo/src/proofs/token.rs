//! What the proofs of a token show, and what else has to be asked for.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use saldo_chain::{Anchor, Environment};
use saldo_proof::StateRoot;
use saldo_proof::eip1186::AccountReply;
use saldo_reading::{Asset, Failure, Holding, ProviderId, Why};
use saldo_source::execution::{At, Question, code};
use saldo_token::{Hint, ProvenState, Query};

use super::Proofs;
use super::plan::{Need, Part, Parts, Piece, Plan, covers};
use super::target::{Checked, Shown};
use crate::event;
use crate::token_proof::{AccountProof, Seen, SlotProof, TokenProof};
use crate::token_run::{self, Meter, NoBalance};

impl Proofs {
    /// Plans the questions about `holdings` at the block `at`.
    pub(super) fn plan(&self, holdings: &[Holding], at: At) -> Plan {
        let needs: Vec<Need> = holdings.iter().map(|holding| self.need(*holding)).collect();
        Plan::new(&needs, at)
    }

    fn need(&self, holding: Holding) -> Need {
        let Some(token) = token_of(&holding) else { return Need::Account(holding.owner()) };
        let block = self.block_to_run_in(None);
        let hints = &self.state().hints;
        Need::Token(query(hints, token, holding.owner(), block.as_ref(), None, &mut Meter::default()))
    }

    /// The environment of the block `anchor`, else of the newest trusted block. `None` also where no code is run.
    fn block_to_run_in(&self, anchor: Option<&Anchor>) -> Option<Environment> {
        if !cfg!(feature = "execute") {
            return None;
        }
        let newest = || self.head.newest(self.env.policy.assurance);
        anchor.cloned().or_else(newest)?.environment(&self.head.network()).ok()
    }

    /// Checks the proofs of a token's balance: under `root`, or under the root that all of them claim.
    pub(super) fn verify_token(
        &self,
        holding: Holding,
        parts: &Parts,
        provider: &ProviderId,
        root: Option<StateRoot>,
    ) -> Result<Checked, Failure> {
        let token = token_of(&holding).ok_or(Failure::NoResult)?;
        let (mut proof, replies) = read_token(parts)?;
        let root = root.map_or_else(|| one_root(&proof), Ok)?;
        let mut is_contradicted = false;
        let mut state = proof.state_beside(root, |place, seen| {
            is_contradicted |= replies.get(place).is_some_and(|reply| contradicts(reply, &seen));
        })?;
        if is_contradicted {
            // As for the coin: the leaf decides.
            event::claim_contradicts(provider);
        }
        self.state().hints.lend_codes(&mut state);
        let shown = match self.balance(&state, token, holding.owner()) {
            Ok(shown) => shown,
            Err(NoBalance::Later) => {
                state.drop_other_codes();
                Shown::Later { state: Arc::new(state.clone()) }
            }
            Err(NoBalance::Never(why)) => Shown::NoBalance { root, why },
            Err(NoBalance::Missing { .. }) if parts.is_over() => {
                let reason =
                    "it needs more requests or more work than saldo spends on one balance".to_owned();
                Shown::NoBalance { root, why: Why::TokenNotRun { reason } }
            }
            Err(NoBalance::Missing { has_code }) => {
                let failure = parts.failure().filter(|_| has_code);
                return Err(failure.cloned().unwrap_or(NOT_ALL));
            }
        };
        let is_kept = self.keeps_nodes && matches!(shown, Shown::Token(_) | Shown::Later { .. });
        let nodes = is_kept.then(|| {
            proof.take_codes(&state);
            Arc::from([Bytes::from(alloy_rlp::encode(&proof))])
        });
        Ok(Checked { shown, nodes })
    }

    fn balance(&self, state: &ProvenState, token: Address, owner: Address) -> Result<Shown, NoBalance> {
        let anchor = self.head.anchor_at_root(state.root());
        let balance = token_run::balance(state, anchor.as_ref(), &self.head.network(), token, owner)?;
        Ok(Shown::Token(Arc::new(balance)))
    }

    /// Runs the token's code, if that had to wait until its block is trusted, and the block is trusted by now.
    ///
    /// # Errors
    /// [`Failure`] if not everything was proven that the code needs in that block. The proof is worth nothing then.
    pub(crate) fn finish(&self, holding: Holding, checked: Checked) -> Result<Checked, Failure> {
        let Shown::Later { state } = &checked.shown else { return Ok(checked) };
        let token = token_of(&holding).ok_or(Failure::NoResult)?;
        let shown = match self.balance(state, token, holding.owner()) {
            Ok(shown) => shown,
            Err(NoBalance::Later) => return Ok(checked),
            Err(NoBalance::Never(why)) => Shown::NoBalance { root: state.root(), why },
            Err(NoBalance::Missing { .. }) => return Err(NOT_ALL),
        };
        Ok(Checked { shown, nodes: checked.nodes })
    }

    /// Learns from `parts` what the token of `holding` is, and returns what the provider has to be asked for again, if it is more.
    /// `root` is that of the block, if its header is known.
    pub(super) fn needs_more(
        &self,
        holding: Holding,
        parts: &mut Parts,
        root: Option<StateRoot>,
        meter: &mut Meter,
    ) -> Option<Query> {
        let token = token_of(&holding)?;
        let (proof, _) = read_token(parts).ok()?;
        let root = root.map_or_else(|| one_root(&proof), Ok).ok()?;
        let mut state = proof.state(root).ok()?;
        let anchor = self.head.anchor_at_root(root);
        let (block, network) = (self.block_to_run_in(anchor.as_ref()), self.head.network());
        self.state().hints.lend_codes(&mut state);
        let outcome =
            token_run::balance_within(&state, anchor.as_ref(), &network, token, holding.owner(), meter);
        let mut locked = self.state();
        locked.hints.learn(&state, token);
        let needs_more = matches!(outcome, Err(NoBalance::Missing { .. } | NoBalance::Later));
        #[cfg(feature = "execute")]
        let is_token = !matches!(outcome, Err(NoBalance::Never(Why::NotAToken { .. })));
        if !needs_more && !parts.is_guessed() {
            #[cfg(feature = "execute")]
            if is_token {
                locked.hints.learn_all(&state);
            }
            return None;
        }
        let query = query(&locked.hints, token, holding.owner(), block.as_ref(), Some(&state), meter);
        #[cfg(feature = "execute")]
        if is_token {
            locked.hints.learn_of(&state, &query);
        }
        if needs_more && !covers(parts, &query) {
            return Some(query);
        }
        parts.keep(&query);
        None
    }
}

/// What is kept of contracts.
impl Proofs {
    /// What a call would ask for, by the hints.
    #[cfg(feature = "execute")]
    pub(crate) fn foresee(&self, guess: impl FnOnce(&Hint) -> Query) -> Query {
        guess(&self.state().hints)
    }

    /// What the balance of `token` that `owner` holds at the block `anchor` needs, by the hints and by what is `proven`, as one of
    /// several rounds.
    pub(crate) fn query_of(
        &self,
        token: Address,
        owner: Address,
        anchor: &Anchor,
        proven: Option<&ProvenState>,
        meter: &mut Meter,
    ) -> Query {
        let block = self.block_to_run_in(Some(anchor));
        query(&self.state().hints, token, owner, block.as_ref(), proven, meter)
    }

    /// Keeps what `state` proves of the contract `token` as a hint, and gives it the codes that are kept.
    pub(crate) fn exchange_hints(&self, state: &mut ProvenState, token: Address) {
        let mut locked = self.state();
        locked.hints.learn(state, token);
        #[cfg(feature = "execute")]
        locked.hints.learn_all(state);
        locked.hints.lend_codes(state);
    }
}

const NOT_ALL: Failure = Failure::Malformed { what: "not all that the balance of the token needs" };

/// What a balance of `owner` needs, as far as the hints and what is `proven` reach. Where the token's code has to be run, it is run
/// over them, in a block like that of `environment`.
#[cfg(feature = "execute")]
fn query(
    hints: &Hint,
    token: Address,
    owner: Address,
    environment: Option<&Environment>,
    proven: Option<&ProvenState>,
    meter: &mut Meter,
) -> Query {
    match environment {
        Some(environment) => hints.query_within(token, owner, environment, proven, meter),
        None => hints.query(token, owner),
    }
}

/// What a balance of `owner` needs, as far as the hints reach. This build runs no code.
#[cfg(not(feature = "execute"))]
fn query(
    hints: &Hint,
    token: Address,
    owner: Address,
    _: Option<&Environment>,
    _: Option<&ProvenState>,
    _: &mut Meter,
) -> Query {
    hints.query(token, owner)
}

pub(super) fn token_of(holding: &Holding) -> Option<Address> {
    match holding.asset() {
        Asset::Erc20(token) => Some(token),
        _ => None,
    }
}

fn one_root(proof: &TokenProof) -> Result<StateRoot, Failure> {
    proof.claimed_root()?.ok_or(Failure::Malformed { what: "proofs of different blocks" })
}

pub(super) fn read(part: &Part) -> Result<AccountReply, Failure> {
    let malformed = |_| Failure::Malformed { what: "not an eth_getProof result" };
    let result = part.result.as_ref().map_err(Clone::clone)?;
    serde_json::from_str(result.get()).map_err(malformed)
}

/// Whether a claim of `reply` differs from what was proven.
fn contradicts(reply: &AccountReply, seen: &Seen<'_>) -> bool {
    match seen {
        Seen::Account(account) => reply.contradictions(account).any(),
        Seen::Slot(slot) => reply.storage(slot.subject().key).is_some_and(|claim| claim.contradicts(slot)),
    }
}

/// The proofs and codes of `parts`, and the replies with the proofs of accounts. Slots and codes that the provider did not give
/// are left out.
pub(super) fn read_token(parts: &Parts) -> Result<(TokenProof, Vec<AccountReply>), Failure> {
    let (mut proof, mut replies) = (TokenProof::default(), Vec::new());
    for piece in parts.pieces() {
        match (&piece.part.question, &piece.part.result) {
            (Question::Code { .. }, Ok(result)) => proof.codes.push(code(result)?),
            (Question::Code { .. }, Err(_)) => {}
            _ => {
                let (account, reply) = read_account(piece)?;
                proof.accounts.push(account);
                replies.push(reply);
            }
        }
    }
    Ok((proof, replies))
}

pub(super) fn read_account(piece: &Piece) -> Result<(AccountProof, AccountReply), Failure> {
    let Question::Proof { address, .. } = &piece.part.question else { return Err(Failure::NoResult) };
    let reply = read(&piece.part)?;
    let slot = |key: &B256| Some(SlotProof { key: *key, nodes: reply.storage(*key)?.proof.clone() });
    let slots = piece.keys.iter().filter_map(slot).collect();
    Ok((AccountProof { address: *address, nodes: reply.account_proof.clone(), slots }, reply))
}

/// The first of `parts` whose proofs are false under `root`; the first of all if none is.
pub(super) fn first_false(parts: &Parts, root: StateRoot) -> Option<&Piece> {
    let is_false = |piece: &&Piece| {
        let accounts = read_account(piece).into_iter().map(|(account, _)| account).collect();
        TokenProof { accounts, codes: Vec::new() }.state(root).is_err()
    };
    parts.pieces().iter().find(is_false).or(parts.pieces().first())
}
