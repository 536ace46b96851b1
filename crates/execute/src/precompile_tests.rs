use alloy_primitives::{Address, Bytes, U256, hex};
use revm::bytecode::opcode as op;

use super::*;
use crate::meter::Meter;
use crate::run::{self, Call, Output, Run};
use crate::world::{TOKEN, World};

/// An epoch of each fork, on mainnet.
const EPOCHS: [(ExecutionFork, u64); 5] = [
    (ExecutionFork::Paris, 150_000),
    (ExecutionFork::Shanghai, 200_000),
    (ExecutionFork::Cancun, 300_000),
    (ExecutionFork::Prague, 380_000),
    (ExecutionFork::Osaka, 420_000),
];

/// A valid input of a precompiled contract, with its answer.
struct Case {
    address: u16,
    first: ExecutionFork,
    input: Vec<u8>,
    output: Vec<u8>,
}

fn place(address: u16) -> Address {
    Address::left_padding_from(&address.to_be_bytes())
}

/// The token passes its input on, and returns whether the call succeeded, then what it returned. It has no `PUSH0`, which Paris lacks.
fn passing_on(address: u16) -> World {
    let [high, low] = address.to_be_bytes();
    let zero = [op::PUSH1, 0];
    let code = [
        &[op::CALLDATASIZE][..],
        &zero,
        &zero,
        &[op::CALLDATACOPY],
        &zero,
        &zero,
        &[op::CALLDATASIZE],
        &zero,
        &zero,
        &[op::PUSH2, high, low, op::GAS, op::CALL],
        &zero,
        &[op::MSTORE, op::RETURNDATASIZE],
        &zero,
        &[op::PUSH1, 32, op::RETURNDATACOPY, op::RETURNDATASIZE, op::PUSH1, 32, op::ADD],
        &zero,
        &[op::RETURN],
    ];
    World::of(&code.concat()).without_account(place(address))
}

fn answer(success: u8, output: &[u8]) -> Result<Output, Refusal> {
    let word = U256::from(success).to_be_bytes::<32>();
    Ok(Output::Returned([&word[..], output].concat().into()))
}

/// Runs with the precompiled contracts `built`.
fn run_with(world: &World, built: EthPrecompiles, input: &[u8]) -> Run {
    let (environment, call) = (world.environment(), Call::new(TOKEN, Bytes::copy_from_slice(input)));
    let mut machine = run::machine(world, &environment, &call, world.gas_limit, Meter::default().limits());
    machine.precompiles.inner = built;
    run::run_machine(machine, &call)
}

/// The elements of the fields of BLS12-381 are 48 bytes, after 16 zeros.
fn padded(elements: &[[u8; 48]]) -> Vec<u8> {
    elements.iter().flat_map(|element| [&[0; 16][..], element].concat()).collect()
}

const BLS_G1: [[u8; 48]; 2] = [
    hex!("17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"),
    hex!("08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1"),
];
const BLS_TWICE_G1: [[u8; 48]; 2] = [
    hex!("0572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e"),
    hex!("166a9d8cabc673a322fda673779d8e3822ba3ecb8670e461f73bb9021d5fd76a4c56d9d4cd16bd1bba86881979749d28"),
];
const BLS_G2: [[u8; 48]; 4] = [
    hex!("024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"),
    hex!("13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"),
    hex!("0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801"),
    hex!("0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be"),
];
const BLS_MINUS_G2: [[u8; 48]; 4] = [
    BLS_G2[0],
    BLS_G2[1],
    hex!("0d1b3cc2c7027888be51d9ef691d77bcb679afda66c73f17f9ee3837a55024f78c71363275a75d75d86bab79f74782aa"),
    hex!("13fa4d4a0ad8b1ce186ed5061789213d993923066dddaf1040bc3ff59f825c78df74f2d75467e25e0f55f8a00fa030ed"),
];
const BLS_TWICE_G2: [[u8; 48]; 4] = [
    hex!("1638533957d540a9d2370f17cc7ed5863bc0b995b8825e0ee1ea1e1e4d00dbae81f14b0bf3611b78c952aacab827a053"),
    hex!("0a4edef9c1ed7f729f520e47730a124fd70662a904ba1074728114d1031e1572c6c886f6b57ec72a6178288c47c33577"),
    hex!("0468fb440d82b0630aeb8dca2b5256789a66da69bf91009cbfe6bd221e47aa8ae88dece9764bf3bd999d95d71e4c9899"),
    hex!("0f6d4552fa65dd2638b361543f887136a43253d9c66c411697003f7a13c308f5422e1aa0a59c8967acdefd8b6e36ccf3"),
];

