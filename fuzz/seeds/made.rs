//! Seeds from the histories of the targets, and from the tables that come with saldo.

use std::path::Path;

use alloy_primitives::Bytes;
use saldo_beacon::LightClient;
use saldo_beacon::decode::Encoding;
use saldo_drill::encode::Encode;
use saldo_fuzz::file;
use saldo_fuzz::history::{History, histories};
use saldo_fuzz::input::part;
use saldo_fuzz::object::{Answer, Kind, networks};
use saldo_fuzz::proof::template;
use saldo_fuzz::scene::{OWNERS, scene};
use saldo_fuzz::stored::Stored;

use crate::Seeds;

/// Adds all of these seeds.
pub fn add(seeds: &mut Seeds, directories: &Path) {
    for (number, history) in (0..).zip(histories()) {
        for table in 0..u8::try_from(history.tables.len()).expect("few") {
            sequences(seeds, number, table, history);
            snapshots(seeds, number, table, history);
        }
        objects(seeds, history);
    }
    files(seeds, directories);
    errors(seeds);
    pairs(seeds);
    tokens(seeds);
    proof_files(seeds);
}

/// Adds each genuine proof file: whole, cut, and with one of its bytes changed.
fn proof_files(seeds: &mut Seeds) {
    for (number, genuine) in (0_u16..).zip(file::files()) {
        seeds.add("proof_file", number.to_le_bytes().to_vec());
        for at in (0..genuine.bytes.len()).step_by(97) {
            for step in [1, 4, 5] {
                let change = [&[step], &number_of(at)[..], &[1, 2, 3, 4]].concat();
                seeds.add("proof_file", [&number.to_le_bytes()[..], &change].concat());
            }
        }
    }
}

/// Adds steps of the target `advance`. The step 6 means "advance by the object with this number, unchanged".
fn sequences(seeds: &mut Seeds, number: u8, table: u8, history: &History) {
    let step = |way: u8, object: usize| [&[way], &number_of(object)[..]].concat();
    let count = history.updates.len();
    for checkpoint in (0..history.bootstraps.len()).step_by(2) {
        for stride in [2, 9] {
            let objects = (0..count).skip(checkpoint * 7).step_by(stride).take(5);
            let steps: Vec<u8> = objects.flat_map(|object| step(6, object)).collect();
            seeds.add("advance", [&[number, table], &number_of(checkpoint)[..], &steps].concat());
        }
    }
    // The committee updates, which are last; then a forced update, storing and loading, and a changed update.
    let last = count.saturating_sub(2)..count;
    let mut steps: Vec<u8> = last.flat_map(|object| step(6, object)).collect();
    steps.extend([0, 0xff, 0xff, 1]);
    for kind in (number..18).step_by(4) {
        let changed = [step(5, count - 1), vec![kind, 3, 1, 0, 1]].concat();
        seeds.add("advance", [&[number, table, 0, 0][..], &steps, &changed].concat());
    }
}

fn number_of(place: usize) -> [u8; 2] {
    u16::try_from(place).expect("few").to_le_bytes()
}

/// Adds a client at several times, with a pending update, and stopped.
fn snapshots(seeds: &mut Seeds, number: u8, table: u8, history: &History) {
    for (checkpoint, bootstrap) in history.bootstraps.iter().step_by(3) {
        let network = history.tables[usize::from(table)].clone();
        let client = LightClient::bootstrap(network, *checkpoint, bootstrap.clone(), history.end);
        let Ok(mut client) = client else { continue };
        for (turn, update) in history.updates.iter().enumerate() {
            let advanced = client.advance(update.clone(), history.end);
            if turn % 16 == 0 && advanced.is_ok() {
                seeds.add("snapshot", Stored::input(number, table, &client));
            }
        }
        let _ = client.force_update(history.end);
        seeds.add("snapshot", Stored::input(number, table, &client));
        seeds.add("snapshot", [&[number, table, 0], &client.snapshot()[..]].concat());
    }
}

