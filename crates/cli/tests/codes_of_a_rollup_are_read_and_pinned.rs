//! `saldo network codes`: the codes that a rollup's contracts run are proven on its L1, and a profile that names them proves balances.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, B256, U256, b256, keccak256};
use saldo::UnixTime;
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Fault, Provider, Rollup, RollupKind};
use serde_json::{Value, json};
use testbed::schema::{assert_follows, schema};
use testbed::{ALICE, Run, network_file, run, saldo, test_chain};

/// Where a proxy names its implementation (EIP-1967).
const IMPLEMENTATION: B256 = b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
/// AnchorStateRegistry 3.9.0, DisputeGameFactory 1.6.1, FaultDisputeGame 2.4.2 and SuperchainConfig 2.4.3, as they are published.
const REGISTRY: B256 = b256!("3f54fcc2d17726f6c927da08dec4dbfbecc43a013fd309344ecd2cace85ae36d");
const FACTORY: B256 = b256!("5af8d2112a3e0338ed753cc34a4c5d71d04512848f04d76bd6f15a8b378c89a4");
const GAME: B256 = b256!("ae7c4f3d550d3ce8f5797557b78759b4e7dd014359b3a663ef04f60f2e7ae314");
const PAUSE: B256 = b256!("8456a62e85ecb8661b37b0dfed7e62fa236b7946250af7671bc99f75c31327a5");
/// The type of the games.
const TYPE: u64 = 8;
/// Seconds that a game is challenged, and that its registry waits then.
const DAYS: u64 = 302_400;
const WEI: &str = "250000000000000000";

