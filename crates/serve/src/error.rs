//! Errors as JSON-RPC has them. An answer that is not known is one of them: it is never a zero, and never `null`.

use serde::Serialize;
use serde_json::{Value, json};

/// A JSON-RPC error.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RpcError {
    code: i32,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

impl RpcError {
    const PARSE: i32 = -32_700;
    const INVALID_REQUEST: i32 = -32_600;
    const METHOD_NOT_FOUND: i32 = -32_601;
    const INVALID_PARAMS: i32 = -32_602;
    const INTERNAL: i32 = -32_603;
    /// Source: EIP-1474, "Method not supported".
    const NOT_SUPPORTED: i32 = -32_004;
    /// Source: EIP-1474, "Limit exceeded".
    const LIMIT: i32 = -32_005;
    /// The answer is not proven. Free in EIP-1474 and in the clients that we know.
    const NOT_PROVEN: i32 = -32_050;
    /// The provider of `--pass-through` gave no answer.
    const NOT_PASSED: i32 = -32_051;
    /// What geth answers for a call that fails.
    const FAILED: i32 = -32_000;
    /// The code ran to `REVERT`. geth's code.
    const REVERTED: i32 = 3;

    fn new(code: i32, message: impl Into<String>, data: Option<Value>) -> Self {
        Self { code, message: message.into(), data }
    }

    /// The word for the kind of error, for what is counted.
    pub(crate) const fn word(&self) -> &'static str {
        match self.code {
            Self::NOT_PROVEN => "not_proven",
            Self::NOT_SUPPORTED => "refused",
            Self::LIMIT => "limit",
            Self::NOT_PASSED => "not_passed",
            Self::FAILED | Self::REVERTED => "ran_and_failed",
            Self::INTERNAL => "internal",
            _ => "invalid",
        }
    }

    /// The bytes are not JSON. The caller's fault.
    pub(crate) fn parse() -> Self {
        Self::new(Self::PARSE, "parse error: not JSON", None)
    }

    /// The JSON is not a request. The caller's fault.
    pub(crate) fn invalid_request(what: &str) -> Self {
        Self::new(Self::INVALID_REQUEST, format!("invalid request: {what}"), None)
    }

    /// The same error with the object of its data in a list. web3.py takes an object in an error of `eth_call` for a revert.
    #[cfg(feature = "execute")]
    #[must_use]
    pub(crate) fn with_listed_data(self) -> Self {
        let data = self.data.map(|data| if data.is_object() { Value::Array(vec![data]) } else { data });
        Self { data, ..self }
    }

    /// The same error with the `last` proven answer, if it says that nothing is proven.
    #[must_use]
    pub(crate) fn with_last(mut self, last: impl FnOnce() -> Value) -> Self {
        let is_not_proven = self.code == Self::NOT_PROVEN;
        let data = self.data.as_mut().map(|data| match data {
            Value::Array(list) => list.first_mut().and_then(Value::as_object_mut),
            data => data.as_object_mut(),
        });
        if let Some(data) = data.flatten().filter(|_| is_not_proven) {
            data.insert("last".to_owned(), last());
        }
        self
    }

    /// There is no such method here. The caller's fault.
    pub(crate) fn method_not_found() -> Self {
        Self::new(Self::METHOD_NOT_FOUND, "the method does not exist here", None)
    }

    /// The parameters are wrong. The caller's fault.
    pub(crate) fn invalid_params(what: impl std::fmt::Display) -> Self {
        Self::new(Self::INVALID_PARAMS, format!("invalid params: {what}"), None)
    }

    /// The method, or the block, is known and cannot be proven. The caller's fault.
    pub(crate) fn refused(reason: &'static str, message: &str, next_step: &str) -> Self {
        let data = json!({ "reason": reason, "fault": "caller", "next_step": next_step });
        Self::new(Self::NOT_SUPPORTED, message, Some(data))
    }

    /// A fault in saldo itself.
    pub(crate) fn internal() -> Self {
        Self::new(Self::INTERNAL, "a fault in saldo itself: please report it", None)
    }

    /// The call ran, and reverted with `data`. The caller's fault, or the contract's.
    #[cfg(feature = "execute")]
    pub(crate) fn reverted(message: String, data: String) -> Self {
        Self::new(Self::REVERTED, message, Some(data.into()))
    }

    /// The call ran, and failed. geth's code for it.
    #[cfg(feature = "execute")]
    pub(crate) fn failed(message: &str) -> Self {
        Self::new(Self::FAILED, message, None)
    }

    /// The provider of `--pass-through` gave no answer.
    pub(crate) fn not_passed(message: String, data: Value) -> Self {
        Self::new(Self::NOT_PASSED, message, Some(data))
    }

    /// A limit of the server is reached.
    pub(crate) fn limit(what: &str) -> Self {
        Self::new(Self::LIMIT, what, None)
    }

    /// A list of claims has more than `most`. The caller's fault.
    pub(crate) fn too_many_claims(most: usize) -> Self {
        let data = json!({
            "reason": "too_many_claims",
            "fault": "caller",
            "next_step": format!("Check at most {most} claims in one call."),
        });
        Self::new(Self::LIMIT, format!("too many claims, at most {most} are taken"), Some(data))
    }

    /// The answers of one body are larger than the limit.
    pub(crate) fn too_large() -> Self {
        Self::new(Self::LIMIT, "the answers to this request are too large together", None)
    }

    /// The answer is not proven. `data` says why.
    pub(crate) fn not_proven(message: String, data: Value) -> Self {
        Self::new(Self::NOT_PROVEN, message, Some(data))
    }
}
