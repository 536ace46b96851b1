use super::*;
use crate::endpoint::EndpointError;

const SECRET: &str = "https://user:KEY@node.example/KEY?k=KEY";

fn refusal(text: &str) -> DirectoryError {
    let error = Directory::from_toml(text).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("KEY") && !shown.contains("node.example"), "{shown}");
    error
}

#[test]
fn an_entry_needs_only_a_url() {
    let directory = Directory::from_toml(&format!("[[rpc]]\nurl = \"{SECRET}\"\n")).unwrap();
    let [listed] = directory.rpc() else { panic!("{directory:?}") };
    assert_eq!(listed.endpoint().id().as_str(), "node.example");
    assert_eq!((listed.get_proof(), listed.tracking()), ("unknown", "unknown"));
    assert_eq!((listed.documented_on(), listed.is_built_in()), (None, false));
    assert!(directory.beacon().is_empty() && directory.checkpoint_sources().is_empty());
    assert!(!format!("{directory:?}").contains("KEY"));
}

#[test]
fn all_fields_of_an_entry_are_read() {
    let text = "[[beacon]]\nurl = \"https://node.example\"\nname = \"alice\"\noperator = \"Alice\"\nhosting = \"at home\"\n\
                documented_on = \"https://alice.example/docs\"\nread_on = 2026-11-24\nlight_client = \"all routes\"\n\
                tracking = \"unknown\"\n";
    let directory = Directory::from_toml(text).unwrap();
    let [listed] = directory.beacon() else { panic!("{directory:?}") };
    let endpoint = listed.endpoint();
    assert_eq!(
        (endpoint.id().as_str(), endpoint.run_by(), endpoint.hosted_by()),
        ("alice", "Alice", Some("at home"))
    );
    assert_eq!(
        listed.documented_on().zip(listed.read_on()),
        Some(("https://alice.example/docs", "2026-11-24"))
    );
    assert_eq!((listed.light_client(), listed.tracking()), ("all routes", "unknown"));
}

#[test]
fn a_malformed_directory_is_refused_without_showing_its_text() {
    let rpc = |fields: &str| refusal(&format!("[[rpc]]\nurl = \"{SECRET}\"\n{fields}\n"));
    let (table, position) = ("rpc", 1);
    assert_eq!(refusal(&format!("[[rpc]]\nurl = {SECRET}\n")), DirectoryError::NotToml { line: 2 });
    let not_tables = DirectoryError::NotTables { line: Some(1), table };
    assert_eq!(refusal(&format!("rpc = \"{SECRET}\"\n")), not_tables);
    assert_eq!(refusal(&format!("rpc = [\"{SECRET}\"]\n")), not_tables);
    let secret = DirectoryError::OtherTable { line: None, table: None, nearest: None };
    assert_eq!(refusal(&format!("\"{SECRET}\" = 1\n")), secret);
    assert_eq!(refusal("[[rpc]]\nname = \"x\"\n"), DirectoryError::NoUrl { table, position });
    assert!(matches!(rpc("colour = 1"), DirectoryError::UnknownField { position: 1, .. }));
    assert!(matches!(rpc(&format!("\"{SECRET}\" = 1")), DirectoryError::UnknownField { .. }));
    assert!(matches!(rpc("light_client = \"x\""), DirectoryError::UnknownField { .. }));
    assert!(matches!(rpc("name = 1"), DirectoryError::Field { field: "name", .. }));
    assert!(matches!(rpc("tracking = \"\""), DirectoryError::Field { field: "tracking", .. }));
    let long = format!("get_proof = \"{}\"", "x".repeat(201));
    assert!(matches!(rpc(&long), DirectoryError::Field { field: "get_proof", .. }));
    let undated = "documented_on = \"https://a.example\"";
    assert_eq!(rpc(undated), DirectoryError::Undated { table, position });
    assert_eq!(rpc("read_on = 2026-11-24"), DirectoryError::Undated { table, position });
    for date in ["\"2026-11-24\"", "2026-11-24T00:00:00", "2026-11-24T00:00:00Z"] {
        let error = rpc(&format!("{undated}\nread_on = {date}"));
        assert!(matches!(error, DirectoryError::Field { field: "read_on", .. }), "{date}");
    }
    let plain = rpc("documented_on = \"http://node.example/KEY\"\nread_on = 2026-11-24");
    assert!(matches!(plain, DirectoryError::Field { field: "documented_on", .. }));
    let endpoint =
        |line, field, error| DirectoryError::Endpoint { table, position, line: Some(line), field, error };
    assert_eq!(rpc("operator = \"\""), endpoint(3, "operator", EndpointError::Name));
    let scheme = endpoint(2, "url", EndpointError::Scheme);
    assert_eq!(refusal("[[rpc]]\nurl = \"ftp://node.example\"\n"), scheme);
    let twice = format!("[[rpc]]\nurl = \"{SECRET}\"\n").repeat(2);
    assert_eq!(refusal(&twice), DirectoryError::SameName { table, position: 2 });
    assert!(matches!(refusal(&" ".repeat(65_537)), DirectoryError::TooLarge { got: 65_537, .. }));
    assert!(matches!(refusal(&"[[rpc]]\n".repeat(33)), DirectoryError::TooMany { got: 33, .. }));
}

