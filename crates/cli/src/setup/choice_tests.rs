use super::*;

/// The networks that are chosen, each with how many providers it has if it is a rollup; and those that are left out.
fn chosen(network: &str, rpc_url: &[&str]) -> (Vec<(String, Option<usize>)>, Vec<String>) {
    let choices = choose_of(network, &[], rpc_url, None);
    let name = |choice: &Choice| match choice {
        Choice::Network(network) => (network.network.name().to_owned(), None),
        Choice::Rollup(rollup) => (rollup.profile.name().to_owned(), Some(rollup.rpc.endpoints.len())),
    };
    (choices.all.iter().map(name).collect(), choices.left_out)
}

fn choose_of(network: &str, also: &[&str], rpc_url: &[&str], providers: Option<String>) -> Choices {
    let also: Vec<String> = also.iter().map(|name| (*name).to_owned()).collect();
    let arguments = EndpointArguments {
        network: Some(network.to_owned()),
        rpc_url: rpc_url.iter().map(|url| (*url).to_owned()).collect(),
        beacon_url: Vec::new(),
        relay_url: Vec::new(),
        mirror: Vec::new(),
        providers,
        checkpoint: None,
    };
    let Ok(choices) = choose_all(&arguments, &also, &[], Duration::from_secs(5)) else { panic!("refused") };
    choices
}

/// What is named also takes nothing from the first network: neither the endpoints without a network, nor those of its file.
#[test]
fn a_rollup_that_is_named_also_has_its_own_endpoints_alone() {
    let file = std::env::temp_dir().join(format!("saldo-also-{}.toml", std::process::id()));
    std::fs::write(&file, "[[rpc]]\nname = \"of-the-file\"\nurl = \"https://file.example\"\n")
        .expect("it can be written");
    let of_base = ["8453:own=https://b.example"];
    let ids = |choice: &Choice| -> Vec<String> {
        choice.providers().1.iter().map(|endpoint| endpoint.id().to_string()).collect()
    };
    let with_file = choose_of("mainnet", &["base"], &of_base, Some(file.display().to_string()));
    let [mainnet, base] = &with_file.all[..] else { panic!("two networks") };
    assert!(ids(mainnet).contains(&"of-the-file".to_owned()), "{:?}", ids(mainnet));
    assert_eq!(ids(base), ["own"]);
    let given = choose_of("mainnet", &["base"], &["first=https://a.example", of_base[0]], None);
    let [mainnet, base] = &given.all[..] else { panic!("two networks") };
    assert_eq!((ids(mainnet), ids(base)), (vec!["first".to_owned()], vec!["own".to_owned()]));
    let _ = std::fs::remove_file(file);
}

fn rollup(name: &str, providers: usize) -> (String, Option<usize>) {
    (name.to_owned(), Some(providers))
}

#[test]
fn all_has_the_rollups_for_which_a_provider_is_given() {
    let networks = ["mainnet", "sepolia", "hoodi"].map(|name| (name.to_owned(), None));
    let rollups = ["base", "base-sepolia", "op", "op-sepolia", "unichain", "ink"];
    let (all, mut left_out) = chosen("all", &[]);
    left_out.sort_unstable();
    let mut expected = rollups.map(str::to_owned);
    expected.sort_unstable();
    assert_eq!((all, left_out), (networks.to_vec(), expected.to_vec()));
    let given = ["https://of-mainnet.example", "op:https://a.example", "base:b=https://b.example"];
    let (all, left_out) = chosen("all", &given);
    let mut read = all.get(3..).unwrap_or_default().to_vec();
    read.sort_unstable();
    assert_eq!(read, [rollup("base", 1), rollup("op", 1)]);
    assert_eq!(left_out.len(), 4);
}

#[test]
fn a_rollup_that_is_named_is_read_without_a_provider_too() {
    let mainnet = ("mainnet".to_owned(), None);
    let (all, left_out) = chosen("base,op", &["8453:https://a.example", "base:https://b.example"]);
    assert_eq!(all, [mainnet.clone(), rollup("base", 2), rollup("op", 0)]);
    assert_eq!(left_out, Vec::<String>::new());
    let (all, _) = chosen("mainnet,op", &["https://a.example"]);
    assert_eq!(all, [mainnet, rollup("op", 1)], "a provider without a network is of the first rollup");
}