/// An L1 with a rollup whose contracts have the codes of published releases, and a game that is final.
struct World {
    l1: Chain,
    rollup: Rollup,
    l1_file: String,
    /// The profile without the codes of registry, factory and games.
    unpinned: String,
    source: Server,
    l2: Server,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let l1 = Chain::builder(83)
            .slot_duration(Duration::from_secs(12))
            .genesis_time(UnixTime::from_secs(now() - 4 * 86_400))
            .history(40)
            .build();
        let rollup = Rollup::new(&l1, RollupKind::Fault);
        rollup.chain().set_balance(ALICE, WEI.parse().unwrap());
        rollup.advance(1);
        run_releases(&l1, &rollup);
        let last = rollup.chain().tip().number;
        let game = rollup.propose(last).game();
        rollup.advance(1);
        rollup.resolve(game, true);
        rollup.advance(1);
        // Days pass, with a block of either chain now and then.
        l1.set_pace(200);
        rollup.chain().set_pace(1_200);
        rollup.advance(DAYS / 12);
        l1.set_pace(1);
        advance_to_now(&l1, &rollup);
        let following = (l1.clone(), rollup.clone());
        test_chain().runtime().spawn(async move {
            loop {
                advance_to_now(&following.0, &following.1);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let l1_file = file(&l1.network().with_checkpoint(l1.checkpoint()).to_toml());
        let unpinned = without_codes(&rollup);
        let source = test_chain().serve(BeaconSource::honest(&l1));
        let l2 = test_chain().serve(Provider::honest(rollup.chain()));
        World { l1, rollup, l1_file, unpinned, source, l2 }
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn advance_to_now(l1: &Chain, rollup: &Rollup) {
    l1.advance_to(UnixTime::from_secs(now()));
    rollup.chain().advance_to(UnixTime::from_secs(now()));
}

fn file(text: &str) -> String {
    network_file(text).display().to_string()
}

/// The profile of the drill up to the first code of a contract behind a proxy.
fn without_codes(rollup: &Rollup) -> String {
    rollup.profile_toml().split_once("[[registry_code]]").unwrap().0.to_owned()
}

/// Gives the contracts the codes of published releases.
fn run_releases(l1: &Chain, rollup: &Rollup) {
    let profile = rollup.profile();
    let held = |address: Address, key: B256| {
        let word = l1.storage_at(l1.tip().number, address, key).unwrap();
        Address::from_word(word.into())
    };
    let slot = |number: u64| B256::from(U256::from(number));
    let (registry, pause) = (profile.registry(), profile.superchain_config().unwrap());
    let factory = held(registry, slot(1));
    let next = keccak256([slot(TYPE), slot(101)].concat());
    for (place, code_hash) in [
        ((registry, IMPLEMENTATION), REGISTRY),
        ((factory, IMPLEMENTATION), FACTORY),
        ((factory, next), GAME),
        ((pause, IMPLEMENTATION), PAUSE),
    ] {
        l1.set_code_hash(held(place.0, place.1), code_hash);
    }
}

impl World {
    /// `saldo network codes` with these providers of L1.
    fn codes(&self, profile: &str, providers: &[&Server], options: &[&str]) -> Run {
        let files = format!("{},{profile}", self.l1_file);
        let mut command = saldo(&["network", "codes", &files, "--timeout", "20s"]);
        for (name, server) in ["lena", "lars"].iter().zip(providers) {
            command.args(["--l1-rpc-url", &format!("{name}={}", server.url())]);
        }
        run(command.args(["--beacon-url", &format!("sven={}", self.source.url())]).args(options))
    }

    /// An object that follows its schema, and the exit status.
    fn object(&self, profile: &str, providers: &[&Server], options: &[&str]) -> (i32, Value) {
        let ran = self.codes(profile, providers, &[&["--json"], options].concat());
        let object = ran.only();
        assert_follows(&schema("rollup-codes"), &object);
        (ran.status, object)
    }

    fn honest(&self) -> Server {
        test_chain().serve(Provider::honest(&self.l1))
    }

    /// Alice's final balance on the rollup.
    fn balance(&self, profile: &str) -> Value {
        let lena = self.honest();
        let files = format!("{},{profile}", self.l1_file);
        let owner = ALICE.to_string();
        let mut command = saldo(&["balance", &owner, "-n", &files, "--finalized", "--json"]);
        command.args(["--l1-rpc-url", &format!("lena={}", lena.url())]);
        command.args(["--rpc-url", &format!("rosa={}", self.l2.url())]);
        command.args(["--beacon-url", &format!("sven={}", self.source.url()), "--timeout", "20s"]);
        run(&mut command).json().pop().unwrap()
    }
}

/// A path at which there is no file.
fn new_file() -> PathBuf {
    let path = network_file("");
    std::fs::remove_file(&path).unwrap();
    path
}

/// That part of each code.
fn of(object: &Value, key: &str) -> Value {
    object["codes"].as_array().unwrap().iter().map(|code| code[key].clone()).collect()
}

#[test]
fn a_profile_with_the_codes_that_were_read_proves_a_balance() {
    let world = world();
    let (unpinned, out) = (file(&world.unpinned), new_file());
    let before = world.balance(&unpinned);
    assert_eq!(
        (&before["state"], &before["why"]["code"]),
        (&"provisional".into(), &"rollup_not_vouched".into())
    );

    let lena = world.honest();
    let path = out.display().to_string();
    let (status, object) = world.object(&unpinned, &[&lena], &["--out", &path]);
    assert_eq!((status, &object["is_pinned"], &object["file"]), (0, &true.into(), &json!(path)), "{object}");
    assert_eq!(of(&object, "contract"), json!(["registry", "factory", "game", "superchain_config"]));
    assert_eq!(of(&object, "code_hash"), json!([REGISTRY, FACTORY, GAME, PAUSE]));
    assert_eq!(object["codes"][2]["game_type"], TYPE);
    assert_eq!(object["codes"][0]["release"]["version"], "3.9.0");
    assert_eq!(
        (&object["block"]["assurance"], &object["providers"]),
        (&"finalized".into(), &json!(["lena"]))
    );
    let block = world.l1.block(object["block"]["number"].as_u64().unwrap()).unwrap();
    assert_eq!(object["block"]["hash"], block.hash.to_string());

    let text = std::fs::read_to_string(&out).unwrap();
    assert!(
        text.contains("AnchorStateRegistry 3.9.0: a delay of 302400 s")
            && text.contains(&block.hash.to_string())
    );
    let after = world.balance(&path);
    assert_eq!((&after["state"], &after["amount"]), (&"proven".into(), &WEI.into()), "{after}");
    assert_eq!(after["block"]["assurance"], "l1_finalized");
    assert_eq!(after["block"]["vouched"]["pause_checked"], true);

    // What the file names is known by it too, and is the same again.
    let (status, again) = world.object(&path, &[&lena], &[]);
    assert_eq!(
        (status, &again["is_pinned"], of(&again, "is_known")),
        (0, &true.into(), json!([true, true, true, true]))
    );
}

#[test]
fn people_are_told_what_pinning_means() {
    let world = world();
    let lena = world.honest();
    let shown = world.codes(&file(&world.unpinned), &[&lena], &[]);
    assert_eq!((shown.status, shown.err.as_str()), (0, ""), "{shown:?}");
    for said in [
        "registry  AnchorStateRegistry 3.9.0: a delay of 302400 s",
        "game of type 8  FaultDisputeGame 2.4.2: depth 73",
        &GAME.to_string(),
        "finalized",
        "served by lena",
        "pinned: with these codes balances are proven",
        "A profile that names them refuses all others: compare them first with what the operator",
    ] {
        assert!(shown.out.contains(said), "{said}: {}", shown.out);
    }
    assert!(!shown.out.contains("written to"), "{}", shown.out);
}

/// The codes of this rollup are made up. A release with the same storage is not assumed.
#[test]
fn a_code_that_is_not_known_is_named_and_not_pinned() {
    let l1 = Chain::builder(89)
        .slot_duration(Duration::from_secs(1))
        .genesis_time(UnixTime::from_secs(now() - 100))
        .history(40)
        .build();
    let rollup = Rollup::new(&l1, RollupKind::Multiproof { interval: 20, step: 5 });
    let world = World {
        l1_file: file(&l1.network().with_checkpoint(l1.checkpoint()).to_toml()),
        unpinned: without_codes(&rollup),
        source: test_chain().serve(BeaconSource::honest(&l1)),
        l2: test_chain().serve(Provider::honest(rollup.chain())),
        l1: l1.clone(),
        rollup: rollup.clone(),
    };
    let game = rollup.propose(20).game();
    rollup.advance(40);
    advance_to_now(&l1, &rollup);
    let (lena, out) = (world.honest(), new_file());
    let path = out.display().to_string();
    let (status, object) = world.object(&file(&world.unpinned), &[&lena], &["-o", &path]);
    assert_eq!((status, &object["is_pinned"]), (4, &false.into()), "{object}");
    assert_eq!(of(&object, "is_known"), json!([false, false, false, false]));
    assert_eq!(of(&object, "release"), json!([null, null, null, null]));
    assert_eq!(object["codes"][2]["address"], format!("{game:#x}"));
    let profile = rollup.profile_toml();
    for code in of(&object, "code_hash").as_array().unwrap() {
        assert!(profile.contains(code.as_str().unwrap()), "{code} is not what the profile has");
    }
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(text.contains("not known") && !text.contains("[[registry_code]]"), "{text}");
    assert!(!text.contains("[[factory_code]]") && !text.contains("[[game_code]]"), "{text}");
    let shown = world.codes(&path, &[&lena], &[]);
    assert!(
        shown.out.contains("not pinned: saldo does not know what is stored by the registry, factory"),
        "{shown:?}"
    );

    // A file that says what the codes are is completed by nothing, and stays what it is.
    let (own, out) = (file(&profile), new_file());
    let (status, object) = world.object(&own, &[&lena], &["-o", &out.display().to_string()]);
    assert_eq!((status, &object["is_pinned"]), (0, &true.into()), "{object}");
    let kept = saldo::Profile::from_toml(&std::fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(kept.game_codes(), rollup.profile().game_codes());
    assert_eq!(kept.registry_codes(), rollup.profile().registry_codes());
}

#[test]
fn a_provider_that_lies_about_a_code_pins_nothing() {
    let world = world();
    let unpinned = file(&world.unpinned);
    for lie in [
        Fault::OtherSlotsProof,
        Fault::FlippedByte { node: 0, byte: 40 },
        Fault::TruncatedProof { nodes: 1 },
        Fault::InventedTrie { balance: U256::from(1) },
        Fault::OtherCode,
    ] {
        let liar = Provider::honest(&world.l1);
        liar.set(lie.clone());
        let (liar, out) = (test_chain().serve(liar), new_file());
        let path = out.display().to_string();
        let (status, object) = world.object(&unpinned, &[&liar], &["--out", &path]);
        assert_eq!(object["state"], "unknown", "{lie:?}: {object}");
        assert!(matches!(status, 3 | 4) && object["why"]["code"].is_string(), "{lie:?}: {object}");
        assert!(!object["attempts"].as_array().unwrap().is_empty(), "{lie:?}: {object}");
        assert!(!out.exists(), "{lie:?}");
        let lars = world.honest();
        let (status, object) = world.object(&unpinned, &[&liar, &lars], &[]);
        assert_eq!((status, &object["is_pinned"]), (0, &true.into()), "{lie:?}: {object}");
        assert_eq!(of(&object, "code_hash"), json!([REGISTRY, FACTORY, GAME, PAUSE]));
    }
}

#[test]
fn a_file_that_exists_is_kept() {
    let world = world();
    let there = network_file("mine");
    let path = there.display().to_string();
    let silent = Provider::honest(&world.l1);
    let server = test_chain().serve(silent.clone());
    let ran = world.codes(&file(&world.unpinned), &[&server], &["--out", &path, "--json"]);
    let object = ran.only();
    assert_follows(&schema("rollup-codes"), &object);
    assert_eq!((ran.status, &object["error"]["code"]), (2, &"out_file".into()), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "mine");
    assert!(silent.requests().is_empty(), "nothing is asked for");
}

#[test]
fn what_names_no_rollup_is_a_usage_error() {
    let world = world();
    let fails = |network: &str, code: &str| {
        let failed = run(&mut saldo(&["network", "codes", network, "--json"]));
        let found = failed.only()["error"]["code"].clone();
        assert_eq!((failed.status, found), (2, code.into()), "{network}: {failed:?}");
    };
    fails("sepolia", "no_rollup");
    fails("base,op", "no_rollup");
    fails("nowhere", "unknown_network");
    fails(&file(&world.rollup.profile_toml()), "no_l1");
}
