//! The layer, and the transport that it puts under a provider.

use std::task::{Context, Poll};

use alloy_eips::BlockId;
use alloy_json_rpc::{
    ErrorPayload, RequestPacket, Response, ResponsePacket, ResponsePayload, SerializedRequest,
};
use alloy_network::Network;
use alloy_primitives::{Bytes, U64};
use alloy_provider::{EthCall, Provider, ProviderLayer, RootProvider};
use alloy_rpc_client::RpcClient;
use alloy_transport::{BoxTransport, TransportError, TransportFut, TransportResult};
use futures_util::future::join_all;
use saldo::Client;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use tower_service::Service;

use crate::error::Last;
use crate::{answered, method};

/// Puts a [`saldo::Client`] in front of a provider.
///
/// It works on the requests and not on single methods of [`Provider`], so that nothing goes around the proof: also what uses the root of
/// a provider, as multicalls do, and raw requests.
#[derive(Clone, Debug)]
pub struct ProvenLayer {
    client: Client,
}

impl ProvenLayer {
    /// Makes a layer that proves with `client`. Keep one client for the whole program: it remembers the chain and what was proven.
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Makes a layer that proves with the providers and the beacon sources at these URLs, besides the public ones that are listed for
    /// the network. For anything else, make a [`saldo::Client`] and call [`ProvenLayer::new`].
    ///
    /// # Errors
    /// [`BuildError`](saldo::BuildError) if a URL cannot be used, or one is missing.
    #[cfg(any(feature = "http", feature = "aws-lc-rs"))]
    pub fn from_urls<'a>(
        network: saldo::Network,
        rpc: impl IntoIterator<Item = &'a str>,
        beacon: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, saldo::BuildError> {
        let listed = saldo::Directory::of(&network);
        let builder = rpc.into_iter().fold(Client::builder(network), |builder, url| builder.rpc(url));
        let builder = beacon.into_iter().fold(builder, |builder, url| builder.beacon(url));
        Ok(Self::new(builder.directory(&listed).build()?))
    }

    /// Returns the client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    async fn answer(&self, request: &SerializedRequest) -> TransportResult<Box<RawValue>> {
        answered::answer(&self.client, request.method(), request.params()).await
    }
}

impl<P: Provider<N>, N: Network> ProviderLayer<P, N> for ProvenLayer {
    type Provider = ProvenProvider<N>;

    fn layer(&self, inner: P) -> ProvenProvider<N> {
        let below = inner.client();
        let transport = ProvenTransport { layer: self.clone(), inner: below.transport().clone() };
        let client = RpcClient::new(transport, below.is_local());
        client.set_poll_interval(below.poll_interval());
        ProvenProvider { root: RootProvider::new(client) }
    }
}

/// A provider whose requests about the chain's state are answered by proof, or with an error.
#[derive(Clone, Debug)]
pub struct ProvenProvider<N: Network> {
    root: RootProvider<N>,
}

impl<N: Network> Provider<N> for ProvenProvider<N> {
    fn root(&self) -> &RootProvider<N> {
        &self.root
    }

    /// As in alloy, but at `latest`: alloy's own default is `pending`, which cannot be proven.
    fn call(&self, tx: N::TransactionRequest) -> EthCall<N, Bytes> {
        self.root.call(tx).block(BlockId::latest())
    }

    /// As in alloy, but at `latest`.
    fn estimate_gas(&self, tx: N::TransactionRequest) -> EthCall<N, U64, u64> {
        self.root.estimate_gas(tx).block(BlockId::latest())
    }
}

/// Answers requests about the chain's state by proof, and passes others to the transport below.
#[derive(Clone, Debug)]
struct ProvenTransport {
    layer: ProvenLayer,
    inner: BoxTransport,
}

impl ProvenTransport {
    /// A batch: what is proven is answered beside what is passed on.
    async fn batch(mut self, requests: Vec<SerializedRequest>) -> Result<ResponsePacket, TransportError> {
        let (proven, others): (Vec<_>, Vec<_>) =
            requests.into_iter().partition(|request| method::is_proven(request.method()));
        let layer = &self.layer;
        let answers = proven.iter().map(|request| async {
            let id = request.id().clone();
            let payload = match layer.answer(request).await {
                Ok(value) => ResponsePayload::Success(value),
                Err(error) => ResponsePayload::Failure(payload(&error)),
            };
            Response { id, payload }
        });
        let answers = join_all(answers).await;
        if others.is_empty() {
            return Ok(ResponsePacket::Batch(answers));
        }
        let passed = self.inner.call(RequestPacket::Batch(others)).await?;
        let mut passed = match passed {
            ResponsePacket::Single(response) => vec![response],
            ResponsePacket::Batch(responses) => responses,
        };
        // The transport below may answer more than it was asked: nothing of it stands in for a proof.
        passed.retain(|response| proven.iter().all(|request| *request.id() != response.id));
        Ok(ResponsePacket::Batch(answers.into_iter().chain(passed).collect()))
    }
}

/// The form of an error in a batch, where only text and data have room.
fn payload(error: &TransportError) -> ErrorPayload {
    if let TransportError::ErrorResp(payload) = error {
        return payload.clone();
    }
    let data = crate::not_proven(error).map(|reason| {
        json!({
            "reason": reason.why().code(),
            "fault": reason.why().fault().code(),
            "next_step": reason.why().next_step(),
            "needs_action": reason.why().needs_action(),
            "retry_after_seconds": reason.why().retry_after().map(|pause| pause.as_secs()),
            "last": reason.last().map(Last::form),
        })
    });
    let data = data.and_then(|data| to_raw_value(&data).ok());
    ErrorPayload { code: -32_000, message: error.to_string().into(), data }
}

impl Service<RequestPacket> for ProvenTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, packet: RequestPacket) -> TransportFut<'static> {
        let request = match packet {
            RequestPacket::Single(request) if method::is_proven(request.method()) => request,
            RequestPacket::Single(_) => return self.inner.call(packet),
            RequestPacket::Batch(requests) => return Box::pin(self.clone().batch(requests)),
        };
        let layer = self.layer.clone();
        Box::pin(async move {
            let value = layer.answer(&request).await?;
            let payload = ResponsePayload::Success(value);
            Ok(ResponsePacket::Single(Response { id: request.id().clone(), payload }))
        })
    }
}
