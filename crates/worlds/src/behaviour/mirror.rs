//! A mirror: a source that serves its data as plain files.

use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::{BeaconSource, Chain};

/// Bytes before each update of a list: its length, and its fork's digest.
const LENGTH: usize = 8;
const DIGEST: usize = 4;

/// A mirror with the behaviour of `source`.
#[derive(Clone, Debug)]
pub(crate) struct Mirror {
    source: BeaconSource,
    chain: Chain,
}

impl Mirror {
    pub(crate) fn of(source: BeaconSource, chain: &Chain) -> Self {
        Self { source, chain: chain.clone() }
    }

    /// The request of a beacon API that `path` stands for, and the name of the fork.
    fn translate(path: &str) -> Option<(HttpRequest, &str)> {
        let (stem, fork) = path.strip_suffix(".ssz")?.trim_start_matches('/').rsplit_once('.')?;
        let query = match stem.strip_prefix("updates/") {
            Some(period) => [("start_period", period), ("count", "1")].map(owned).to_vec(),
            None => Vec::new(),
        };
        let stem = if query.is_empty() { stem } else { "updates" };
        let path = format!("/eth/v1/beacon/light_client/{stem}");
        let headers = [("accept", "application/octet-stream")].map(owned).to_vec();
        Some((HttpRequest { method: "GET".to_owned(), path, query, headers, body: Vec::new() }, fork))
    }

    /// The file of `fork` that a reply of the API makes. A reply that is not SSZ stays as it is.
    fn file(&self, reply: Reply, fork: &str) -> Reply {
        let header =
            |name: &str| reply.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let is_ssz = header("content-type").is_some_and(|kind| kind == "application/octet-stream");
        if reply.status != 200 || !is_ssz {
            return reply;
        }
        let (body, is_it) = match header("eth-consensus-version") {
            Some(version) => (reply.body.clone(), version == fork),
            None => {
                let network = self.chain.network();
                let digest = network.forks().iter().find(|known| known.name() == fork);
                let digest = digest.map(|known| network.fork_digest_of(known));
                let said = reply.body.get(LENGTH..LENGTH.saturating_add(DIGEST));
                let update = reply.body.get(LENGTH.saturating_add(DIGEST)..).unwrap_or_default();
                (update.to_vec(), said.is_some() && said == digest.as_ref().map(|digest| digest.as_slice()))
            }
        };
        if is_it { Reply { body, ..reply } } else { Reply { delay: reply.delay, ..missing() } }
    }
}

impl Service for Mirror {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        match Self::translate(&request.path) {
            None => Reaction::Reply(missing()),
            Some((request, fork)) => match self.source.answer(&request) {
                Reaction::Reply(reply) => Reaction::Reply(self.file(reply, fork)),
                other => other,
            },
        }
    }

    fn refuses(&self) -> bool {
        self.source.refuses()
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn missing() -> Reply {
    Reply::new(404, "text/plain", "no such file")
}
