//! A connection with TLS takes two round trips. Where a round trip takes two seconds, that is four seconds, and a read with enough
//! time proves all the same. A server that opens no connection costs no such wait, because another one is asked meanwhile.

use std::time::{Duration, Instant};

use saldo::{Client, Policy};
use saldo_drill::{BeaconSource, Chain, Provider};
use saldo_source::{HttpTransport, Proxies};
use saldo_tests::scene::{ALICE, BEFORE};
use saldo_tests::tls_server::{Rounds, Speech, TlsServer};
use saldo_tests::tls_world::{ChainClock, DEADLINE, World, run};

/// The time that the client gives a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[test]
fn a_first_read_is_proven_where_a_round_trip_takes_two_seconds() {
    run(|| async {
        for (speech, name) in [(Speech::One, "HTTP/1.1"), (Speech::Two, "HTTP/2")] {
            let world = World::over(Duration::from_secs(1), speech, Duration::ZERO).await;
            world.read(&format!("2 s a round trip, {name}")).await;
        }
    });
}

/// The first provider and the first source take part in no handshake.
#[test]
fn a_server_that_opens_no_connection_is_not_waited_for() {
    run(|| async {
        let chain = Chain::builder(1).accounts([(ALICE, BEFORE)]).build();
        let checkpoint = chain.checkpoint();
        chain.advance(40);
        let (dead, rounds) = (Duration::from_secs(600), Rounds::default());
        let provider = || Provider::honest(&chain);
        let source = || BeaconSource::honest(&chain);
        let dead_provider = TlsServer::start(provider(), Speech::Two, dead, &rounds).await;
        let dead_source = TlsServer::start(source(), Speech::Two, dead, &rounds).await;
        let good_provider = TlsServer::start(provider(), Speech::Two, Duration::ZERO, &rounds).await;
        let good_source = TlsServer::start(source(), Speech::Two, Duration::ZERO, &rounds).await;
        let client = Client::builder(chain.network())
            .rpc(format!("dead={}", dead_provider.url()))
            .rpc(format!("good={}", good_provider.url()))
            .beacon(format!("dead-source={}", dead_source.url()))
            .beacon(format!("good-source={}", good_source.url()))
            .checkpoint(checkpoint)
            .policy(Policy { deadline: DEADLINE, ..Policy::signed() })
            .transport(HttpTransport::with_proxies(Proxies::none()).unwrap())
            .clock(ChainClock::of(&chain))
            .build()
            .unwrap();
        let began = Instant::now();
        let reading = client.balance(ALICE).await;
        let took = began.elapsed();
        println!("beside a dead provider and a dead source: {took:?}");
        let proven = reading.proven().unwrap_or_else(|| panic!("{:?}", reading.attempts()));
        assert_eq!(proven.provider().as_str(), "good");
        assert_eq!((dead_provider.handshakes(), dead_source.handshakes()), (0, 0));
        // Two hedge delays of 0.4 s: one for the source, one for the provider.
        assert!(took < CONNECT_TIMEOUT / 2, "{took:?}");
    });
}
