//! Profiles: what comes with saldo, and what a file may say.

use alloy_primitives::{B256, address};
use saldo_beacon::unit::UnixTime;

use super::base;
use super::vectors::{number, vector};
use crate::rollup::{GameKind, Profile, ProfileError};

#[test]
fn the_built_in_profiles_are_read() {
    let profiles = Profile::built_in();
    let names =
        profiles.each_ref().map(|profile| (profile.name(), profile.chain_id(), profile.l1_chain_id()));
    let (mainnet, sepolia) = (1, 11_155_111);
    assert_eq!(
        names,
        [
            ("base", 8_453, mainnet),
            ("base-sepolia", 84_532, sepolia),
            ("op", 10, mainnet),
            ("op-sepolia", 11_155_420, sepolia),
            ("unichain", 130, mainnet),
            ("ink", 57_073, mainnet),
        ]
    );
    for profile in &profiles {
        assert_eq!(Profile::named(profile.name()).as_ref(), Some(profile));
        assert_eq!(profile.read_on(), "2026-11-28");
        // Until a person names the codes, no block of a built-in rollup follows from L1.
        assert!(!profile.is_pinned(), "{}", profile.name());
        assert_eq!(profile.game_codes(), []);
    }
    assert_eq!(Profile::named("mainnet"), None);
    assert!(base::profile("").is_pinned());
    assert_eq!(base::profile("").game_codes()[0].kind, GameKind::Multiproof { interval: 600, step: 30 });
    let op = Profile::named("op").unwrap();
    assert_eq!(op.registry_codes()[0].finality_delay, 302_400);
    let base = Profile::named("base").unwrap();
    assert_eq!(base.pause_identifier(), Some(address!("49048044D57e1C92A77f79988d21Fa8fAF74E97e")));
    assert_eq!(base.superchain_config(), Some(address!("b535ff7F118260a952CE65e7fF41B1743De8EE6c")));
}

/// The clocks of the profiles give the numbers of real blocks.
#[test]
fn a_moment_has_the_number_of_its_block() {
    let base = Profile::named("base").unwrap();
    let at = |profile: &Profile, seconds| profile.block_at(UnixTime::from_secs(seconds));
    assert_eq!(at(&base, 1_751_553_979), Some(32_382_316));
    assert_eq!(at(&base, 1_751_553_980), Some(32_382_316));
    assert_eq!(at(&base, 1_686_789_346), None);
    assert_eq!(at(&Profile::named("base-sepolia").unwrap(), 1_722_565_354), Some(13_398_533));
    assert_eq!(at(&Profile::named("ink").unwrap(), 1_751_553_979), None);
    let name = "l2/op-mainnet-eip2935/eip2935_header_by_number.json";
    let Some(set) = vector(name) else { return };
    let head = super::vectors::bytes(&set, "/safe_head_header_rlp");
    let head = crate::ExecutionHeader::from_rlp(&head, alloy_primitives::keccak256(&head)).unwrap();
    let expected = Some(number(&set, "/safe_head_number"));
    assert_eq!(at(&Profile::named("op").unwrap(), head.timestamp().as_secs()), expected);
}

/// The files of superchain-registry say the same, where they say anything.
#[test]
fn the_profiles_agree_with_the_published_files() {
    for (name, file) in [
        ("base", "mainnet-base.toml-before-removal"),
        ("base-sepolia", "sepolia-base.toml-before-removal"),
        ("op", "mainnet-op.toml"),
        ("op-sepolia", "sepolia-op.toml"),
    ] {
        let Some(text) = super::vectors::vector_text(&format!("networks/op-stack/{file}")) else { return };
        let profile = Profile::named(name).unwrap();
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(&format!("{key} = ")));
            line.unwrap_or_else(|| panic!("{file} has no {key}")).trim_matches('"').to_owned()
        };
        assert_eq!(value("chain_id"), profile.chain_id().to_string());
        assert_eq!(value("block_time"), profile.block_time().unwrap().to_string());
        let system_config = profile.system_config().unwrap();
        assert_eq!(value("SystemConfigProxy").parse(), Ok(system_config));
        let genesis = UnixTime::from_secs(value("l2_time").parse().unwrap());
        let first = text.split("[genesis.l2]").nth(1).unwrap();
        let first = first.lines().find_map(|line| line.trim().strip_prefix("number = ")).unwrap();
        assert_eq!(profile.block_at(genesis), first.parse().ok(), "{name}");
        if let Some(portal) = profile.pause_identifier() {
            assert_eq!(value("OptimismPortalProxy").parse(), Ok(portal));
        }
    }
}

#[test]
fn a_malformed_profile_is_refused_by_name() {
    let text = include_str!("../profile/base.toml");
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Profile::from_toml(&text.replace(from, to)).unwrap_err()
    };
    let value = |from: &str, to: &str| match with(from, to) {
        ProfileError::Value { field, line: Some(_), .. } => field,
        other => panic!("{other}"),
    };
    assert_eq!(with("block_time = 2\n", ""), ProfileError::Missing { field: "block_time" });
    assert_eq!(with("block_time", "blocktime"), ProfileError::UnknownField { field: "blocktime".into() });
    assert_eq!(value("block_time = 2", "block_time = 0"), "block_time");
    assert_eq!(value("chain_id = 8453", "chain_id = \"8453\""), "chain_id");
    assert_eq!(
        value("registry = \"0x909f6cf47ed12f010A796527f562bFc26C7F4E72\"", "registry = \"unknown\""),
        "registry"
    );
    assert_eq!(value("read_on = 2026-11-28", "read_on = \"today\""), "read_on");
    assert_eq!(value("name = \"base\"", "name = \"ba se\""), "name");
    assert_eq!(with("[[proxy_code]]", "[[proxies]]"), ProfileError::Table { name: "proxies".into() });
    assert!(matches!(with("name = \"base\"", "name = 'base'"), ProfileError::NotPlain { .. }));
    let zero = format!("\"{}\"", alloy_primitives::Address::ZERO);
    assert_eq!(value("\"0x73a79Fab69143498Ed3712e519A88a918e1f4072\"", &zero), "system_config");
    let long = format!("{text}#{}", "x".repeat(64 * 1024));
    assert!(matches!(Profile::from_toml(&long), Err(ProfileError::TooLarge { .. })));
    let many = format!("{text}{}", format!("[[factory_code]]\ncode_hash = \"{}\"\n", B256::ZERO).repeat(65));
    assert_eq!(Profile::from_toml(&many), Err(ProfileError::Table { name: "factory_code".into() }));
    let game = |kind: &str| {
        Profile::from_toml(&format!(
            "{text}[[game_code]]\ncode_hash = \"{}\"\ngame_type = 1\n{kind}\n",
            B256::ZERO
        ))
    };
    assert!(game("kind = \"permissioned\"").is_ok());
    assert_eq!(game("kind = \"multiproof\""), Err(ProfileError::Missing { field: "interval" }));
    let stray = ProfileError::UnknownField { field: "step".into() };
    assert_eq!(game("kind = \"fault\"\nstep = 3"), Err(stray));
    assert!(matches!(game("kind = \"zk\""), Err(ProfileError::Value { field: "kind", .. })));
}