/// Adds a few objects in each encoding, with and without a label.
fn objects(seeds: &mut Seeds, history: &History) {
    let table = networks().iter().position(|network| {
        let (bootstrap, encoding) = (&history.bootstraps[0].1, Encoding::Ssz);
        saldo_beacon::decode::bootstrap(&bootstrap.ssz(), encoding, None, network).is_ok()
    });
    let table = u8::try_from(table.unwrap_or(3)).expect("few");
    let mut add = |kind, ssz: &[u8], json: &str| {
        for label in 0..9 {
            seeds.add("light_client_object", Answer::input(table, kind, Encoding::Ssz, label, ssz));
        }
        let wrapped = format!(r#"{{"version":"fulu","data":{json}}}"#);
        for json in [json, &wrapped] {
            let json = json.as_bytes();
            seeds.add("light_client_object", Answer::input(table, kind, Encoding::Json, 0, json));
        }
    };
    let bootstrap = &history.bootstraps[0].1;
    add(Kind::Bootstrap, &bootstrap.ssz(), &bootstrap.json().to_string());
    for update in history.updates.iter().rev().step_by(5).take(12) {
        if let Some(kind) = Kind::of(update) {
            add(kind, &update.ssz(), &update.json().to_string());
        }
    }
}

/// Adds compiled contracts, each asked for a balance, beside one that returns 9.
pub fn execution(seeds: &mut Seeds, contracts: &Path) {
    let nine = [0x60, 9, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3];
    let data = [&[0x70, 0xa0, 0x82, 0x31][..], &[0; 12], &[0xa1; 20]].concat();
    for entry in std::fs::read_dir(contracts).into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        let contract: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let code =
            contract["deployed_code"].as_str().and_then(|code| alloy_primitives::hex::decode(code).ok());
        let Some(code) = code else { continue };
        let mut input =
            [&[0; 8][..], &part(&data), &4_u16.to_le_bytes(), &60_000_000_u64.to_le_bytes()].concat();
        input.extend([&[1][..], &part(&code), &[1, 0], &7_u64.to_le_bytes()].concat());
        input.extend([&[1][..], &part(&nine), &[0]].concat());
        seeds.add("execution", input);
    }
}

/// Adds what tokens return: a number, a text, a text of 32 bytes, and the text elsewhere.
pub fn returned(seeds: &mut Seeds) {
    let word = |number: u8| [&[0; 31][..], &[number]].concat();
    let padded = |text: &[u8]| [text, &vec![0; 32 - text.len()]].concat();
    let usdc = [word(32), word(4), padded(b"USDC")].concat();
    let elsewhere = [word(64), word(0), word(3), padded(b"DAI")].concat();
    let longer = [word(32), word(40), vec![b'A'; 40], vec![0; 24]].concat();
    let too_long = [word(32), word(33), padded(b"USDC")].concat();
    for bytes in
        [word(18), padded(b"MKR"), usdc, elsewhere, longer, too_long, vec![0xff; 64], vec![7; 31], vec![]]
    {
        for has_decimals in [0, 1] {
            seeds.add("abi_return", [&[has_decimals], bytes.as_slice()].concat());
        }
    }
}

/// Adds the codes of two captured games, their arguments, and the extra data in them.
pub fn rollups(seeds: &mut Seeds, captured: &Path) {
    let text = std::fs::read_to_string(captured).unwrap_or_default();
    let captured: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    for name in ["code of the game", "code of the super game"] {
        let code = captured[name].as_str().and_then(|code| alloy_primitives::hex::decode(code).ok());
        let Some(code) = code else { continue };
        let arguments = &code[98..code.len() - 2];
        let extra_data = &arguments[88..arguments.len() - 124];
        for (kind, input) in [(0, &code[..]), (1, arguments), (3, arguments)] {
            seeds.add("game_code", [&[kind], input].concat());
        }
        seeds.add("super_root", extra_data.to_vec());
        seeds.add("super_root", [extra_data, &[3; 64]].concat());
        seeds.add("extra_data", [&[0; 16], extra_data].concat());
    }
    for (interval, step) in [(600_u64, 30_u64), (40, 20)] {
        let roots = vec![5; usize::try_from(interval / step).expect("few") * 32];
        let number = [&[0; 24][..], &47_513_663_u64.to_be_bytes()].concat();
        let input = [&interval.to_le_bytes()[..], &step.to_le_bytes(), &number, &[4; 20], &roots];
        seeds.add("extra_data", input.concat());
    }
}

