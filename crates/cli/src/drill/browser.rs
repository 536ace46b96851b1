//! Allows web pages of any origin to read the answers (CORS): wallets in browsers are tested too.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo_drill::http::{HttpRequest, Reaction, Relay, Reply};

/// A relay whose answers carry CORS headers.
pub(super) struct ForBrowsers<R>(pub(super) R);

const ORIGIN: &str = "access-control-allow-origin";

impl<R: Relay> Relay for ForBrowsers<R> {
    fn relay(&self, request: HttpRequest) -> BoxFuture<'_, Reaction> {
        if request.method == "OPTIONS" && !self.0.refuses() {
            let allowed = Reply { status: 204, ..Reply::default() }
                .header(ORIGIN, "*")
                .header("access-control-allow-methods", "GET, POST")
                .header("access-control-allow-headers", "accept, content-type");
            return std::future::ready(Reaction::Reply(allowed)).boxed();
        }
        self.0.relay(request).map(open).boxed()
    }

    fn refuses(&self) -> bool {
        self.0.refuses()
    }
}

fn open(reaction: Reaction) -> Reaction {
    let open = |reply: Reply| {
        if reply.headers.iter().any(|(name, _)| name == ORIGIN) { reply } else { reply.header(ORIGIN, "*") }
    };
    match reaction {
        Reaction::Reply(reply) => Reaction::Reply(open(reply)),
        Reaction::Trickle { reply, bytes_per_second } => {
            Reaction::Trickle { reply: open(reply), bytes_per_second }
        }
        Reaction::Reset { reply, after } => Reaction::Reset { reply: open(reply), after },
        other => other,
    }
}
