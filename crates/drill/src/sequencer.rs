//! A relay of the signatures of a rollup's sequencer: `GET /latest`, as the server of Helios for the OP Stack answers.

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use k256::ecdsa::SigningKey;
use serde_json::json;

use crate::block::BlockInfo;
use crate::fault::{Fault, Rule, Side};
use crate::http::{HttpRequest, Reply};
use crate::server::{Protocol, Served, Server};

/// A relay of the signatures of a rollup's sequencer. A handle: clones are the same relay. It shows the newest block of its chain, signed
/// by the key that the rollup's contracts name ([`Rollup`](crate::Rollup)); with [`Server::set_lag`] an earlier one.
///
/// It can have the faults of a beacon source that are about no route of the beacon API. Its one route is called `latest`.
pub type SequencerRelay = Server<SequencerApi>;

/// The one route of a relay of a sequencer's signatures.
#[derive(Clone, Copy, Debug)]
pub enum SequencerApi {}

/// The bytes of the payload's fields of fixed length.
const FIXED: usize = 560;
const ROUTE: &str = "latest";

impl Protocol for SequencerApi {
    const SIDE: Side = Side::Beacon;

    fn methods(_: &HttpRequest) -> Vec<String> {
        vec![ROUTE.to_owned()]
    }

    fn reply(served: &mut Served, request: &HttpRequest, rules: &[Rule]) -> Reply {
        served.count(ROUTE);
        if request.method != "GET" || !request.path.ends_with("/latest") {
            return Reply::new(404, "text/plain", "not found");
        }
        let faults: Vec<&Fault> = rules.iter().map(|rule| &rule.fault).collect();
        let chain = served.chain(&faults);
        let newest = chain.tip().number.saturating_sub(served.lag);
        let Some(block) = chain.block(newest) else { return Reply::new(404, "text/plain", "no block") };
        let chain_id = chain.network().chain_id();
        let data = signed_data(&block);
        let digest = signing_hash(&data, chain_id);
        let (signature, recovery) =
            key(chain_id).sign_prehash_recoverable(digest.as_slice()).expect("a key signs every hash");
        let (r, s) = signature.split_bytes();
        let [r, s] = [r, s].map(|value| format!("{:#x}", U256::from_be_slice(&value)));
        let parity = format!("{:#x}", recovery.to_byte());
        let body = json!({
            "data": hex::encode_prefixed(data),
            "signature": { "r": r, "s": s, "yParity": parity, "v": parity },
        });
        Reply::new(200, "application/json", body.to_string())
    }
}

/// The address of the sequencer of the rollup with that chain id.
pub(crate) fn address(chain_id: u64) -> Address {
    Address::from_public_key(key(chain_id).verifying_key())
}

fn key(chain_id: u64) -> SigningKey {
    let secret = keccak256(format!("saldo-drill: sequencer of {chain_id}"));
    SigningKey::from_slice(secret.as_slice()).expect("this hash is a key")
}

/// The parent's beacon root, and the payload with the fields that a wallet reads; the others are zero.
fn signed_data(block: &BlockInfo) -> Vec<u8> {
    let mut payload = vec![0_u8; FIXED];
    let mut put = |at: usize, bytes: &[u8]| {
        let field = payload.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len()));
        field.expect("the fields are within the payload").copy_from_slice(bytes);
    };
    put(52, block.state_root.as_slice());
    put(404, &block.number.to_le_bytes());
    put(428, &block.timestamp.as_secs().to_le_bytes());
    put(436, &u32::try_from(FIXED).unwrap_or_default().to_le_bytes());
    put(472, block.hash.as_slice());
    [B256::ZERO.as_slice(), &payload].concat()
}

/// What is signed: a domain of zeros, the rollup, and the hash of the data.
fn signing_hash(data: &[u8], chain_id: u64) -> B256 {
    keccak256([B256::ZERO, U256::from(chain_id).into(), keccak256(data)].concat())
}
