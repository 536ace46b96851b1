//! An execution client for the test network: ethrex without its command line, database and peers.
//!
//! The chain is in memory. JSON-RPC is served on one address and the Engine API (with a JWT) on another. Blocks
//! arrive only through the Engine API, so no peer-to-peer port is opened.
//!
//! Usage: `saldo-testnet-execution GENESIS JWT_FILE RPC_ADDRESS ENGINE_ADDRESS`

use std::{collections::HashSet, env, error::Error, fs, net::SocketAddr, path::PathBuf, sync::Arc};

use ethrex_blockchain::{Blockchain, BlockchainOptions};
use ethrex_common::{H256, H512, types::Genesis};
use ethrex_p2p::{
    network::P2PContext,
    peer_handler::PeerHandler,
    peer_table::{PeerTableServer, TARGET_PEERS},
    rlpx::initiator::RLPxInitiator,
    sync::SyncMode,
    sync_manager::SyncManager,
    types::{NetworkConfig, Node, NodeRecord},
};
use ethrex_rpc::{ClientVersion, RpcNamespace, start_api};
use ethrex_storage::{EngineType, Store};
use secp256k1::{PublicKey, SECP256K1, SecretKey};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The identity of a node that no peer contacts. It is the same on every run, so that runs are alike.
const NODE_KEY: [u8; 32] = [0xcd; 32];
const GAS_LIMIT: u64 = 60_000_000;

struct Arguments {
    genesis: Genesis,
    jwt_secret: Vec<u8>,
    rpc_address: SocketAddr,
    engine_address: SocketAddr,
}

impl Arguments {
    fn parse(arguments: &[String]) -> Result<Self> {
        let [genesis, jwt_file, rpc_address, engine_address] = arguments else {
            return Err("usage: saldo-testnet-execution GENESIS JWT_FILE RPC_ADDRESS ENGINE_ADDRESS".into());
        };
        Ok(Self {
            genesis: serde_json::from_str(&fs::read_to_string(genesis)?)?,
            jwt_secret: hex::decode(fs::read_to_string(jwt_file)?.trim().trim_start_matches("0x"))?,
            rpc_address: rpc_address.parse()?,
            engine_address: engine_address.parse()?,
        })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(env::var("RUST_LOG").unwrap_or_else(|_| "info".into()))
        .with_ansi(false)
        .init();
    let arguments = Arguments::parse(&env::args().skip(1).collect::<Vec<_>>())?;

    let mut store = Store::new("", EngineType::InMemory)?;
    store.add_initial_state(arguments.genesis).await?;
    let blockchain = Arc::new(Blockchain::new(store.clone(), BlockchainOptions::default()));
    // There are no peers to sync from: all blocks come through the Engine API.
    blockchain.set_synced();

    let key = SecretKey::from_byte_array(&NODE_KEY)?;
    let public_key = PublicKey::from_secret_key(SECP256K1, &key).serialize_uncompressed();
    let node = Node::new([127, 0, 0, 1].into(), 0, 0, H512::from_slice(&public_key[1..]));
    let record = NodeRecord::from_node(&node, 1, &key)?;
    let peers = no_peers(&store, &blockchain, &node, key)?;
    let stop = CancellationToken::new();
    let sync = SyncManager::new(
        peers.clone(),
        &SyncMode::Full,
        stop.clone(),
        Arc::clone(&blockchain),
        store.clone(),
        PathBuf::from("."),
    )
    .await;

    start_api(
        arguments.rpc_address,
        None,
        arguments.engine_address,
        store,
        blockchain,
        arguments.jwt_secret.into(),
        node,
        record,
        sync,
        peers,
        ClientVersion::new(
            "ethrex".into(),
            "24.0.0".into(),
            "crates.io".into(),
            "testnet".into(),
            env::consts::OS.into(),
            String::new(),
        ),
        None,
        GAS_LIMIT,
        String::new(),
        HashSet::from([RpcNamespace::Eth, RpcNamespace::Net, RpcNamespace::Web3]),
        stop,
    )
    .await?;
    Ok(())
}

/// The handler that the API requires for peers, with an empty table of peers.
fn no_peers(store: &Store, blockchain: &Arc<Blockchain>, node: &Node, key: SecretKey) -> Result<PeerHandler> {
    const BROADCAST_INTERVAL_MS: u64 = 1000;
    const LOOKUP_INTERVAL_MS: f64 = 100.0;
    let table = PeerTableServer::spawn(H256::repeat_byte(7), TARGET_PEERS, store.clone());
    let context = P2PContext::new(
        node.clone(),
        NetworkConfig::from_node(node),
        TaskTracker::default(),
        key,
        table.clone(),
        store.clone(),
        Arc::clone(blockchain),
        String::new(),
        None,
        BROADCAST_INTERVAL_MS,
        LOOKUP_INTERVAL_MS,
    )?;
    Ok(PeerHandler::new(table, RLPxInitiator::spawn_on_thread(context)))
}
