//! What each further network of one client takes.

use std::process::{Command, ExitCode};
use std::time::Duration;

use alloy_primitives::U256;
use saldo::{Change, Client, ClientBuilder, Holding, MemoryStorage, Network, NetworkId, UnixTime};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Preset, Provider};

use super::{Failure, owner, peak_memory, runtime};

/// How many networks are measured, one after another.
const MOST: u64 = 4;
/// How many holdings there are on each.
const HOLDINGS: u64 = 10;
/// How long each client watches.
const WATCH_TIME: Duration = Duration::from_secs(10);

fn now() -> UnixTime {
    UnixTime::from_secs(std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs())
}

/// Serves as many chains, and runs a client of one network, of two, and so on.
pub(super) fn compare() -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    let folder = std::env::temp_dir();
    let (mut arguments, mut servers) = (vec!["several".to_owned()], Vec::new());
    let mut before = None;
    for number in 1..=MOST {
        let chain = Chain::builder(number)
            .chain_id(number)
            .preset(Preset::Mainnet)
            .mainnet_shape(true)
            .slot_duration(Duration::from_secs(1))
            .genesis_time(UnixTime::from_secs(now().as_secs().saturating_sub(100)))
            .history(100)
            .accounts((0..HOLDINGS).map(|number| (owner(number), U256::from(number))))
            .build();
        let provider = runtime.block_on(Server::start(Provider::honest(&chain)))?;
        let source = runtime.block_on(Server::start(BeaconSource::honest(&chain)))?;
        let file = folder.join(format!("saldo-memory-{}-{number}.toml", std::process::id()));
        std::fs::write(&file, chain.network().with_checkpoint(chain.checkpoint()).to_toml())?;
        arguments.extend([file.display().to_string(), provider.url(), source.url()]);
        servers.push((provider, source, file));
        let growing = chain.clone();
        runtime.spawn(async move {
            loop {
                growing.advance_to(now());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        let output = Command::new(std::env::current_exe()?).args(&arguments).output()?;
        let text = String::from_utf8(output.stdout)?;
        let peak: u64 =
            text.trim().parse().map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let more = before.map_or(0, |before| peak.saturating_sub(before));
        println!("{number} networks, {HOLDINGS} holdings on each: {peak} KB, {more} KB more");
        before = Some(peak);
    }
    for (_, _, file) in servers {
        std::fs::remove_file(file)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Watches the networks: for each its file, its provider and its source.
pub(super) fn watch(of: &[&str]) -> Result<ExitCode, Failure> {
    let mut client: Option<ClientBuilder> = None;
    let mut holdings = Vec::new();
    for (number, one) in (1_u64..).zip(of.chunks(3)) {
        let [file, provider, source] = one else { return Err("a network is incomplete".into()) };
        let network = Network::from_toml(&std::fs::read_to_string(file)?)?;
        let checkpoint = network.checkpoint().copied().ok_or("no checkpoint")?;
        let builder = Client::builder(network).rpc(*provider).beacon(*source).checkpoint(checkpoint);
        let builder =
            builder.policy(saldo::Policy { max_age: Duration::from_secs(8), ..saldo::Policy::signed() });
        client = Some(match client {
            None => builder.storage(MemoryStorage::new()),
            Some(client) => client.and(builder),
        });
        holdings.extend((0..HOLDINGS).map(|it| Holding::native(NetworkId::new(number), owner(it))));
    }
    let client = client.ok_or("no network")?.build()?;
    let mut watch = client.watch(holdings.iter().copied());
    let mut proven = std::collections::BTreeSet::new();
    runtime()?.block_on(async {
        let over = tokio::time::sleep(WATCH_TIME);
        tokio::pin!(over);
        loop {
            tokio::select! {
                change = watch.next() => if let Change::Reading { holding, reading, .. } = change {
                    proven.extend(reading.proven().map(|_| holding));
                },
                () = &mut over => break,
            }
        }
    });
    if proven.len() != holdings.len() {
        return Err(format!("only {} of {} holdings were proven", proven.len(), holdings.len()).into());
    }
    println!("{}", peak_memory()?);
    Ok(ExitCode::SUCCESS)
}
