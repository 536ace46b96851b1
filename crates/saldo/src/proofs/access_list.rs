//! What a provider says that a token's code reads (`eth_createAccessList`). It is a guess of what to ask for next.

#[cfg(feature = "execute")]
use futures_util::future::{Either, select};
#[cfg(feature = "execute")]
use saldo_reading::Failure;
use saldo_reading::Holding;
use saldo_source::execution::At;
#[cfg(feature = "execute")]
use saldo_source::execution::{Question, access_list, ask_apart};
use saldo_source::{Deadline, Endpoint, SortedMap};
use saldo_token::Query;

use super::Proofs;
#[cfg(feature = "execute")]
use super::token::token_of;

/// What the lists name, for each holding by its place.
pub(super) type Listed = SortedMap<usize, Query>;

#[cfg(feature = "execute")]
impl Proofs {
    /// How long a list is waited for. The proofs that are asked for at the same time may take longer.
    const WAIT: std::time::Duration = std::time::Duration::from_secs(1);

    /// Asks what the codes of these tokens read, each with its owner and the place of its holding. Codes that are known not to be run
    /// are left out. One request of its own has all of it: a list can be long, and the method is missing at many providers.
    pub(super) async fn access_lists(
        &self,
        provider: &Endpoint,
        holdings: Vec<(usize, Holding)>,
        at: At,
        deadline: Deadline,
    ) -> Listed {
        let known = self.capability(provider.id());
        if !known.access_lists || known.batch.is_paced() {
            return Listed::new();
        }
        let (places, questions) = self.questions_for_lists(holdings, known.batch.size(), at);
        if questions.is_empty() {
            return Listed::new();
        }
        let wait = self.env.time_left(deadline).min(Self::WAIT);
        let asking = ask_apart(self.env.dispatcher.io(), provider, &questions, wait);
        let lists = match select(Box::pin(asking), self.env.clock().sleep(wait)).await {
            Either::Left((results, _)) => results,
            Either::Right(_) => Vec::new(),
        };
        let lists: Vec<_> = lists.into_iter().map(|result| result.map(|list| access_list(&list))).collect();
        // A call that fails on the chain, or a temporary failure, does not show that the method is missing.
        let is_unserved = |list: &Result<Option<_>, Failure>| match list {
            Ok(list) => list.is_none(),
            Err(failure) => says_unserved(failure),
        };
        let is_late = lists.is_empty() && wait == Self::WAIT;
        if is_late || lists.iter().any(is_unserved) {
            self.learn(provider.id(), |known| known.access_lists = false);
        }
        let state = self.state();
        let read = places.into_iter().zip(lists);
        read.filter_map(|(place, list)| Some((place, state.hints.query_of_list(list.ok()??)))).collect()
    }

    /// At most so many questions for lists, each with the place of its holding.
    fn questions_for_lists(
        &self,
        holdings: Vec<(usize, Holding)>,
        most: usize,
        at: At,
    ) -> (Vec<usize>, Vec<Question>) {
        let state = self.state();
        let question = |(place, holding): (usize, Holding)| {
            let call = state.hints.call_of(token_of(&holding)?, holding.owner())?;
            Some((place, Question::AccessList { to: call.to, data: call.data, at }))
        };
        holdings.into_iter().filter_map(question).take(most).unzip()
    }
}

/// Whether a request that failed like this would fail again.
#[cfg(feature = "execute")]
fn says_unserved(failure: &Failure) -> bool {
    use saldo_reading::TransportError::TooLarge;
    let is_of_request =
        matches!(failure, Failure::Http { status: 400..=499 } | Failure::Transport(TooLarge { .. }));
    is_of_request
        || matches!(
            failure,
            Failure::NotServed { .. }
                | Failure::Denied { .. }
                | Failure::NoResult
                | Failure::Malformed { .. }
                | Failure::WebPage
        )
}

#[cfg(not(feature = "execute"))]
impl Proofs {
    /// Asks for nothing: this build runs no code.
    #[expect(clippy::unused_async, reason = "the other build asks")]
    pub(super) async fn access_lists(
        &self,
        _: &Endpoint,
        _: Vec<(usize, Holding)>,
        _: At,
        _: Deadline,
    ) -> Listed {
        Listed::new()
    }
}
