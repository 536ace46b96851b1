//! Files that a user names are read within a size and a time, and no closed or full output makes the command panic.
#![cfg(unix)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed check ends the test"
)]

mod testbed;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use saldo::{Directory, Network};
use testbed::{ALICE, Conversation, Run, Services, network_file, run, saldo, test_chain};

/// A path that no other test uses, with no file at it.
fn free_path() -> PathBuf {
    let path = network_file("");
    fs::remove_file(&path).unwrap();
    path
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).stdin(Stdio::null());
    command
}

#[track_caller]
fn assert_refused(run: &Run, words: &str) {
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.only()["error"]["detail"].as_str().unwrap().contains(words), "{run:?}");
}

#[test]
fn files_without_an_end_are_refused_in_time() {
    let pipe = free_path();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.display().to_string();
    let owner = ALICE.to_string();
    let started = Instant::now();
    let balance =
        |options: &[&str]| run(saldo(&["balance", &owner, "--json", "--timeout", "500ms"]).args(options));
    for option in ["-n", "--providers"] {
        assert_refused(&balance(&[option, "/dev/zero"]), "larger than");
        assert_refused(&balance(&[option, &pipe]), "did not end within 500 ms");
        assert_refused(&balance(&[option, "/tmp/"]), "a folder");
        assert_refused(&balance(&[option, "/no/such/file"]), "cannot be read");
    }
    // A list is read from standard input only: a path is no address, and is not opened.
    for path in [pipe.as_str(), "/dev/fd/0", "/dev/zero"] {
        let refused = run(&mut saldo(&["balance", path, "--json", "--timeout", "500ms"]));
        assert_eq!(refused.only()["error"]["code"], "not_an_address", "{refused:?}");
    }
    for command in [
        &["doctor", "--timeout", "500ms", "--json", "-n", &pipe][..],
        &["mirror", "/tmp/x", "--timeout", "500ms", "--json", "-n", &pipe],
    ] {
        assert_refused(&run(&mut saldo(command)), "did not end within 500 ms");
    }
    assert_refused(&run(&mut saldo(&["network", "show", "/dev/zero", "--json"])), "larger than");
    assert_refused(&run(&mut saldo(&["drill", "run", "-s", "/dev/zero", "--json"])), "larger than");
    // Without an option that says it, ten seconds.
    assert_refused(&run(&mut saldo(&["network", "show", &pipe, "--json"])), "did not end within 10000 ms");
    assert_refused(&run(&mut saldo(&["drill", "run", "-s", &pipe, "--json"])), "did not end within 10000 ms");
    assert!(started.elapsed() < Duration::from_secs(50), "each of them is limited");
    fs::remove_file(pipe).unwrap();
}

#[test]
fn files_of_other_editors_are_read() {
    let utf16: Vec<u8> =
        format!("\u{feff}{}", Network::hoodi().to_toml()).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = format!("\u{feff}{}", Network::hoodi().to_toml()).into_bytes();
    for bytes in [utf16, marked] {
        let path = network_file("");
        fs::write(&path, bytes).unwrap();
        let shown = run(saldo(&["network", "show", "--json"]).arg(path));
        assert_eq!((shown.status, &shown.only()["name"]), (0, &"hoodi".into()), "{shown:?}");
    }
}

#[test]
fn a_mistyped_network_file_says_where_and_what_was_meant() {
    let show = |text: &str| run(saldo(&["network", "show", "--json"]).arg(network_file(text)));
    let file = Network::hoodi().to_toml();
    let mistyped = file.replace("chain_id", "chain_idd");
    assert_refused(&show(&mistyped), "line 2: unknown key `chain_idd`; did you mean `chain_id`?");
    let provider = format!("{}\n[[rpc]]\nulr = \"https://a.example\"\n", Network::hoodi().to_toml());
    assert_refused(&show(&provider), "has an unknown field `ulr`; did you mean `url`?");
    let (first, _) = file.split_once('\n').unwrap();
    for (wrong, expected) in [
        ("checkpoint = \"0x12\"", "line 2: `checkpoint`: a checkpoint is written as 0xROOT"),
        ("checkpoint = 12", "line 2: `checkpoint` must be text in quotes"),
        ("max_checkpoint_age_epochs = \"1\"", "line 2: `max_checkpoint_age_epochs` must be a whole number"),
        ("checkpint = \"0x12\"", "line 2: unknown key `checkpint`; did you mean `checkpoint`?"),
    ] {
        let rest = file.lines().skip(1).filter(|line| !line.starts_with("max_checkpoint_age_epochs"));
        let rest: String = rest.map(|line| format!("\n{line}")).collect();
        assert_refused(&show(&format!("{first}\n{wrong}{rest}\n")), expected);
    }
}