/// Generators of [EIP-196](https://eips.ethereum.org/EIPS/eip-196) and [EIP-197](https://eips.ethereum.org/EIPS/eip-197), and what
/// follows from their definitions: twice (1, 2) is that point, and e(P, Q) e(-P, Q) = 1.
fn of_bn254() -> Vec<Case> {
    let number = |number: u64| U256::from(number).to_be_bytes::<32>().to_vec();
    let first = ExecutionFork::Paris;
    let minus_g1_y = hex!("30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45").to_vec();
    let twice_g1 = hex!(
        "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3
         15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4"
    );
    let g2 = hex!(
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2
         1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed
         090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b
         12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
    );
    let pair = |y: Vec<u8>| [number(1), y, g2.to_vec()].concat();
    let is_one = [pair(number(2)), pair(minus_g1_y)].concat();
    let is_not_one = [pair(number(2)), pair(number(2))].concat();
    let doubling = [number(1), number(2), number(1), number(2)].concat();
    let multiplication = [number(1), number(2), number(2)].concat();
    vec![
        Case { address: 6, first, input: doubling, output: twice_g1.to_vec() },
        Case { address: 7, first, input: multiplication, output: twice_g1.to_vec() },
        Case { address: 8, first, input: is_one, output: number(1) },
        Case { address: 8, first, input: is_not_one, output: number(0) },
    ]
}

/// Test vector 5 of [EIP-152](https://eips.ethereum.org/EIPS/eip-152): the hash of "abc".
fn of_blake2() -> Case {
    let rounds_and_state = hex!(
        "0000000c48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5
         d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
    );
    let mut message = b"abc".to_vec();
    message.resize(128, 0);
    let offset_and_end = hex!("0300000000000000000000000000000001");
    let output = hex!(
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1
         7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
    );
    let input = [&rounds_and_state[..], &message, &offset_and_end].concat();
    Case { address: 9, first: ExecutionFork::Paris, input, output: output.to_vec() }
}

/// `verify_kzg_proof_case_correct_proof_31ebd010e6098750` of the consensus tests. The answer is that of
/// [EIP-4844](https://eips.ethereum.org/EIPS/eip-4844#point-evaluation-precompile).
fn of_kzg() -> Case {
    let hash = hex!("01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b");
    let point = hex!("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000");
    let value = hex!("1522a4a7f34e1ea350ae07c29c96c7e79655aa926122e95fe69fcbd932ca49e9");
    let commitment = hex!(
        "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7"
    );
    let proof = hex!(
        "a62ad71d14c5719385c0686f1871430475bf3a00f0aa3f7b8dd99a9abc2160744faf0070725e00b60ad9a026a15b1a8c"
    );
    let output = hex!(
        "0000000000000000000000000000000000000000000000000000000000001000
         73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001"
    );
    let input = [&hash[..], &point, &value, &commitment, &proof].concat();
    Case { address: 0x0a, first: ExecutionFork::Cancun, input, output: output.to_vec() }
}

