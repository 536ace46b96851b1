use super::*;

const FULU: ForkVersion = [6, 0, 0, 0];
const GLOAS: ForkVersion = [7, 0, 0, 0];

/// Returns mainnet, which has Fulu from epoch 411,392 on and no time for Gloas.
fn behind() -> Network {
    let network = Network::mainnet();
    assert_eq!(network.forks().iter().find(|fork| fork.version() == GLOAS).unwrap().epoch(), None);
    network
}

fn range(version: ForkVersion, first: u64, last: u64) -> VerifiedFork {
    VerifiedFork { version, first: Epoch::new(first), last: Epoch::new(last) }
}

fn start(epoch: u64) -> Slot {
    Slot::new(epoch.saturating_mul(32))
}

fn fork_at(network: &Network, verified: &[VerifiedFork], epoch: u64) -> Result<Fork, NotKnown> {
    Schedule { network, verified }.fork_at(start(epoch))
}

#[test]
fn epochs_between_two_forks_are_not_settled() {
    let network = behind();
    let verified = [range(FULU, 420_000, 420_010), range(GLOAS, 420_020, 420_030)];
    for (epoch, expected) in [
        (411_391, Ok(Fork::Electra)),
        (419_999, Ok(Fork::Fulu)),
        (420_010, Ok(Fork::Fulu)),
        (420_011, Err(NotKnown::Unsettled)),
        (420_019, Err(NotKnown::Unsettled)),
        (420_020, Ok(Fork::Gloas)),
        (420_031, Ok(Fork::Gloas)),
    ] {
        assert_eq!(fork_at(&network, &verified, epoch), expected, "{epoch}");
    }
    // No head of Fulu was verified, so Fulu may have ended at any time since its start.
    assert_eq!(fork_at(&network, &verified[1..], 411_391), Ok(Fork::Electra));
    assert_eq!(fork_at(&network, &verified[1..], 411_392), Err(NotKnown::Unsettled));
}

fn versions(verified: &[VerifiedFork], epoch: u64) -> Vec<ForkVersion> {
    let network = behind();
    let schedule = Schedule { network: &network, verified };
    schedule.candidates(start(epoch)).unwrap().map(ScheduledFork::version).collect()
}

#[test]
fn slots_after_a_verified_fork_never_count_as_before_it() {
    let verified = [range(FULU, 420_000, 420_010), range(GLOAS, 420_020, 420_030)];
    assert_eq!(versions(&verified, 420_011), [FULU, GLOAS]);
    assert_eq!(versions(&verified, 420_019), [FULU, GLOAS]);
    for epoch in [420_020, 420_025, 430_000] {
        assert_eq!(versions(&verified, epoch)[0], GLOAS);
        assert!(!versions(&verified, epoch).contains(&FULU));
    }
    assert_eq!(versions(&[], 430_000), [FULU, GLOAS]);
}

/// No signature covers the slot of the signature, and the first slots of a fork may have no blocks.
#[test]
fn the_last_heads_of_an_epoch_may_have_been_signed_in_the_next() {
    let network = behind();
    let schedule = Schedule { network: &network, verified: &[] };
    let gloas = network.forks().iter().find(|fork| fork.version() == GLOAS).unwrap();
    let verify = |head: u64| schedule.verify(Slot::new(head), gloas, Slot::new(head));
    let epoch = 420_000 * 32;
    let shown = range(GLOAS, 420_000, 420_000);
    assert_eq!(verify(epoch), Ok((Fork::Gloas, shown)));
    assert_eq!(verify(epoch + 27), Ok((Fork::Gloas, shown)));
    assert_eq!(verify(epoch + 28), Err(NotKnown::Unsettled));
    assert_eq!(verify(epoch + 31), Err(NotKnown::Unsettled));
    // If the epoch is known to be in the fork or before it, its last slot is settled too.
    let verified = [range(FULU, 419_000, 420_000), range(GLOAS, 420_001, 420_001)];
    let schedule = Schedule { network: &network, verified: &verified };
    let (fork, shown) = schedule.verify(Slot::new(epoch + 31), gloas, Slot::new(epoch + 32)).unwrap();
    assert_eq!((fork, shown.version), (Fork::Fulu, FULU));
    let (fork, shown) = schedule.verify(Slot::new(epoch + 63), gloas, Slot::new(epoch + 63)).unwrap();
    assert_eq!((fork, shown.version), (Fork::Gloas, GLOAS));
}

/// If the table has the time of a fork, a head before it may have been signed after it.
#[test]
fn the_last_head_before_a_scheduled_fork_is_before_it_even_if_signed_after() {
    let network = behind();
    let schedule = Schedule { network: &network, verified: &[] };
    let named = |name: &str| network.forks().iter().find(|fork| fork.name() == name).unwrap();
    let (deneb, electra) = (named("deneb"), named("electra"));
    let first = start(electra.epoch().unwrap().get());
    let last = first.saturating_sub(1);
    let shown = range(deneb.version(), 364_031, 364_031);
    assert_eq!(schedule.verify(last, electra, first), Ok((Fork::Deneb, shown)));
    assert_eq!(schedule.verify(last, deneb, last), Ok((Fork::Deneb, shown)));
    let shown = range(electra.version(), 364_032, 364_032);
    assert_eq!(schedule.verify(first, electra, first), Ok((Fork::Electra, shown)));
}