/// Adds network files and directories of endpoints.
fn files(seeds: &mut Seeds, directories: &Path) {
    let endpoints = "[[rpc]]\nurl = \"https://host.example/SECRET\"\nname = \"a\"\noperator = \"b\"\nhosting = \"c\"\n\
                     documented_on = \"https://page.example\"\nread_on = 2026-11-24\nget_proof = \"d\"\n\
                     [[beacon]]\nurl = \"https://host.example/SECRET\"\nlight_client = \"e\"\n\
                     [[checkpoint_source]]\nurl = \"https://host.example/SECRET\"\ntracking = \"f\"\n";
    seeds.add("network_file", endpoints.into());
    for network in networks() {
        let text = network.to_toml();
        seeds.add("network_file", format!("{text}{endpoints}").into());
        seeds.add("network_file", text.into());
    }
    for entry in std::fs::read_dir(directories).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            seeds.add("network_file", std::fs::read(path).unwrap_or_default());
        }
    }
}

/// Adds error messages of providers, and answers of checkpoint sources.
fn errors(seeds: &mut Seeds) {
    let says = [
        (-32005, "limit exceeded"),
        (-33000, "daily credit limit reached"),
        (-32601, "the method eth_getProof does not exist/is not available"),
        (-32602, "distance to target block exceeds maximum proof window"),
        (-32000, "missing trie node 0xabc (path ) state 0xdef is not available"),
        (-32001, "Resource not found"),
        (-32603, "internal error PLANTED"),
    ];
    for (code, message) in says {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"{message}"}}}}"#);
        for status in 0..10 {
            let seconds = part(b"30");
            seeds.add("json_rpc_reply", [&[status % 6, status], &seconds[..], body.as_bytes()].concat());
        }
    }
    let root = "11".repeat(32);
    for body in [
        format!(r#"{{"execution_optimistic":false,"finalized":true,"data":{{"root":"0x{root}"}}}}"#),
        format!(r#"{{"data":{{"root":"0x{root}","header":{{"message":{{"slot":"8"}}}}}}}}"#),
        r#"{"data":{"finalized":{"epoch":"7"}}}"#.to_owned(),
    ] {
        seeds.add("json_rpc_reply", [&[5, 0, 0, 0], body.as_bytes()].concat());
    }
    seeds.add("json_rpc_reply", [&[4, 0, 0, 0], &br#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#[..]].concat());
}

/// Adds blocks with accounts of their own states and of others, in order and in reverse.
fn pairs(seeds: &mut Seeds) {
    let scene = scene();
    let step = |place: usize, owner: u8| [&[2], &number_of(place)[..], &[owner, 0, 0, 0]].concat();
    let places = 0..scene.trusted.len();
    for stride in [1, 2, 7] {
        let mut steps = Vec::new();
        for place in places.clone().rev().step_by(stride).take(40) {
            steps.extend(step(place, 0));
            steps.extend([&[0, 0, 0], &number_of(place)[..]].concat());
        }
        seeds.add("join", steps);
        let steps = places.clone().step_by(stride).take(40).flat_map(|place| step(place, 1)).collect();
        seeds.add("join", steps);
    }
    for ((place, account), owner) in places.zip(scene.proofs.chunks(OWNERS.len())).step_by(20).zip(0_u8..) {
        let (address, proof): &(_, Vec<Bytes>) = &account[usize::from(owner) % OWNERS.len()];
        let proof = [address.as_slice(), &template(proof)].concat();
        seeds.add("join", [&[3], &number_of(place)[..], &part(&proof), &[0, 0, 0]].concat());
    }
}

/// Adds token lists and symbols, and tokens of each kind of code with the slots that they need.
fn tokens(seeds: &mut Seeds) {
    let entry = r#"{"chainId":1,"address":"0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48","decimals":6,"symbol":"USDC","name":"USD"}"#;
    let malformed = r#"{"chainId":"1","address":"0x","decimals":-1}"#;
    for entries in
        [entry.to_owned(), format!("{entry},{entry}"), format!("{malformed},{entry}"), String::new()]
    {
        seeds.add("token_list", format!(r#"{{"name":"list","tokens":[{entries}]}}"#).into());
    }
    for symbol in ["USDC", "\u{202e}CDSU", "US\u{200b}DC", "USD\u{421}", "ETH"] {
        seeds.add("token_list", symbol.into());
    }
    // A kind of code and its number, for the token; the other contracts have layouts or are beacons.
    for kind in 0..8 {
        for number in 0..12 {
            let contracts = [kind, number, 0, 1, number % 4, 0, 3, number % 2, 0, 0];
            let slots: Vec<u8> = (0..16).flat_map(|slot| [slot % 3, 0, slot, 0, 0, slot % 4, 0]).collect();
            seeds.add("token_route", [&contracts[..], &[16], &slots].concat());
        }
    }
}