/// Of the vectors of [EIP-2537](https://eips.ethereum.org/EIPS/eip-2537): `bls_g1add_(g1+g1=2*g1)`, `bls_g1msm_(g1+g1=2*g1)`, the same
/// two of G2, `bls_pairing_e(G1,-G2)=e(-G1,G2)`, `bls_g1map_` and `bls_g2map_`.
fn of_bls() -> Vec<Case> {
    let two = U256::from(2).to_be_bytes::<32>().to_vec();
    let (g1, g2) = (padded(&BLS_G1), padded(&BLS_G2));
    let pairing = [&g1[..], &g2, &g1, &padded(&BLS_MINUS_G2)].concat();
    let to_g1 = [hex!(
        "156c8a6a2c184569d69a76be144b5cdc5141d2d2ca4fe341f011e25e3969c55ad9e9b9ce2eb833c81a908e5fa4ac5f03"
    )];
    let of_to_g1 = [
        hex!(
            "184bb665c37ff561a89ec2122dd343f20e0f4cbcaec84e3c3052ea81d1834e192c426074b02ed3dca4e7676ce4ce48ba"
        ),
        hex!(
            "04407b8d35af4dacc809927071fc0405218f1401a6d15af775810e4e460064bcc9468beeba82fdc751be70476c888bf3"
        ),
    ];
    let to_g2 = [
        hex!(
            "07355d25caf6e7f2f0cb2812ca0e513bd026ed09dda65b177500fa31714e09ea0ded3a078b526bed3307f804d4b93b04"
        ),
        hex!(
            "02829ce3c021339ccb5caf3e187f6370e1e2a311dec9b75363117063ab2015603ff52c3d3b98f19c2f65575e99e8b78c"
        ),
    ];
    let of_to_g2 = [
        hex!(
            "00e7f4568a82b4b7dc1f14c6aaa055edf51502319c723c4dc2688c7fe5944c213f510328082396515734b6612c4e7bb7"
        ),
        hex!(
            "126b855e9e69b1f691f816e48ac6977664d24d99f8724868a184186469ddfd4617367e94527d4b74fc86413483afb35b"
        ),
        hex!(
            "0caead0fd7b6176c01436833c79d305c78be307da5f6af6c133c47311def6ff1e0babf57a0fb5539fce7ee12407b0a42"
        ),
        hex!(
            "1498aadcf7ae2b345243e281ae076df6de84455d766ab6fcdaad71fab60abb2e8b980a440043cd305db09d283c895e3d"
        ),
    ];
    let of = |address, input, output| Case { address, first: ExecutionFork::Prague, input, output };
    vec![
        of(0x0b, [&g1[..], &g1].concat(), padded(&BLS_TWICE_G1)),
        of(0x0c, [&g1[..], &two].concat(), padded(&BLS_TWICE_G1)),
        of(0x0d, [&g2[..], &g2].concat(), padded(&BLS_TWICE_G2)),
        of(0x0e, [&g2[..], &two].concat(), padded(&BLS_TWICE_G2)),
        of(0x0f, pairing, U256::ONE.to_be_bytes::<32>().to_vec()),
        of(0x10, padded(&to_g1), padded(&of_to_g1)),
        of(0x11, padded(&to_g2), padded(&of_to_g2)),
    ]
}

/// The first vector of [EIP-7951](https://eips.ethereum.org/EIPS/eip-7951).
fn of_p256() -> Case {
    let input = hex!(
        "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023
         2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18
         4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76
         2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838
         c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e"
    );
    let output = U256::ONE.to_be_bytes::<32>().to_vec();
    Case { address: 0x100, first: ExecutionFork::Osaka, input: input.to_vec(), output }
}

fn cases() -> Vec<Case> {
    let mut cases = of_bn254();
    cases.push(of_blake2());
    cases.push(of_kzg());
    cases.extend(of_bls());
    cases.push(of_p256());
    cases
}

#[test]
fn each_gives_the_known_answer_from_its_fork_on() {
    for Case { address, first, input, output } in cases() {
        for (fork, epoch) in EPOCHS {
            // Before its fork the address is an account without code, whose call succeeds and returns nothing.
            let expected = if fork >= first { answer(1, &output) } else { answer(1, &[]) };
            let world = World { epoch, ..passing_on(address) };
            let run = world.run_with(input.clone().into());
            assert_eq!(run.outcome, expected, "{address:#x} {fork:?}");
        }
    }
}