#[test]
fn a_closed_or_full_output_never_panics() {
    let services = Services::new(1, 1);
    let mut balance = services.balance();
    balance.args([&ALICE.to_string(), "-v", "--timeout", "5s"]);
    let quoted: Vec<String> = std::iter::once(balance.get_program())
        .chain(balance.get_args())
        .map(|argument| format!("'{}'", argument.to_str().unwrap()))
        .collect();
    let balance = quoted.join(" ");
    let saldo = &quoted[0];
    for (script, expected) in [
        (format!("{balance} 2>&-"), 0),
        (format!("{balance} 2>/dev/full"), 0),
        (format!("{balance} >/dev/full"), 1),
        (format!("{balance} >/dev/full 2>/dev/full"), 1),
        (format!("{balance} --json >/dev/full 2>&-"), 1),
        (format!("{saldo} balance x.eth 2>/dev/full"), 2),
        (format!("{saldo} balance x.eth --json >/dev/full 2>/dev/full"), 2),
        (format!("{saldo} no-such-command 2>/dev/full"), 2),
        (format!("{saldo} --help >/dev/full"), 0),
        (format!("{saldo} network list >/dev/full 2>/dev/full"), 1),
        (format!("{saldo} drill list >/dev/full 2>/dev/full"), 1),
        (
            format!(
                "{saldo} doctor -n mainnet --timeout 1s --rpc-url http://127.0.0.1:9 --beacon-url http://127.0.0.1:9 --checkpoint 0x{:064x} >/dev/full 2>/dev/full",
                1
            ),
            1,
        ),
    ] {
        let ended = shell(&script).output().unwrap();
        assert_eq!(ended.status.code(), Some(expected), "{script}: {ended:?}");
        assert!(!String::from_utf8_lossy(&ended.stderr).contains("panicked"), "{script}: {ended:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_named_as_what_it_is() {
    for (script, words) in [
        ("network list >/dev/full", "no space is left\n  Free some space."),
        ("drill list >/dev/full", "no space is left\n  Free some space."),
        ("network list --json >/dev/full", "no space is left\n  Free some space."),
        ("drill list | true", ""),
        ("network list 2>&1 >/dev/full | cat >&2", "no space is left"),
    ] {
        let ended = shell(&format!("'{}' {script}", saldo(&[]).get_program().display())).output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(told.contains(words) && !told.contains("panicked"), "{script}: {told}");
        // Only the reader of the pipe may have ended.
        assert!(script.ends_with("| true") || !told.contains("has ended"), "{script}: {told}");
        assert!(!script.ends_with("| true") || !told.contains("no space"), "{script}: {told}");
    }
}

#[test]
fn a_network_file_of_drill_and_demo_is_complete_and_private() {
    let out = free_path();
    let mut serve = saldo(&["drill", "serve", "-s", "false-zero", "--json", "--out"]);
    serve.arg(&out);
    let mut drill = Conversation::start(&mut serve);
    let told: serde_json::Value = serde_json::from_str(&drill.read_line()).unwrap();
    assert_eq!(told["network_file"], out.display().to_string());
    assert_complete(&out);
    drill.kill();
    assert_complete(&out);

    let mut demo = Conversation::start(&mut saldo(&["demo", "--keep", "--json"]));
    let path = told_path(&mut demo);
    assert_complete(&path);
    let read =
        run(saldo(&["balance", &format!("0x{}", "a1".repeat(20)), "--json", "--timeout", "9s", "-n"])
            .arg(&path));
    assert_eq!(read.status, 0, "{read:?}");
    demo.kill();
    fs::remove_file(path).unwrap();
}

/// The path in the first line of output that names a network file.
fn told_path(command: &mut Conversation) -> PathBuf {
    loop {
        let line: serde_json::Value = serde_json::from_str(&command.read_line()).unwrap();
        if let Some(path) = line["network_file"].as_str() {
            return PathBuf::from(path);
        }
    }
}

/// The command with the usual effect of SIGHUP, also where the tests were started to outlive their terminal (`nohup`).
fn with_hang_up(command: Command) -> Command {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    if ignored.is_none_or(|mask| mask & 1 == 0) {
        return command;
    }
    let mut reset = Command::new("env");
    reset.arg("--default-signal=HUP").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => reset.env(name, value),
            None => reset.env_remove(name),
        };
    }
    reset
}

