//! Tells a server without light-client routes from a source that only lacks one object.

use std::time::Duration;

use futures_util::future::join_all;
use saldo_beacon::unit::Period;
use saldo_reading::{Attempt, Failure, Outcome, Role, Why};
use saldo_source::beacon::Route;
use saldo_source::{Deadline, Endpoint};

use super::Head;
use super::step::Round;

/// The name in a [`Failure`] of all light-client routes together.
const ALL_ROUTES: &str = "light_client";

impl Head {
    /// How long a source counts as one that serves light-client routes after it served one.
    const ROUTES_SERVED: Duration = Duration::from_secs(5 * 60);

    /// Replaces the reason of a failed `round` if no source serves any light-client route. A newer checkpoint would not help then.
    ///
    /// Asks the sources only if all of them refused what was asked for.
    pub(super) async fn name_missing_routes(&self, round: Round, deadline: Deadline) -> Round {
        let may_lack_one_object = matches!(
            round.problem,
            Some(Why::CheckpointNotServed | Why::HandOverMissing { .. } | Why::LightClientBehind { .. })
        );
        let beacon: Vec<&Attempt> =
            round.attempts.iter().filter(|attempt| attempt.role == Role::Beacon).collect();
        let refused: Vec<&Endpoint> = self
            .env
            .beacon
            .iter()
            .filter(|source| beacon.iter().any(|attempt| attempt.provider == *source.id()))
            .collect();
        if !may_lack_one_object || refused.is_empty() || !beacon.iter().all(|attempt| is_unserved(attempt)) {
            return round;
        }
        let asked = refused.iter().map(|source| self.serves_no_route(source, deadline));
        let serves_none: Vec<bool> = join_all(asked).await;
        let is_without = |attempt: &Attempt| {
            let mut known = refused.iter().zip(&serves_none);
            attempt.role == Role::Beacon
                && known.any(|(source, none)| *none && attempt.provider == *source.id())
        };
        let mut attempts = round.attempts.clone();
        for attempt in attempts.iter_mut().filter(|attempt| is_without(attempt)) {
            attempt.outcome = Outcome::Failed(Failure::NotServed { method: ALL_ROUTES });
        }
        let problem =
            if serves_none.contains(&false) { round.problem } else { Some(Why::NoLightClientRoutes) };
        Round { attempts, problem, ..round }
    }

    /// Whether the source refuses each light-client route that does not depend on a block root. A source that served one is not
    /// asked again for some minutes.
    async fn serves_no_route(&self, source: &Endpoint, deadline: Deadline) -> bool {
        let now = self.env.clock().monotonic();
        let served = self.state().served_routes.get(source.id()).copied();
        let has_just_served = served.is_some_and(|served| now.saturating_sub(served) < Self::ROUTES_SERVED);
        // A mirror has files, and no routes that could be switched on.
        if source.is_mirror() || has_just_served {
            return false;
        }
        let serves_none = self.refuses_all_routes(source, deadline).await;
        if !serves_none {
            self.state().served_routes.insert(source.id().clone(), now);
        }
        serves_none
    }

    async fn refuses_all_routes(&self, source: &Endpoint, deadline: Deadline) -> bool {
        let network = self.network();
        let present = network.slot_at(self.time()).map_or(Period::new(0), |slot| network.period_at(slot));
        let routes = [
            Route::OptimisticUpdate,
            // Some servers refuse both newest updates until the first finality, and have a list of updates.
            Route::FinalityUpdate,
            Route::Updates { start: present, count: 1 },
        ];
        for route in routes {
            match self.fetch(source, route, deadline).await {
                Err(Failure::NotServed { .. }) => {}
                Ok(_) | Err(_) => return false,
            }
        }
        true
    }
}

fn is_unserved(attempt: &Attempt) -> bool {
    matches!(attempt.outcome.failure(), Some(Failure::NotServed { .. }))
}
