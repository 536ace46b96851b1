//! `saldo serve`: proven answers over JSON-RPC on this machine.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use saldo::{BlockId, Client, Endpoint, Transport};
use saldo_serve::{Route, ServeError, Server, Settings};
use serde_json::json;

use crate::arguments::ServeArguments;
use crate::exchanged::ExchangeCheck;
use crate::failure::CommandFailure;
use crate::interrupt::interrupted;
use crate::parts::{Part, Parts};
use crate::say::say;
use crate::setup::{self, Choice, ClientOptions};
use crate::{descriptors, log, print};

/// One network that is served.
struct Served {
    name: String,
    client: Client,
    /// Its execution providers.
    providers: Vec<Endpoint>,
    path: String,
    exchange_check: Option<ExchangeCheck>,
}

/// Serves until it is interrupted. Returns the exit status.
///
/// # Errors
/// A [`CommandFailure`] if the arguments are wrong, or the address cannot be used.
pub(crate) async fn run(arguments: ServeArguments) -> Result<u8, CommandFailure> {
    if arguments.verbose {
        log::to_stderr();
    }
    let served = served(&arguments)?;
    let routes = routes(&arguments, &served)?;
    let mut settings = Settings::default();
    settings.allowed_hosts.clone_from(&arguments.allow_host);
    settings.allowed_origins.clone_from(&arguments.allow_origin);
    settings.max_connections = room(arguments.connections.get());
    let counted = counted(&arguments, &settings, &routes).await?;
    let server = Server::bind(arguments.listen, settings, routes).await.map_err(|error| failure(&error))?;
    let address = server.local_addr().map_err(|error| failure(&error.into()))?;
    for network in &served {
        announce(network, address, arguments.json)?;
    }
    counted.announce(arguments.json)?;
    // The first caller need not wait for the beginning of trust.
    let begin = async {
        join_all(served.iter().map(|network| begin(network, arguments.json))).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = server.run(interrupted()) => Ok(0),
        () = begin => Ok(0),
        () = counted.run() => Ok(0),
    }
}

/// For how many of so many connections the system has room. Without this, callers that are idle would take the connections to the providers.
fn room(connections: usize) -> usize {
    let room = descriptors::make_room_for(connections);
    if room < connections {
        say(format_args!(
            "at most {room} connections at a time: the system lets this process have no more open\n  \
             Raise its limit (`ulimit -n`) for more, or give --connections {room}."
        ));
    }
    room
}

/// What `--metrics` asks for.
struct Counted {
    #[cfg(feature = "metrics")]
    metrics: Option<saldo_serve::Metrics>,
}

#[cfg(feature = "metrics")]
async fn counted(
    arguments: &ServeArguments,
    settings: &Settings,
    routes: &[Route],
) -> Result<Counted, CommandFailure> {
    let Some(address) = arguments.metrics else { return Ok(Counted { metrics: None }) };
    let metrics = saldo_serve::Metrics::bind(address, settings, routes).await;
    Ok(Counted { metrics: Some(metrics.map_err(|error| failure(&error))?) })
}

#[cfg(not(feature = "metrics"))]
async fn counted(_: &ServeArguments, _: &Settings, _: &[Route]) -> Result<Counted, CommandFailure> {
    Ok(Counted {})
}

impl Counted {
    fn announce(&self, as_json: bool) -> Result<(), CommandFailure> {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = &self.metrics {
            let address = metrics.local_addr().map_err(|error| failure(&error.into()))?;
            let url = format!("http://{address}/metrics");
            let line = json!({ "event": "metrics", "url": url }).to_string();
            return print(&if as_json { line } else { format!("metrics: {url}") });
        }
        let _ = as_json;
        Ok(())
    }

    /// Answers until it is dropped; never ends.
    async fn run(self) {
        #[cfg(feature = "metrics")]
        if let Some(metrics) = self.metrics {
            metrics.run().await;
        }
        std::future::pending::<()>().await;
    }
}