/// Ctrl-C, a request to end, and a closed terminal.
#[test]
fn a_temporary_network_file_goes_with_its_command() {
    let services = Services::new(1, 0);
    let upstream = services.rpc_urls()[0].clone();
    let serve = ["drill", "serve", "-s", "false-zero", "--json"];
    let attach = ["drill", "attach", "--json", "--upstream", &upstream];
    let demo = ["demo", "--keep", "--json"];
    let rows = [
        (&serve[..], "INT"),
        (&serve[..], "TERM"),
        (&serve[..], "HUP"),
        (&attach[..], "HUP"),
        (&demo[..], "HUP"),
    ];
    for (arguments, signal) in rows {
        let mut running = Conversation::start(&mut with_hang_up(saldo(arguments)));
        let path = told_path(&mut running);
        assert!(path.exists(), "{arguments:?}");
        running.signal(signal);
        let (status, _) = running.end();
        assert_eq!((status, path.exists()), (0, false), "{arguments:?} {signal}");
    }
    // A file that the user named stays.
    let out = free_path();
    let mut named = saldo(&serve);
    named.arg("--out").arg(&out);
    let mut running = Conversation::start(&mut with_hang_up(named));
    told_path(&mut running);
    running.signal("HUP");
    assert_eq!(running.end().0, 0);
    assert_complete(&out);
}

/// `nohup` and a shell's `trap '' HUP` start a command that is to outlive its terminal.
#[test]
fn a_command_that_was_started_to_outlive_its_terminal_does_so() {
    let serve = format!("trap '' HUP; exec {} drill serve -s false-zero --json", env!("CARGO_BIN_EXE_saldo"));
    let mut running = Conversation::start(&mut shell(&serve));
    let path = told_path(&mut running);
    running.signal("HUP");
    let owner = format!("0x{}", "a1".repeat(20));
    let read = run(saldo(&["balance", &owner, "--json", "--timeout", "9s", "-n"]).arg(&path));
    assert_eq!(read.status, 0, "{read:?}");
    running.signal("TERM");
    assert_eq!((running.end().0, path.exists()), (0, false));
}

#[track_caller]
fn assert_complete(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let network = Network::from_toml(&text).unwrap();
    let directory = Directory::from_toml(&text).unwrap();
    assert!(network.checkpoint().is_some() || !directory.checkpoint_sources().is_empty(), "{text}");
    assert!(!directory.rpc().is_empty() && !directory.beacon().is_empty(), "{text}");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_store_is_private_and_a_protected_one_is_read() {
    let services = Services::new(1, 1);
    let store = free_path();
    let named = store.display().to_string();
    let read = || services.run_for(ALICE, &["--json", "--timeout", "9s", "--store", &named]);
    assert_eq!(read().status, 0);
    fs::set_permissions(&store, fs::Permissions::from_mode(0o664)).unwrap();
    assert_eq!(read().status, 0);
    assert_eq!(fs::metadata(&store).unwrap().permissions().mode() & 0o777, 0o600, "taken from others");

    fs::set_permissions(&store, fs::Permissions::from_mode(0o400)).unwrap();
    let before = fs::read(&store).unwrap();
    let protected = read();
    assert_eq!(protected.status, 0, "{protected:?}");
    assert!(
        protected.err.contains("this run starts with what is in it, and stores nothing"),
        "{protected:?}"
    );
    assert_eq!(fs::read(&store).unwrap(), before);
    services.refuse_all_connections();
    let offline = services.run_for(ALICE, &["--json", "--timeout", "1s", "--store", &named]);
    assert_eq!(offline.only()["last"]["amount"], testbed::ALICE_WEI, "{offline:?}");

    let folder = services.run_for(ALICE, &["--json", "--store", "/tmp"]);
    assert_eq!((folder.status, &folder.only()["error"]["code"]), (2, &"store".into()), "{folder:?}");
}

#[test]
fn a_store_that_is_no_regular_file_is_refused_in_time() {
    let services = Services::new(1, 1);
    let pipe = free_path();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let socket_path = free_path();
    let socket = std::os::unix::net::UnixListener::bind(&socket_path).unwrap();
    let started = Instant::now();
    let own = [&pipe, &socket_path].map(|path| path.to_str().unwrap());
    for path in own.into_iter().chain(["/dev/zero", "/dev/full", "/dev/null"]) {
        let refused = services.run_for(ALICE, &["--json", "--timeout", "1s", "--store", path]);
        assert_eq!((refused.status, &refused.only()["error"]["code"]), (2, &"store".into()), "{refused:?}");
        let detail = refused.only()["error"]["detail"].as_str().unwrap().to_owned();
        let expected =
            "the file of --store cannot be used: it is a pipe, a socket or a device, and not a regular file";
        assert_eq!(detail, expected, "{path}");
    }
    drop(socket);
    fs::remove_file(socket_path).unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "none waits for the other end of a pipe");
    fs::remove_file(pipe).unwrap();
}

