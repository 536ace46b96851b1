//! One network: its client, and what is answered for it.

use std::time::Instant;

use saldo::{Client, ProviderId};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::answered::{self, Answered};
use crate::error::RpcError;
use crate::feed::Feed;
use crate::params::Params;
use crate::pass_through::{PassThrough, Passed};
use crate::request::Call;
use crate::session::Session;
use crate::unanswered::Unanswered;
use crate::{account, block, claim, meter, own};

/// One network that is served.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) client: Client,
    pub(crate) feed: Feed,
    pass_through: Option<PassThrough>,
}

/// The answer to one call.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Result<Box<RawValue>, Box<RawValue>>,
    /// The provider whose word it is, if it is not proven.
    pub(crate) unproven: Option<ProviderId>,
    /// The subscription that the call made.
    pub(crate) subscription: Option<String>,
    /// The word for how it ended, for what is counted.
    pub(crate) ended: &'static str,
}

impl Answer {
    fn proven(result: Box<RawValue>) -> Self {
        Self { outcome: Ok(result), unproven: None, subscription: None, ended: "proven" }
    }

    fn passed(provider: &PassThrough, outcome: Result<Box<RawValue>, Box<RawValue>>) -> Self {
        let unproven = Some(provider.provider().clone());
        Self { outcome, unproven, subscription: None, ended: "passed_through" }
    }

    /// An error of this server.
    pub(crate) fn error(error: &RpcError) -> Self {
        Self { outcome: Err(raw(error)), unproven: None, subscription: None, ended: error.word() }
    }
}

/// Methods that every node has, and whose answers have no proof.
/// The two that run code are among them where the feature `execute` is off.
const UNPROVABLE: [&str; 27] = [
    "eth_blobBaseFee",
    "eth_call",
    "eth_createAccessList",
    "eth_estimateGas",
    "eth_feeHistory",
    "eth_gasPrice",
    "eth_getBlockReceipts",
    "eth_getBlockTransactionCountByHash",
    "eth_getBlockTransactionCountByNumber",
    "eth_getFilterChanges",
    "eth_getFilterLogs",
    "eth_getLogs",
    "eth_getTransactionByBlockHashAndIndex",
    "eth_getTransactionByBlockNumberAndIndex",
    "eth_getTransactionByHash",
    "eth_getTransactionReceipt",
    "eth_getUncleCountByBlockHash",
    "eth_getUncleCountByBlockNumber",
    "eth_maxPriorityFeePerGas",
    "eth_newBlockFilter",
    "eth_newFilter",
    "eth_newPendingTransactionFilter",
    "eth_sendRawTransaction",
    "eth_simulateV1",
    "eth_uninstallFilter",
    "net_listening",
    "net_peerCount",
];

/// Methods that are answered here, but not for a rollup: the rules of its blocks are not built in.
const NOT_OF_A_ROLLUP: [&str; 4] =
    ["eth_call", "eth_estimateGas", "eth_getBlockByHash", "eth_getBlockByNumber"];

/// Methods that are answered here.
const ANSWERED: [&str; 18] = [
    "eth_accounts",
    "eth_blockNumber",
    "eth_chainId",
    "eth_getBalance",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getCode",
    "eth_getProof",
    "eth_getStorageAt",
    "eth_getTransactionCount",
    "eth_subscribe",
    "eth_syncing",
    "eth_unsubscribe",
    "net_version",
    "saldo_check",
    "saldo_health",
    "saldo_reading",
    "web3_clientVersion",
];

/// The name of `method` for what is counted. Callers can write anything: what is not known has one name.
fn known(method: &str) -> &'static str {
    let all = ANSWERED.iter().chain(&UNPROVABLE);
    all.copied().find(|known| *known == method).unwrap_or("other")
}

impl Network {
    pub(crate) fn new(client: Client, pass_through: Option<PassThrough>) -> Self {
        Self { client, feed: Feed::default(), pass_through }
    }

    /// Answers one call. `session` is that of a connection that takes subscriptions.
    pub(crate) async fn answer(&self, call: &Call<'_>, session: Option<&Session>) -> Answer {
        let began = Instant::now();
        let answer = self.find(call, session).await;
        meter::called(&self.client, known(&call.method), answer.ended, began.elapsed());
        answer
    }

    async fn find(&self, call: &Call<'_>, session: Option<&Session>) -> Answer {
        if let ("eth_subscribe", Some(session)) = (call.method.as_str(), session) {
            return match self.client.network().has_committee() {
                true => subscribe(session, call.params),
                false => Answer::error(&no_subscription_to_a_rollup()),
            };
        }
        let refusal = match self.proven(call, session).await {
            Ok(answered) => return self.proven_answer(call, &answered),
            Err(Unanswered::Final(error)) => {
                let last = || answered::last(&self.client, call);
                return Answer::error(&error.with_last(last));
            }
            Err(Unanswered::Unprovable(error)) => error,
        };
        let Some(provider) = self.pass_through.as_ref().filter(|_| PassThrough::takes(&call.method)) else {
            return Answer::error(&refusal);
        };
        match provider.ask(call).await {
            Ok(Passed::Result(result)) => Answer::passed(provider, Ok(result)),
            Ok(Passed::Error(error)) => Answer::passed(provider, Err(error)),
            Err(error) => Answer::error(&error),
        }
    }