#[test]
fn a_mistyped_field_names_its_line_and_the_field_that_was_meant() {
    let shown =
        |fields: &str| refusal(&format!("# mine\n\n[[rpc]]\nurl = \"{SECRET}\"\n{fields}\n")).to_string();
    for (fields, expected) in [
        (
            "oprator = \"x\"",
            "line 5: [[rpc]] number 1 has an unknown field `oprator`; did you mean `operator`?",
        ),
        (
            "name = \"a\"\nURL = \"x\"",
            "line 6: [[rpc]] number 1 has an unknown field `URL`; did you mean `url`?",
        ),
        (
            "getproof = \"x\"",
            "line 5: [[rpc]] number 1 has an unknown field `getproof`; did you mean `get_proof`?",
        ),
        ("colour = 1", "line 5: [[rpc]] number 1 has an unknown field `colour`; the fields are url, name,"),
        (
            "d41d8cd98f00b204e9800998ecf8427e = 1",
            "line 5: [[rpc]] number 1 has an unknown field; the fields are",
        ),
        ("name = 1", "line 5: [[rpc]] number 1: `name` must be text in quotes"),
        ("name = \"a\"\noperator = []", "line 6: [[rpc]] number 1: `operator` must be text in quotes"),
        ("tracking = true", "line 5: [[rpc]] number 1: `tracking` must be text in quotes"),
        (
            "read_on = \"2026-11-24\"\ndocumented_on = \"https://a.example\"",
            "line 5: [[rpc]] number 1: `read_on` must be a date",
        ),
        ("name = \"\"", "line 5: [[rpc]] number 1: `name`: a provider's name must have 1 to"),
    ] {
        assert!(shown(fields).starts_with(expected), "{}", shown(fields));
    }
    let second = format!("[[rpc]]\nurl = \"{SECRET}\"\n[[rpc]]\nurl = \"https://b.example\"\nnam = \"b\"\n");
    assert!(refusal(&second).to_string().starts_with("line 5: [[rpc]] number 2"), "{}", refusal(&second));
}

#[test]
fn a_mistyped_table_names_its_line_and_the_table_that_was_meant() {
    let all = "the tables are [[rpc]], [[beacon]] and [[checkpoint_source]]";
    let outside =
        "stands outside of every table; begin its entry with [[rpc]], [[beacon]] or [[checkpoint_source]]";
    let own = format!("# mine\n[[rpc]]\nurl = \"{SECRET}\"\n");
    for (text, expected) in [
        (format!("{own}[[rcp]]\n"), "line 4: unknown table [[rcp]]; did you mean [[rpc]]?"),
        (format!("{own}\n [[ RPC ]] # two\n"), "line 5: unknown table [[RPC]]; did you mean [[rpc]]?"),
        (format!("{own}[[beacons]]\n"), "line 4: unknown table [[beacons]]; did you mean [[beacon]]?"),
        (
            format!("[[checkpoint_sources]]\n{own}"),
            "line 1: unknown table [[checkpoint_sources]]; did you mean [[checkpoint_source]]?",
        ),
        (format!("{own}[rcp]\n"), "line 4: unknown table [[rcp]]; did you mean [[rpc]]?"),
        (format!("{own}[network]\n"), &format!("line 4: unknown table [[network]]; {all}")),
        (format!("{own}[[provider]]\n[[rcp]]\n"), &format!("line 4: unknown table [[provider]]; {all}")),
        (format!("rcp = \"{SECRET}\"\n"), "line 1: unknown table [[rcp]]; did you mean [[rpc]]?"),
        (format!("{own}[[KEY_5f4dcc3b5aa765d61d83]]\n"), &format!("line 4: unknown table; {all}")),
        (format!("[rpc]\nurl = \"{SECRET}\"\n"), "line 1: `rpc` must be written as [[rpc]]"),
        (format!("\nurl = \"{SECRET}\"\n"), &format!("line 2: `url` {outside}")),
        ("\n\noprator = \"a\"\n[[rpc]]\n".to_owned(), &format!("line 3: `operator` {outside}")),
        ("colour = 1\n".to_owned(), &format!("line 1: unknown table [[colour]]; {all}")),
        (format!("{own}[[forks]]\n"), &format!("line 4: unknown table [[forks]]; {all}")),
    ] {
        // Without the general parser some of these are no TOML, and the line is the same.
        let shown = refusal(&text).to_string();
        let line = expected.split_once(':').map(|(place, _)| place.trim_start_matches("line "));
        let not_toml = format!("not TOML, at line {}", line.unwrap_or_default());
        assert!(shown == expected || cfg!(not(feature = "toml")) && shown == not_toml, "{text}\n{shown}");
    }
    // A network file has tables and fields of its own. A mistyped table of endpoints is noticed in it too.
    let network = Network::hoodi().to_toml();
    let line = network.lines().count() + 1;
    let mistyped = format!("line {line}: unknown table [[rcp]]; did you mean [[rpc]]?");
    assert_eq!(refusal(&format!("{network}[[rcp]]\nurl = \"{SECRET}\"\n")).to_string(), mistyped);
}

