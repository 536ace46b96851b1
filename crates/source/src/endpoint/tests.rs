use super::*;

#[test]
fn debug_shows_only_the_host() {
    let endpoint: Endpoint = "https://user:KEY1@node.example:8443/v3/KEY2?k=KEY3".parse().unwrap();
    let shown = format!("{endpoint:?}");
    assert!(!shown.contains("KEY"), "{shown}");
    assert_eq!(endpoint.id().as_str(), "node.example:8443");
}

#[test]
fn only_tls_and_this_machine_are_private() {
    for private in [
        "https://node.example",
        "http://127.0.0.1:5052",
        "http://[::1]:1",
        "http://localhost",
        "http://localhost.",
        "http://LocalHost.:5052",
    ] {
        assert!(Endpoint::new(private).unwrap().is_private(), "{private}");
    }
    for open in [
        "http://node.example",
        "http://localhost.example",
        "http://localhost.example.",
        "http://localhost..",
        "http://10.0.0.1",
        "http://[fe80::1]",
    ] {
        assert!(!Endpoint::new(open).unwrap().is_private(), "{open}");
    }
}

#[test]
fn a_name_may_stand_before_the_url() {
    let endpoint: Endpoint = "alice=https://node.example/?a=b".parse().unwrap();
    assert_eq!(endpoint.id().as_str(), "alice");
    let endpoint: Endpoint = "https://node.example/?a=b".parse().unwrap();
    assert_eq!(endpoint.id().as_str(), "node.example");
    assert_eq!("=https://node.example".parse::<Endpoint>(), Err(EndpointError::Name));
    assert_eq!("ftp://node.example".parse::<Endpoint>(), Err(EndpointError::Scheme));
    assert_eq!("node.example".parse::<Endpoint>(), Err(EndpointError::NotAUrl));
    let forgotten = "node.example/v3/KEY?x=http://other.example";
    assert_eq!(forgotten.parse::<Endpoint>(), Err(EndpointError::NotAUrl));
}

#[test]
fn the_path_of_a_folder_is_not_shown() {
    let folder = Endpoint::folder("SECRET/mirror").unwrap();
    let shown = format!("{folder:?}");
    assert!(!shown.contains("SECRET"), "{shown}");
    assert_eq!((folder.id().as_str(), folder.run_by()), ("folder", "this device"));
    assert!(folder.is_mirror() && folder.is_private());
    assert!(folder.folder_path().unwrap().ends_with("SECRET/mirror"));
    assert_eq!(Endpoint::folder("").err(), Some(EndpointError::Folder));
    assert_eq!("file:///SECRET".parse::<Endpoint>(), Err(EndpointError::Scheme));
}

#[test]
fn a_route_is_appended_to_path_and_query() {
    let endpoint = Endpoint::new("https://node.example/v3/key/?token=t").unwrap();
    let url = endpoint.url().join("/eth/v1/x", &[("count", "2".to_owned())]);
    assert_eq!(url.expose().as_str(), "https://node.example/v3/key/eth/v1/x?token=t&count=2");
}
