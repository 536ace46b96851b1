//! Every built-in endpoint names its documentation. No operator is listed twice for one purpose, and no URL contains
//! a key. This test sends no request to them.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use saldo::{BuildError, Client, Directory, Listed, Network, Role, Why};
use saldo_drill::Chain;
use saldo_drill::simulate::Simulation;

/// Hosts that are known to be gone, or that may stop without notice.
const GONE: [&str; 5] =
    ["cloudflare-eth.com", "blastapi.io", "beaconstate.info", "invis.tools", "rpc.sepolia.org"];

/// Keys are longer than any word in the path of a public URL.
const LONGEST_WORD: usize = 12;

fn every_list() -> Vec<(String, &'static str, Vec<Listed>)> {
    let lists = |network: &Network| {
        let directory = Directory::of(network);
        [
            ("rpc", directory.rpc().to_vec()),
            ("beacon", directory.beacon().to_vec()),
            ("checkpoint_source", directory.checkpoint_sources().to_vec()),
        ]
    };
    Network::built_in()
        .iter()
        .flat_map(|network| lists(network).map(|(kind, list)| (network.name().to_owned(), kind, list)))
        .collect()
}

fn host(listed: &Listed) -> &str {
    listed.endpoint().url().expose().host_str().unwrap()
}

fn all_distinct<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = BTreeSet::new();
    words.map(str::to_lowercase).all(|word| seen.insert(word))
}

#[test]
fn each_kind_has_enough_endpoints() {
    for (network, kind, list) in every_list() {
        let least = match kind {
            "rpc" => 6,
            "beacon" => 3,
            _ => 5,
        };
        assert!(list.len() >= least, "{network} {kind}: {}", list.len());
    }
}

#[test]
fn every_operator_is_listed_once_for_one_purpose() {
    for (network, kind, list) in every_list() {
        assert!(all_distinct(list.iter().map(|listed| listed.endpoint().run_by())), "{network} {kind}");
        assert!(all_distinct(list.iter().map(host)), "{network} {kind}");
        assert!(all_distinct(list.iter().map(|listed| listed.endpoint().id().as_str())), "{network} {kind}");
        // Two hosts of one domain belong to one operator, whatever their names.
        let domain = |listed| host(listed).rsplitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        let domains: Vec<String> = list.iter().map(domain).collect();
        assert!(all_distinct(domains.iter().map(String::as_str)), "{network} {kind}: {domains:?}");
    }
}

#[test]
fn every_entry_names_its_documentation_and_the_date_it_was_read() {
    for (network, kind, list) in every_list() {
        for listed in &list {
            let name = listed.endpoint().id();
            assert!(listed.is_built_in());
            assert_ne!(listed.endpoint().run_by(), host(listed), "{network} {kind} {name}: no operator");
            let page = listed.documented_on().unwrap_or_else(|| panic!("{network} {kind} {name}"));
            let page_host = page.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap();
            assert!(page_host.contains('.'), "{network} {kind} {name}: {page}");
            let read_on = listed.read_on().unwrap();
            assert!(read_on.len() == 10 && read_on >= "2026-01-01", "{network} {kind} {name}: {read_on}");
        }
    }
}

#[test]
fn no_url_has_a_key_or_a_dead_host() {
    for (network, kind, list) in every_list() {
        for listed in &list {
            let (name, url) = (listed.endpoint().id(), listed.endpoint().url().expose());
            assert!(GONE.iter().all(|gone| !host(listed).ends_with(gone)), "{network} {kind} {name}");
            assert!(url.username().is_empty() && url.password().is_none() && url.query().is_none(), "{name}");
            assert!(url.fragment().is_none() && url.port().is_none(), "{name}");
            let words = url.path_segments().unwrap();
            let is_word = |word: &str| {
                word.len() <= LONGEST_WORD && word.chars().filter(char::is_ascii_digit).count() <= 1
            };
            assert!(words.into_iter().all(is_word), "{network} {kind} {name}");
            // Light-client data proves itself. But a checkpoint answer must not be forged on the way, and addresses
            // must stay private.
            assert!(url.scheme() == "https" || kind == "beacon", "{network} {kind} {name}");
        }
    }
}

#[test]
fn a_client_needs_only_the_directory() {
    for network in Network::built_in() {
        let directory = Directory::of(&network);
        let client = Client::builder(network.clone()).directory(&directory).build();
        assert!(client.is_ok(), "{}: {:?}", network.name(), client.err());
        let empty = Client::builder(network).directory(&Directory::default()).build();
        assert_eq!(empty.err(), Some(BuildError::NoProvider));
    }
}

/// A wallet that names only providers and beacon sources starts from the block that the listed checkpoint sources
/// agree on.
#[test]
fn trust_starts_from_the_listed_sources_by_default() {
    for network in Network::built_in() {
        let chain = Chain::new(11);
        let simulation = Simulation::new(11, &chain);
        let client = Client::builder(network.clone())
            .rpc("http://provider.test")
            .beacon("http://source.test")
            .transport(simulation.internet())
            .clock(simulation.clock())
            .build()
            .unwrap();
        let reading = simulation.run(client.balance(Address::ZERO));
        // No host name can be resolved in this simulation.
        assert_eq!(reading.why().map(Why::code), Some("device_offline"), "{}", network.name());
        let of_role = |role| reading.attempts().iter().filter(move |attempt| attempt.role == role);
        let asked: BTreeSet<String> =
            of_role(Role::Checkpoint).map(|attempt| attempt.provider.to_string()).collect();
        let directory = Directory::of(&network);
        let listed = directory.checkpoint_sources().iter().map(|source| source.endpoint().id().to_string());
        assert_eq!(asked, listed.collect(), "{}", network.name());
    }
}