#[test]
fn between_two_forks_the_signature_decides_except_for_the_last_slots() {
    let network = behind();
    let verified = [range(FULU, 420_000, 420_000), range(GLOAS, 420_020, 420_030)];
    let schedule = Schedule { network: &network, verified: &verified };
    let gloas = network.forks().iter().find(|fork| fork.version() == GLOAS).unwrap();
    let head = start(420_010);
    let shown = range(GLOAS, 420_010, 420_010);
    assert_eq!(schedule.verify(head, gloas, head), Ok((Fork::Gloas, shown)));
    let last = head.saturating_add(31);
    assert_eq!(schedule.verify(last, gloas, last), Err(NotKnown::Unsettled));
}

#[test]
fn a_head_signed_before_a_fork_is_before_it() {
    let network = behind();
    let verified = [range(FULU, 420_000, 420_000), range(GLOAS, 420_020, 420_030)];
    let schedule = Schedule { network: &network, verified: &verified };
    let fulu = network.forks().iter().find(|fork| fork.version() == FULU).unwrap();
    let head = Slot::new(420_010 * 32 + 31);
    let shown = range(FULU, 420_010, 420_010);
    assert_eq!(schedule.verify(head, fulu, head), Ok((Fork::Fulu, shown)));
    let mut narrowed = verified.to_vec();
    record(&mut narrowed, shown);
    record(&mut narrowed, range(GLOAS, 420_012, 420_012));
    assert_eq!(narrowed, [range(FULU, 420_000, 420_010), range(GLOAS, 420_012, 420_030)]);
}

#[test]
fn a_table_must_agree_with_verified_forks() {
    let verified = [range(FULU, 420_000, 420_010), range(GLOAS, 420_020, 420_030)];
    let with = |text: &str| {
        let toml = behind().to_toml();
        let line = "version = \"0x07000000\"\n";
        assert!(toml.contains(line));
        let network = Network::from_toml(&toml.replace(line, &format!("{line}{text}"))).unwrap();
        Schedule { network: &network, verified: &verified }.contradiction()
    };
    assert_eq!(with(""), None);
    assert_eq!(with("epoch = 420011\n"), None);
    assert_eq!(with("epoch = 420020\n"), None);
    assert_eq!(with("epoch = 420010\n"), Some(verified[0]));
    assert_eq!(with("epoch = 420021\n"), Some(verified[1]));
    let toml = behind().to_toml().replace("0x07000000", "0x77000000");
    let renamed = Network::from_toml(&toml).unwrap();
    assert_eq!(Schedule { network: &renamed, verified: &verified }.contradiction(), Some(verified[1]));
}

#[test]
fn verified_forks_stay_in_order() {
    let mut verified = vec![range(GLOAS, 420_020, 420_030)];
    record(&mut verified, range(FULU, 420_000, 420_000));
    assert_eq!(verified, [range(FULU, 420_000, 420_000), range(GLOAS, 420_020, 420_030)]);
    assert!(is_in_order(&verified));
    assert!(is_in_order(&[]));
    verified.reverse();
    assert!(!is_in_order(&verified));
    assert!(!is_in_order(&[range(FULU, 420_000, 420_020), range(GLOAS, 420_020, 420_030)]));
    assert!(!is_in_order(&[range(FULU, 420_001, 420_000)]));
}

#[test]
fn a_state_shows_only_one_fork() {
    let network = behind();
    let schedule = Schedule { network: &network, verified: &[] };
    let gloas = network.forks().iter().find(|fork| fork.version() == GLOAS).unwrap();
    let last = Slot::new(420_000 * 32 + 31);
    let told = |holding: &[Fork]| schedule.told_by_state(last, gloas, |fork| holding.contains(&fork));
    assert_eq!(told(&[Fork::Gloas]), Ok((Fork::Gloas, range(GLOAS, 420_000, 420_000))));
    assert_eq!(told(&[Fork::Electra, Fork::Fulu]), Ok((Fork::Fulu, range(FULU, 420_000, 420_000))));
    for refused in [&[Fork::Fulu, Fork::Gloas][..], &[Fork::Electra], &[]] {
        assert_eq!(told(refused), Err(NotKnown::Unsettled), "{refused:?}");
    }
    let told = |holding: &[Fork]| schedule.told_by_checkpoint(last, |fork| holding.contains(&fork)).unwrap();
    assert_eq!(told(&[Fork::Gloas]), (Fork::Gloas, Some(range(GLOAS, 420_000, 420_000))));
    for by_table in [&[Fork::Fulu, Fork::Gloas][..], &[Fork::Fulu], &[]] {
        assert_eq!(told(by_table), (Fork::Fulu, None), "{by_table:?}");
    }
}