    fn proven_answer(&self, call: &Call<'_>, answered: &Answered) -> Answer {
        let result = raw(&answered.value);
        if let Some(anchor) = &answered.anchor {
            answered::keep(&self.client, call, result.get(), anchor);
        }
        Answer::proven(result)
    }

    async fn proven(&self, call: &Call<'_>, session: Option<&Session>) -> Result<Answered, Unanswered> {
        let client = &self.client;
        if !client.network().has_committee() && NOT_OF_A_ROLLUP.contains(&call.method.as_str()) {
            return Err(Unanswered::Unprovable(not_of_a_rollup()));
        }
        let params = |most| Params::read(call.params, most);
        match call.method.as_str() {
            "eth_getBalance" => account::balance(client, &params(2)?).await,
            "eth_getTransactionCount" => account::nonce(client, &params(2)?).await,
            "eth_getCode" => account::code(client, &params(2)?).await,
            "eth_getStorageAt" => account::storage(client, &params(3)?).await,
            "eth_getProof" => account::proof(client, &params(3)?).await,
            #[cfg(feature = "execute")]
            "eth_call" => crate::run::call(client, &params(4)?).await,
            #[cfg(feature = "execute")]
            "eth_estimateGas" => crate::run::estimate(client, &params(4)?).await,
            "eth_blockNumber" => params(0).map(|_| block::number(client))?.await,
            "eth_syncing" => params(0).map(|_| block::syncing(client))?.await,
            "eth_getBlockByNumber" => block::by_number(client, &params(2)?).await,
            "eth_getBlockByHash" => block::by_hash(client, &params(2)?).await,
            _ => self.of_the_server(call, session).await.map(Answered::from),
        }
    }

    /// Answers what is not about the state of one block.
    async fn of_the_server(&self, call: &Call<'_>, session: Option<&Session>) -> Result<Value, Unanswered> {
        let client = &self.client;
        let params = |most| Params::read(call.params, most);
        match call.method.as_str() {
            "eth_chainId" => {
                params(0).map(|_| crate::quantity::quantity(self.chain_id()).into()).map_err(Into::into)
            }
            "net_version" => params(0).map(|_| self.chain_id().to_string().into()).map_err(Into::into),
            "web3_clientVersion" => params(0).map(|_| client_version()).map_err(Into::into),
            "eth_accounts" => params(0).map(|_| json!([])).map_err(Into::into),
            "saldo_reading" => own::reading(client, &params(2)?).await,
            "saldo_check" => claim::check(client, call.params).await,
            "saldo_health" => params(0).map(|_| own::health(client))?,
            "eth_unsubscribe" if session.is_some() => unsubscribe(session, &params(1)?),
            "eth_subscribe" | "eth_unsubscribe" => Err(subscriptions_refused().into()),
            method => Err(Unanswered::Unprovable(unprovable(method))),
        }
    }

    fn chain_id(&self) -> u64 {
        self.client.network().chain_id()
    }
}

fn unprovable(method: &str) -> RpcError {
    if !UNPROVABLE.contains(&method) {
        return RpcError::method_not_found();
    }
    RpcError::refused(
        "not_provable",
        "the method has no proven answer here",
        "Start the server with --pass-through, which asks one provider without proof, or ask a provider yourself.",
    )
}

fn not_of_a_rollup() -> RpcError {
    RpcError::refused(
        "not_provable",
        "blocks and calls of a rollup are not proven: the rules of its blocks are not built in",
        "Start the server with --pass-through, which asks one provider without proof, or ask a provider yourself.",
    )
}

fn no_subscription_to_a_rollup() -> RpcError {
    RpcError::refused(
        "subscription_refused",
        "no committee signs the heads of a rollup: L1 vouches for a block now and then",
        "Ask for `eth_blockNumber` from time to time.",
    )
}

fn client_version() -> Value {
    concat!("saldo/v", env!("CARGO_PKG_VERSION")).into()
}

fn subscribe(session: &Session, params: Option<&RawValue>) -> Answer {
    let kind = Params::read(params, 2).and_then(|params| params.name(0).map(str::to_owned));
    let subscribed = match kind.as_deref() {
        Ok("newHeads") => session.subscribe(),
        Ok(_) => Err(RpcError::refused(
            "subscription_refused",
            "only subscriptions to `newHeads` are taken",
            "Subscribe to `newHeads`.",
        )),
        Err(error) => Err(error.clone()),
    };
    match subscribed {
        Ok(id) => Answer { subscription: Some(id.clone()), ..Answer::proven(raw(&id)) },
        Err(error) => Answer::error(&error),
    }
}

fn unsubscribe(session: Option<&Session>, params: &Params<'_>) -> Result<Value, Unanswered> {
    let id = params.name(0)?;
    Ok(session.is_some_and(|session| session.unsubscribe(id)).into())
}

fn subscriptions_refused() -> RpcError {
    RpcError::refused(
        "subscription_refused",
        "subscriptions need a WebSocket",
        "Connect with ws:// to the same address.",
    )
}

fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