/// `--timeout` begins when standard input has ended: a slow program may write the list.
#[test]
fn a_list_on_standard_input_may_come_late() {
    let services = Services::new(1, 1);
    let mut command = services.balance();
    command.args(["-", "--json", "--timeout", "3s"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::thread::sleep(Duration::from_secs(4));
    assert!(child.try_wait().unwrap().is_none(), "it waits for the list");
    std::io::Write::write_all(&mut input, format!("{ALICE}\n").as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// The largest size of a file stands for a full disk: the system refuses to let the file grow.
#[test]
fn a_full_disk_is_said_with_what_helps() {
    let services = Services::new(1, 1);
    let store = free_path();
    let named = store.display().to_string();
    let under = |blocks: u64, owners: &[String]| {
        let mut balance = services.balance();
        balance.args(owners).args(["--quiet", "--timeout", "9s", "--store", &named]);
        let quoted: Vec<String> = std::iter::once(balance.get_program())
            .chain(balance.get_args())
            .map(|argument| format!("'{}'", argument.to_str().unwrap()))
            .collect();
        // In blocks of 512 bytes.
        shell(&format!("trap '' XFSZ; ulimit -f {blocks}; {}", quoted.join(" "))).output().unwrap()
    };
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let no_file = under(1, &[ALICE.to_string()]);
    assert_eq!(no_file.status.code(), Some(2), "{no_file:?}");
    assert!(said(&no_file).contains("Free some space, or give a file on another disk"), "{no_file:?}");

    // The file exists, and what many readings need no longer fits: the amounts are proven, and that is said.
    fs::remove_file(&store).unwrap_or_default();
    assert_eq!(services.run_for(ALICE, &["--quiet", "--timeout", "9s", "--store", &named]).status, 0);
    let blocks = fs::metadata(&store).unwrap().len().div_ceil(512) + 8;
    let many: Vec<String> = (1..=150).map(|number| format!("0x{number:040x}")).collect();
    let full = under(blocks, &many);
    assert_eq!(full.status.code(), Some(0), "{full:?}");
    assert_eq!(String::from_utf8_lossy(&full.stdout).lines().count(), 150);
    assert!(said(&full).contains("Free some space: what is proven now is not stored"), "{full:?}");
}

#[test]
fn a_wrong_chain_id_in_a_network_file_is_noticed() {
    let services = Services::new(2, 1);
    let network = test_chain().network();
    let wrong =
        network.to_toml().replacen(&format!("chain_id = {}", network.chain_id()), "chain_id = 4242", 1);
    let file = network_file(&wrong);
    let ask = |command: &[&str]| {
        let mut command = saldo(command);
        command.args(["--json", "--timeout", "9s", "-n"]).arg(&file);
        for (option, urls) in [("--rpc-url", services.rpc_urls()), ("--beacon-url", services.beacon_urls())] {
            for url in urls {
                command.args([option, &url]);
            }
        }
        run(&mut command)
    };
    let refused = ask(&["balance", &ALICE.to_string()]);
    assert_refused(&refused, "chain 4242");
    assert_eq!(refused.only()["error"]["code"], "wrong_chain_id");
    let examined = ask(&["doctor"]);
    let step = examined.only()["diagnosis"]["next_steps"][0].as_str().unwrap().to_owned();
    assert!(step.contains("chain 4242") && step.contains("Correct `chain_id` in the network file"), "{step}");
    assert_eq!(examined.status, 4);
}

#[test]
fn times_are_iso_8601() {
    let shown = run(&mut saldo(&["network", "show", "hoodi"]));
    assert!(shown.out.contains("genesis 2025-03-17T12:10:00Z"), "{}", shown.out);
}