#[test]
fn before_its_fork_a_contract_can_be_at_the_address() {
    for Case { address, first, input, .. } in cases() {
        for (_, epoch) in EPOCHS.into_iter().filter(|(fork, _)| *fork < first) {
            let world = World { epoch, ..passing_on(address) };
            let code = [op::PUSH1, 5, op::PUSH1, 0, op::MSTORE8, op::PUSH1, 1, op::PUSH1, 0, op::RETURN];
            let run = world.with(place(address), &code).run_with(input.clone().into());
            assert_eq!(run.outcome, answer(1, &[5]), "{address:#x}");
        }
    }
}

/// A false input: the call fails by the rules of the chain, or the answer is empty.
#[test]
fn a_false_input_is_not_answered_as_a_right_one() {
    for case in cases().into_iter().filter(|case| case.address >= 0x0a) {
        let mut input = case.input;
        *input.last_mut().unwrap() ^= 1;
        let run = passing_on(case.address).run_with(input.into());
        match case.address {
            // Another factor, and another element of the field, have other answers.
            0x0c | 0x0e | 0x10 | 0x11 => {
                assert!(run.outcome.is_ok());
                assert_ne!(run.outcome, answer(1, &case.output), "{:#x}", case.address);
            }
            // No signature of the key: there is no answer.
            0x100 => assert_eq!(run.outcome, answer(1, &[])),
            _ => assert_eq!(run.outcome, answer(0, &[]), "{:#x}", case.address),
        }
    }
}

#[test]
fn this_build_has_all_of_each_fork() {
    let forks = EPOCHS.map(|(fork, _)| fork);
    for fork in forks.into_iter().chain([ExecutionFork::Amsterdam]) {
        let precompiles = Precompiles::new(fork, PRECOMPILES);
        let built = |address: &u16| precompiles.inner.contains(&place(*address));
        let built: Vec<u16> = (0..=u16::MAX).filter(built).collect();
        let expected: Vec<u16> =
            (0..=u16::MAX).filter(|address| is_precompiled(fork, place(*address))).collect();
        assert_eq!(built, expected, "{fork:?}");
        assert_eq!(built.len(), precompiles.inner.warm_addresses().len(), "{fork:?}");
        assert!(!is_precompiled(fork, Address::with_last_byte(1) | Address::repeat_byte(0x10)));
    }
    // Every one of the newest fork is called above, or in the tests of the runs.
    let called = |address: u16| address < 6 || cases().iter().any(|case| case.address == address);
    let newest = (0..=u16::MAX).filter(|address| is_precompiled(ExecutionFork::Osaka, place(*address)));
    assert_eq!(newest.filter(|address| !called(*address)).collect::<Vec<u16>>(), Vec::<u16>::new());
}

/// Without the check the call would succeed and return nothing.
#[test]
fn one_that_is_not_built_ends_the_run() {
    for case in cases().into_iter().filter(|case| case.first > ExecutionFork::Paris) {
        let world = passing_on(case.address);
        let run = run_with(&world, EthPrecompiles::new(SpecId::BERLIN), &case.input);
        assert_eq!(run.outcome, Err(Refusal::Precompile { address: place(case.address) }));
        // The machine is otherwise the same.
        let complete = run_with(&world, EthPrecompiles::new(SpecId::OSAKA), &case.input);
        assert_eq!(complete.outcome, answer(1, &case.output));
    }
}

/// A newer machine could bring one that the fork does not have.
#[test]
fn one_that_the_fork_does_not_have_ends_the_run() {
    let kzg = of_kzg();
    let world = World { epoch: 200_000, ..passing_on(kzg.address) };
    let run = run_with(&world, EthPrecompiles::new(SpecId::OSAKA), &kzg.input);
    assert_eq!(run.outcome, Err(Refusal::Precompile { address: place(kzg.address) }));
}

/// [EIP-7702](https://eips.ethereum.org/EIPS/eip-7702): the code of a precompiled contract is empty.
#[test]
fn a_delegation_to_one_runs_nothing() {
    let delegation = [&[0xef, 0x01, 0x00][..], place(4).as_slice()].concat();
    let world = passing_on(0x71).with(place(0x71), &delegation).without_account(place(4));
    assert_eq!(world.run_with(vec![7].into()).outcome, answer(1, &[]));
    assert_eq!(passing_on(4).run_with(vec![7].into()).outcome, answer(1, &[7]));
}
