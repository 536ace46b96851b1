//! Any bytes as the code of a game: no panic. What is read is in the code, at the places that the proxy has, and all of the code is
//! accounted for.
#![no_main]

use alloy_primitives::hex;
use libfuzzer_sys::fuzz_target;
use saldo_chain::rollup::{Arguments, CloneCode};
use saldo_fuzz::input::Input;

const HEAD: [u8; 54] = hex!(
    "36602c57343d527f9e4ac34f21c619cefc926c8bd93b54bf5a39c7ab2127a895af1cc0691d7e3dff593da1005b363d3d373d3d3d3d61"
);
const MIDDLE: [u8; 9] = hex!("806062363936013d73");
const TAIL: [u8; 13] = hex!("5af43d3d93803e606057fd5bf3");

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let kind = input.byte();
    // Half of the inputs are only arguments, with right code around them.
    let code = match kind % 2 {
        0 => input.rest().to_vec(),
        _ => code(&[7; 20], input.rest()),
    };
    let Ok(parsed) = CloneCode::parse(&code) else {
        assert!(kind % 2 == 0 || code.len() > usize::from(u16::MAX), "right code is refused");
        return;
    };
    assert_eq!(self::code(parsed.implementation().as_slice(), parsed.arguments()), code);
    let all = parsed.arguments();
    if let Ok(plain) = Arguments::plain(all) {
        assert_eq!((&all[20..52], &all[84..]), (plain.root_claim.as_slice(), plain.extra_data));
        assert_eq!((plain.game_type, plain.implementation), (None, None));
    } else {
        assert!(all.len() < 84);
    }
    let parties = [0, 40][usize::from(kind / 2 % 2)];
    let Ok(own) = Arguments::with_implementation(all, parties > 0) else {
        assert!(all.len() < 88 + 124 + parties);
        return;
    };
    let (extra_data, rest) = all[88..].split_at(own.extra_data.len());
    assert_eq!((own.extra_data, rest.len()), (extra_data, 124 + parties));
    assert_eq!(own.game_type.map(u32::to_be_bytes), all[84..88].try_into().ok());
    let implementation = own.implementation.expect("the arguments have it");
    assert_eq!(implementation.registry.as_slice(), &rest[52..72]);
    assert_eq!(implementation.chain_id.as_slice(), &rest[92..124]);
});

fn code(implementation: &[u8], arguments: &[u8]) -> Vec<u8> {
    let length = u16::try_from(arguments.len() + 2).unwrap_or(0).to_be_bytes();
    [&HEAD[..], &length, &MIDDLE, implementation, &TAIL, arguments, &length].concat()
}