#[cfg(feature = "toml")]
#[test]
fn what_is_given_twice_is_named_with_its_line() {
    for text in [
        format!("[[rpc]]\nurl = \"{SECRET}\"\nurl = \"{SECRET}\"\n"),
        format!("[rpc]\nurl = \"{SECRET}\"\n[rpc]\n"),
        format!("rpc = []\n\n[[rpc]]\nurl = \"{SECRET}\"\n"),
        format!("[[rpc]]\nurl = \"{SECRET}\"\n[rpc]\n"),
    ] {
        let error = refusal(&text);
        assert_eq!(error, DirectoryError::Repeated { line: 3 }, "{text}");
        assert!(error.to_string().starts_with("line 3: a key or table that the file already has"), "{error}");
    }
}

#[test]
fn a_users_own_directory_replaces_and_extends() {
    let own = "[[rpc]]\nname = \"mine\"\nurl = \"https://mine.example\"\n\
               [[rpc]]\nname = \"drpc\"\nurl = \"https://drpc.example/KEY\"\n";
    let built_in = Directory::of(&Network::mainnet());
    let both = built_in.clone().extended_by(Directory::from_toml(own).unwrap());
    let names: Vec<_> = both.rpc().iter().map(|listed| listed.endpoint().id().as_str()).collect();
    assert_eq!(names.get(..3), Some(&["mine", "drpc", "publicnode"][..]), "the user's own come first");
    assert_eq!(both.rpc().len(), built_in.rpc().len() + 1, "one replaced, one added");
    let given: Vec<_> = both.rpc().iter().map(Listed::is_built_in).collect();
    assert_eq!(given.get(..3), Some(&[false, false, true][..]));
    assert_eq!(both.beacon(), built_in.beacon());
}

#[test]
fn a_network_is_recognised_by_its_genesis_and_not_by_its_name() {
    let renamed = Network::hoodi().to_toml().replace("\"hoodi\"", "\"mainnet\"");
    let renamed = Network::from_toml(&renamed).unwrap();
    assert_eq!(Directory::of(&renamed), Directory::of(&Network::hoodi()));
    let other = Network::mainnet().to_toml().replace("0x4b363db9", "0x4b363db8");
    assert_eq!(Directory::of(&Network::from_toml(&other).unwrap()), Directory::default());
}

#[test]
fn a_network_file_may_hold_the_tables() {
    let text = Network::hoodi().to_toml() + &format!("\n[[beacon]]\nurl = \"{SECRET}\"\n");
    assert!(Network::from_toml(&text).is_ok());
    assert_eq!(Directory::from_toml(&text).unwrap().beacon().len(), 1);
}

#[test]
fn the_profile_of_a_rollup_may_hold_providers() {
    let profile = "name = \"mine\"\nregistry = \"0x00\"\n\n[[game_code]]\ngame_type = 8\n";
    let text = format!("{profile}\n[[rpc]]\nurl = \"{SECRET}\"\n");
    assert_eq!(Directory::from_toml(&text).unwrap().rpc().len(), 1);
    // Tables of another kind of file are still refused.
    assert!(Directory::from_toml(&format!("{text}\n[[forks]]\n")).is_err());
    assert!(Directory::from_toml(&text.replace("registry", "registrar")).is_err());
}

#[cfg(feature = "toml")]
#[test]
fn the_general_parser_reads_the_same_built_in_directories() {
    for (network, file) in Network::built_in().into_iter().zip([MAINNET, SEPOLIA, HOODI]) {
        let mut general = Directory::from_toml(file).unwrap();
        general.listed_mut().for_each(Listed::mark_built_in);
        assert_eq!(general, Directory::of(&network));
        assert!(!general.rpc().is_empty());
    }
}
