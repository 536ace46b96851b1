//! A beacon source: the REST routes of a beacon node over the chain.
//!
//! Routes as in [beacon-APIs](https://ethereum.github.io/beacon-APIs/).

mod node;
mod object;
pub(crate) mod route;

use saldo_beacon::unit::Period;
use serde_json::json;

use crate::fault::{Fault, Rule, Side};
use crate::http::{HttpRequest, Reply};
use crate::server::{Protocol, Served, Server};
use node::{Node, data, refusal};
use object::Objects;
use route::Route;

/// A beacon source. A handle: clones are the same source.
///
/// For [`Fault::on`] and [`Server::requests`] the routes are called `genesis`, `spec`, `version`, `syncing`,
/// `health`, `headers`, `block_root`, `finality_checkpoints`, `bootstrap`, `updates`, `finality_update` and `optimistic_update`.
pub type BeaconSource = Server<BeaconApi>;

/// The REST routes of a beacon node.
#[derive(Clone, Copy, Debug)]
pub enum BeaconApi {}

impl Protocol for BeaconApi {
    const SIDE: Side = Side::Beacon;

    fn methods(request: &HttpRequest) -> Vec<String> {
        vec![Route::of(&request.path).name().to_owned()]
    }

    fn reply(served: &mut Served, request: &HttpRequest, rules: &[Rule]) -> Reply {
        let route = Route::of(&request.path);
        served.count(route.name());
        if request.method == "GET" {
            answer(served, &route, request, rules)
        } else {
            refusal(405, "method not allowed")
        }
    }
}

fn answer(served: &Served, route: &Route<'_>, request: &HttpRequest, rules: &[Rule]) -> Reply {
    let faults: Vec<&Fault> = rules.iter().map(|rule| &rule.fault).collect();
    let (chain, lag) = (served.chain(&faults), served.lag);
    let objects = Objects { chain, faults: &faults, lag, accept: request.header("accept") };
    let node = Node { chain, faults: &faults, lag };
    if faults.iter().any(|fault| route.is_withheld_by(fault)) {
        return refusal(404, "route not found");
    }
    match route {
        Route::Genesis => data(&node.genesis()),
        Route::Spec => data(&node.spec()),
        Route::Version => data(&json!({ "version": "drill/beacon" })),
        Route::Syncing => data(&json!({
            "head_slot": chain.tip().slot,
            "sync_distance": "0",
            "is_syncing": false,
            "is_optimistic": false,
            "el_offline": false,
        })),
        Route::Health => Reply::new(200, "application/json", ""),
        Route::Header(name) => node.header(name),
        Route::BlockRoot(name) => node.block_root(name),
        Route::FinalityCheckpoints => node.finality_checkpoints(),
        Route::Bootstrap(root) => objects.bootstrap(root),
        Route::Updates => {
            let number = |name| request.parameter(name).and_then(|text| text.parse::<u64>().ok());
            match (number("start_period"), number("count")) {
                (Some(start), Some(count)) => objects.updates(Period::new(start), count),
                _ => refusal(400, "start_period and count are needed"),
            }
        }
        Route::FinalityUpdate => {
            // Let go of the chain before the faults are worked in: they sign with it.
            let update = chain.ledger().finality_update(lag);
            objects.head(update)
        }
        Route::OptimisticUpdate => {
            let update = chain.ledger().optimistic_update(lag);
            objects.head(update)
        }
        Route::Unknown => refusal(404, "route not found"),
    }
}
