//! A list on standard input is read whole, whatever program wrote it, or not at all; and each wrong entry is named.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed check ends the test"
)]

mod testbed;

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};

use testbed::{ALICE, BOB, Run, Services, network_file, run, saldo};

/// Runs `saldo balance -` with these bytes as its input. No server is there: a list that is refused asks none.
fn refused(list: &[u8]) -> Run {
    let mut command = saldo(&["balance", "-", "--json", "--rpc-url", "http://127.0.0.1:9"]);
    with_input(&mut command, list)
}

fn with_input(command: &mut Command, list: &[u8]) -> Run {
    let path = network_file("");
    File::create(&path).unwrap().write_all(list).unwrap();
    run(command.stdin(File::open(path).unwrap()))
}

#[track_caller]
fn assert_refused(run: &Run, code: &str, said: &[&str]) {
    assert_eq!(run.status, 2, "{run:?}");
    let error = run.only()["error"].clone();
    assert_eq!(error["code"], code, "{error}");
    let detail = error["detail"].as_str().unwrap();
    said.iter().for_each(|words| assert!(detail.contains(words), "{detail}"));
}

#[test]
fn every_form_of_text_is_read() {
    let services = Services::new(1, 1);
    let list = format!("\u{feff}{ALICE} # é\r\n\r\n# only a remark\r\n{BOB}");
    let utf16 = |bytes: fn(u16) -> [u8; 2]| list.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let plain = list.trim_start_matches('\u{feff}').as_bytes().to_vec();
    for bytes in [plain, list.as_bytes().to_vec(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
        let run = with_input(services.balance().args(["-", "--json", "--timeout", "9s"]), &bytes);
        assert_eq!(run.status, 0, "{run:?}");
        let read: Vec<_> = run.json().iter().map(|line| line["state"].clone()).collect();
        assert_eq!(read, ["proven", "proven"], "{run:?}");
    }
}

#[test]
fn a_byte_that_is_no_text_refuses_the_list_with_its_line() {
    let latin1 = [format!("{ALICE}\n{BOB} # caf").as_bytes(), b"\xe9\n"].concat();
    assert_refused(&refused(&latin1), "input_not_text", &["line 2", "not UTF-8"]);
    let cut = [format!("{ALICE}\n").as_bytes(), b"\xc3"].concat();
    assert_refused(&refused(&cut), "input_not_text", &["line 2", "not UTF-8"]);
    assert_refused(&refused(b"\xff\xfe0\x00\n\x00x"), "input_not_text", &["line 2", "not UTF-16"]);
    assert_refused(&refused(b"\xfe\xff\xd8\x00\x00a"), "input_not_text", &["line 1", "not UTF-16"]);
}

#[test]
fn every_wrong_line_and_argument_is_named() {
    let list =
        format!("{ALICE}\n0x12\n\nx.eth # a name\n{BOB}\n0x95222290dD7278Aa3Ddd389Cc1E1d165CC4BAfe5\n");
    assert_refused(
        &refused(list.as_bytes()),
        "not_an_address",
        &["line 2: an address has 40", "; line 4: names such as", "; line 6: the address's checksum"],
    );
    let many = "0x1\n".repeat(30);
    assert_refused(&refused(many.as_bytes()), "not_an_address", &["line 20: ", "; and 10 more"]);
    let arguments = run(&mut saldo(&["balance", "--json", &ALICE.to_string(), "0x12", "0x", "y.eth"]));
    assert_refused(&arguments, "not_an_address", &["argument 2: ", "; argument 3: ", "; argument 4: names"]);
}

#[test]
fn a_list_without_an_address_is_refused() {
    for list in ["", "\n\r\n", "# only a remark\n", "\u{feff}"] {
        assert_refused(&refused(list.as_bytes()), "no_addresses", &["no address"]);
    }
    let closed = run(saldo(&["balance", "-", "--json"]).stdin(Stdio::null()));
    assert_refused(&closed, "no_addresses", &["no address"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_list_is_refused() {
    let of = |path: &str| run(saldo(&["balance", "-", "--json"]).stdin(File::open(path).unwrap()));
    assert_refused(&of("/tmp"), "input_unreadable", &["a folder"]);
    assert_refused(&of("/dev/zero"), "input_too_large", &["larger than"]);
    assert_refused(&of("/dev/null"), "no_addresses", &["no address"]);
    let lines = run(saldo(&["balance", "-", "--line-by-line", "--json", "-n", "mainnet"])
        .stdin(File::open("/tmp").unwrap()));
    assert_refused(&lines, "input_unreadable", &["a folder"]);
}

#[test]
fn line_by_line_a_line_that_is_no_text_ends_the_input_aloud() {
    let services = Services::new(1, 1);
    let list = [format!("{ALICE}\n0x12\n").as_bytes(), b"\xe9\n", format!("{BOB}\n").as_bytes()].concat();
    let run =
        with_input(services.balance().args(["-", "--line-by-line", "--json", "--timeout", "9s"]), &list);
    let said = run.json();
    assert_eq!((run.status, said.len()), (2, 3), "{run:?}");
    assert_eq!(said[0]["state"], "proven");
    assert!(said[1]["error"]["detail"].as_str().unwrap().starts_with("line 2: "), "{run:?}");
    assert_eq!(said[2]["error"]["code"], "input_not_text");
    assert!(said[2]["error"]["detail"].as_str().unwrap().starts_with("line 3: "), "{run:?}");
}

#[test]
fn a_list_of_many_addresses_is_one_read() {
    let services = Services::new(1, 1);
    let list: String = (0..100).map(|number| format!("0x{number:040x}\n")).collect();
    let run = with_input(services.balance().args(["-", "--json", "--timeout", "20s"]), list.as_bytes());
    assert_eq!((run.status, run.json().len()), (0, 100), "{run:?}");
}

/// Each address is asked for at most twice: early, while the head is on its way, and at the head. A hundred go in a request.
#[test]
fn a_long_list_is_asked_for_in_hundreds() {
    for addresses in [1_000_u64, 2_500] {
        let services = Services::new(1, 1);
        let list: String = (0..addresses).map(|number| format!("0x{number:040x}\n")).collect();
        let mut command = services.balance();
        let run = with_input(command.args(["-", "--json", "--timeout", "120s"]), list.as_bytes());
        assert_eq!((run.status, run.json().len()), (0, usize::try_from(addresses).unwrap()), "{}", run.err);
        let (asked, requests) = (services.providers[0].requests(), services.providers[0].exchanges());
        let proofs = asked["eth_getProof"];
        assert!((addresses..=2 * addresses).contains(&proofs), "{addresses}: {asked:?}");
        assert!(requests <= 2 * addresses / 100 + 4, "{addresses}: {requests} requests");
    }
}