fn served(arguments: &ServeArguments) -> Result<Vec<Served>, CommandFailure> {
    let options = ClientOptions {
        operators: arguments.operators,
        max_age: arguments.max_age,
        is_quiet: arguments.json,
        ..ClientOptions::new(&arguments.endpoints, arguments.timeout)
    };
    let (also, l1) = (&arguments.also, &arguments.l1_rpc_url);
    let chosen = setup::choose_all(options.endpoints, also, l1, options.timeout)?;
    let providers: Vec<(u64, Vec<Endpoint>)> = chosen.all.iter().map(Choice::providers).collect();
    let (client, built) = setup::build_all(chosen, &options)?;
    let parts = Parts::new(&client, built, &[], None)?;
    let serve = |(place, part): (usize, Part)| match part {
        Part { lack: Some(lack), .. } => Err(lack),
        Part { client, exchange_check, .. } => {
            let (name, chain_id) = (client.network().name().to_owned(), client.network().chain_id());
            let path = if place == 0 { "/".to_owned() } else { format!("/{name}") };
            let own = providers.iter().find(|(of, _)| *of == chain_id);
            let providers = own.map(|(_, providers)| providers.clone()).unwrap_or_default();
            Ok(Served { name, client, providers, path, exchange_check })
        }
    };
    parts.into_iter().enumerate().map(serve).collect()
}

fn routes(arguments: &ServeArguments, served: &[Served]) -> Result<Vec<Route>, CommandFailure> {
    let routes: Vec<Route> =
        served.iter().map(|network| Route::new(&network.path, network.client.clone())).collect();
    let Some(text) = &arguments.pass_through else { return Ok(routes) };
    let transport: Arc<dyn Transport> = Arc::new(setup::http_transport()?);
    let given = text.contains("://").then(|| setup::endpoint(text, "--pass-through", 1)).transpose()?;
    if given.is_some() && served.len() > 1 {
        return Err(CommandFailure::usage(
            "pass_through",
            "one URL cannot answer for several networks",
            "Give --pass-through the name of a provider that all of them know.",
        ));
    }
    let mut is_known = false;
    let route = |(route, network): (Route, &Served)| {
        let named = || network.providers.iter().find(|provider| provider.id().as_str() == *text).cloned();
        let Some(provider) = given.clone().or_else(named) else { return route };
        is_known = true;
        route.pass_through(provider, Arc::clone(&transport))
    };
    let routes = routes.into_iter().zip(served).map(route).collect();
    if !is_known {
        return Err(CommandFailure::usage(
            "pass_through",
            "no provider has the name after --pass-through",
            "Give the name of a provider of --rpc-url or --providers, or [NAME=]URL.",
        ));
    }
    Ok(routes)
}

fn announce(network: &Served, address: SocketAddr, as_json: bool) -> Result<(), CommandFailure> {
    let (chain_id, path) = (network.client.network().chain_id(), &network.path);
    if !as_json {
        return print(&format!("{} (chain {chain_id}): http://{address}{path}", network.name));
    }
    let line = json!({
        "event": "listening",
        "network": network.name,
        "chain_id": chain_id,
        "url": format!("http://{address}{path}"),
        "websocket": format!("ws://{address}{path}"),
    });
    print(&line.to_string())
}

/// Begins to follow the chain, and says how that went.
async fn begin(network: &Served, is_quiet: bool) {
    let first = network.client.block(BlockId::Latest).await;
    match first {
        _ if is_quiet => {}
        Ok(anchor) => say(format_args!("{}: proven at block {} and above", network.name, anchor.number())),
        Err(error) => {
            let exchanged = match &network.exchange_check {
                Some(check) => check.run_after(error.attempts().iter()).await.ok().flatten(),
                None => None,
            };
            match exchanged {
                Some(exchanged) => {
                    exchanged.at(&format!("{}: nothing is proven", network.name)).report(false);
                }
                None => say(format_args!(
                    "{}: nothing is proven yet: {}\n  {}",
                    network.name,
                    error.why(),
                    error.why().next_step()
                )),
            }
        }
    }
}

fn failure(error: &ServeError) -> CommandFailure {
    match error {
        ServeError::Listen(_) => CommandFailure::failed(
            "listen",
            error,
            "Choose another port with --listen, or end the program that has it.",
        ),
        ServeError::OpenToOthers => CommandFailure::usage(
            "open_to_others",
            error,
            "Listen at 127.0.0.1, or give each name with --allow-host. The server has no passwords.",
        ),
        _ => CommandFailure::usage("paths", error, "Give each network once."),
    }
}
