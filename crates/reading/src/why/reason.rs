//! Every reason why an amount is not proven, with its code, message and next step.

use crate::fault::Fault;

/// What is the same for every occurrence of one [`Why`](crate::Why).
pub(crate) struct Reason {
    /// A stable name, in snake case.
    pub(crate) code: &'static str,
    /// The party that can remedy it.
    pub(crate) fault: Fault,
    /// Whether trying again will not help, until a person acts.
    pub(crate) needs_action: bool,
    /// What happened, as a clause without a full stop.
    pub(crate) message: &'static str,
    /// What to do about it, as one sentence.
    pub(crate) next_step: &'static str,
}

pub(crate) const UNSIGNED_TIP: Reason = Reason {
    code: "unsigned_tip",
    fault: Fault::Nobody,
    needs_action: false,
    message: "the sync committee has not signed the block yet",
    next_step: "Read again in a slot or two.",
};

pub(crate) const DEVICE_OFFLINE: Reason = Reason {
    code: "device_offline",
    fault: Fault::Device,
    needs_action: false,
    message: "this device has no network",
    next_step: "Connect the device to a network.",
};

pub(crate) const ALL_UNREACHABLE: Reason = Reason {
    code: "all_unreachable",
    fault: Fault::Providers,
    needs_action: false,
    message: "no provider could be reached",
    next_step: "Try again, or add a provider run by another operator.",
};

pub(crate) const NOT_SECURE: Reason = Reason {
    code: "not_secure",
    fault: Fault::Setup,
    needs_action: true,
    message: "no connection could be secured",
    next_step: "Check the URLs and this device's certificates.",
};

pub(crate) const RATE_LIMITED: Reason = Reason {
    code: "rate_limited",
    fault: Fault::Providers,
    needs_action: false,
    message: "the providers ask to wait",
    next_step: "Wait, or add a provider run by another operator.",
};

pub(crate) const RATE_LIMITED_BY_SOURCES: Reason = Reason {
    fault: Fault::Beacon,
    message: "the beacon sources ask to wait",
    next_step: "Wait, or add another beacon source.",
    ..RATE_LIMITED
};

pub(crate) const RATE_LIMITED_BY_CHECKPOINT_SOURCES: Reason = Reason {
    fault: Fault::Beacon,
    message: "the checkpoint sources ask to wait",
    next_step: "Wait, add checkpoint sources, or give a finalized checkpoint from a source you trust.",
    ..RATE_LIMITED
};

pub(crate) const QUOTA_EXHAUSTED: Reason = Reason {
    code: "quota_exhausted",
    fault: Fault::Providers,
    needs_action: true,
    message: "the quota with the providers is used up",
    next_step: "Raise the quota, or add a provider run by another operator.",
};

pub(crate) const QUOTA_EXHAUSTED_AT_SOURCES: Reason = Reason {
    fault: Fault::Beacon,
    message: "the quota with the beacon sources is used up",
    next_step: "Raise the quota, or add another beacon source.",
    ..QUOTA_EXHAUSTED
};

pub(crate) const QUOTA_EXHAUSTED_AT_CHECKPOINT_SOURCES: Reason = Reason {
    fault: Fault::Beacon,
    message: "the quota with the checkpoint sources is used up",
    next_step: "Raise the quota, add checkpoint sources, or give a finalized checkpoint from a source you trust.",
    ..QUOTA_EXHAUSTED
};

pub(crate) const NOBODY_SERVES_PROOFS: Reason = Reason {
    code: "nobody_serves_proofs",
    fault: Fault::Providers,
    needs_action: true,
    message: "no provider serves proofs",
    next_step: "Add a provider that serves eth_getProof.",
};

pub(crate) const PROOF_WINDOW_MISSED: Reason = Reason {
    code: "proof_window_missed",
    fault: Fault::Providers,
    needs_action: false,
    message: "the block is not one of the last 64, or no provider still has its state",
    next_step: "Try again at a newer block, or add a provider that keeps older state.",
};

pub(crate) const PROVIDERS_BEHIND: Reason = Reason {
    code: "providers_behind",
    fault: Fault::Providers,
    needs_action: false,
    message: "the providers do not have the signed block yet",
    next_step: "Try again. If it stays so, add a provider that keeps up with the chain.",
};

pub(crate) const PROVIDERS_FAILING: Reason = Reason {
    code: "providers_failing",
    fault: Fault::Providers,
    needs_action: false,
    message: "the providers answer with errors",
    next_step: "Try again, or add a provider run by another operator.",
};

pub(crate) const DENIED: Reason = Reason {
    code: "denied",
    fault: Fault::Setup,
    needs_action: true,
    message: "the servers deny access",
    next_step: "Check the key or the URL.",
};

pub(crate) const LOG_IN_PAGE: Reason = Reason {
    code: "log_in_page",
    fault: Fault::Device,
    needs_action: true,
    message: "a web page answers in place of the servers",
    next_step: "Open a browser and log in to this network, or check the URLs of the servers.",
};

pub(crate) const MOVED: Reason = Reason {
    code: "moved",
    fault: Fault::Setup,
    needs_action: true,
    message: "the servers have moved to another address",
    next_step: "Give the new URL; saldo follows no redirect.",
};

pub(crate) const PROOFS_REFUSED: Reason = Reason {
    code: "proofs_refused",
    fault: Fault::Providers,
    needs_action: false,
    message: "answers came, but none of them proves anything",
    next_step: "Do not trust these providers; add one run by another operator.",
};

pub(crate) const WRONG_CHAIN: Reason = Reason {
    code: "wrong_chain",
    fault: Fault::Setup,
    needs_action: true,
    message: "the providers serve another chain",
    next_step: "Give the URLs of providers of this chain, or the right network.",
};

pub(crate) const ONLY_OLD_BLOCKS: Reason = Reason {
    code: "only_old_blocks",
    fault: Fault::Providers,
    needs_action: false,
    message: "the newest block that can be proven is too old",
    next_step: "Try again, or allow a greater age if an old amount is enough.",
};

pub(crate) const LIGHT_CLIENT_BEHIND: Reason = Reason {
    code: "light_client_behind",
    fault: Fault::Beacon,
    needs_action: false,
    message: "no beacon source gave a signed head that is new enough",
    next_step: "Try again, or add another beacon source.",
};

pub(crate) const HEADS_REFUSED: Reason = Reason {
    code: "heads_refused",
    fault: Fault::Beacon,
    needs_action: false,
    message: "the data of the beacon sources was refused",
    next_step: "Check that the beacon sources are of this network, or add another.",
};

pub(crate) const HAND_OVER_MISSING: Reason = Reason {
    code: "hand_over_missing",
    fault: Fault::Beacon,
    needs_action: false,
    message: "no beacon source gives the next sync committee",
    next_step: "Add another beacon source, or give a newer checkpoint.",
};

pub(crate) const CHECKPOINT_NOT_SERVED: Reason = Reason {
    code: "checkpoint_not_served",
    fault: Fault::Beacon,
    needs_action: true,
    message: "no beacon source serves the checkpoint",
    next_step: "Give a newer finalized checkpoint, or add a beacon source.",
};

/// The flags are those of Lighthouse, Nimbus, Prysm and Lodestar.
pub(crate) const NO_LIGHT_CLIENT_ROUTES: Reason = Reason {
    code: "no_light_client_routes",
    fault: Fault::Beacon,
    needs_action: true,
    message: "the beacon sources have no light-client routes, or the routes are switched off",
    next_step: "Add another beacon source, or switch the routes on (Lighthouse: --light-client-server, Nimbus: --light-client-data-serve, Prysm: --enable-light-client, Lodestar: --rest.namespace lightclient).",
};

pub(crate) const CHECKPOINT_SLOT_WRONG: Reason = Reason {
    code: "checkpoint_slot_wrong",
    fault: Fault::Setup,
    needs_action: true,
    message: "the checkpoint's block is at another slot than the checkpoint says",
    next_step: "Correct the checkpoint's slot, or leave it out.",
};

pub(crate) const CHECKPOINT_TOO_OLD: Reason = Reason {
    code: "checkpoint_too_old",
    fault: Fault::Setup,
    needs_action: true,
    message: "the checkpoint is too old to start from safely",
    next_step: "Give a newer finalized checkpoint from a source you trust.",
};

pub(crate) const CHECKPOINT_SOURCES_DISAGREE: Reason = Reason {
    code: "checkpoint_sources_disagree",
    fault: Fault::Beacon,
    needs_action: true,
    message: "the checkpoint sources disagree",
    next_step: "Give a finalized checkpoint from a source you trust.",
};

pub(crate) const TOO_FEW_CHECKPOINT_SOURCES: Reason = Reason {
    code: "too_few_checkpoint_sources",
    fault: Fault::Beacon,
    needs_action: false,
    message: "too few checkpoint sources answered",
    next_step: "Try again, add checkpoint sources, or give a finalized checkpoint from a source you trust.",
};

pub(crate) const UNKNOWN_FORK: Reason = Reason {
    code: "unknown_fork",
    fault: Fault::Saldo,
    needs_action: true,
    message: "the chain has reached a fork that this version cannot read",
    next_step: "Update saldo, or give a network file that has the fork.",
};

pub(crate) const UNKNOWN_HEADER_LAYOUT: Reason = Reason {
    code: "unknown_header_layout",
    fault: Fault::Saldo,
    needs_action: true,
    message: "the block has a header that this version cannot hash",
    next_step: "Update saldo.",
};

pub(crate) const CONSENSUS_FAULT: Reason = Reason {
    code: "consensus_fault",
    fault: Fault::Chain,
    needs_action: true,
    message: "the validators signed two contradicting blocks",
    next_step: "Stop, find out what happened to the chain, then give a new checkpoint.",
};

pub(crate) const CLOCK_OFF: Reason = Reason {
    code: "clock_off",
    fault: Fault::Device,
    needs_action: true,
    message: "this device's clock does not agree with the chain's time",
    next_step: "Set the device's clock.",
};

pub(crate) const DEADLINE: Reason = Reason {
    code: "deadline",
    fault: Fault::Providers,
    needs_action: false,
    message: "the deadline passed before any answer could be accepted",
    next_step: "Try again, or allow more time.",
};

pub(crate) const TRUST_RESTARTED: Reason = Reason {
    code: "trust_restarted",
    fault: Fault::Nobody,
    needs_action: false,
    message: "trust was restarted at another checkpoint during the read",
    next_step: "Read again.",
};

pub(crate) const BLOCK_WITHDRAWN: Reason = Reason {
    code: "block_withdrawn",
    fault: Fault::Nobody,
    needs_action: false,
    message: "the chain withdrew the block of the answer during the read",
    next_step: "Read again.",
};

pub(crate) const POLICY_FORBIDS_MORE_OPERATORS: Reason = Reason {
    code: "policy_forbids_more_operators",
    fault: Fault::Setup,
    needs_action: true,
    message: "the operators that were asked proved nothing, and the policy lets no more operators see this address",
    next_step: "Allow more operators per address in the policy, or replace the providers that failed.",
};

pub(crate) const NETWORK_NOT_CONFIGURED: Reason = Reason {
    code: "network_not_configured",
    fault: Fault::Setup,
    needs_action: true,
    message: "the holding is on a network that this client does not read",
    next_step: "Ask the client that is built for the network of the holding.",
};

pub(crate) const NOT_A_TOKEN: Reason = Reason {
    code: "not_a_token",
    fault: Fault::Setup,
    needs_action: true,
    message: "there is no token at that address",
    next_step: "Check the token's address.",
};

pub(crate) const TOKEN_LAYOUT_UNPROVEN: Reason = Reason {
    code: "token_layout_unproven",
    fault: Fault::Saldo,
    needs_action: true,
    message: "it is not proven where the token keeps its balances",
    next_step: "Show no amount of it: a newer version of saldo may know the token's code.",
};

pub(crate) const TOKEN_NOT_RUN: Reason = Reason {
    code: "token_not_run",
    fault: Fault::Saldo,
    needs_action: true,
    message: "the token's own code was not run to its end",
    next_step: "Show no amount of it: a newer version of saldo may be able to run the token's code.",
};

pub(crate) const NOT_VOUCHED_YET: Reason = Reason {
    code: "not_vouched_yet",
    fault: Fault::Nobody,
    needs_action: false,
    message: "proven at a block of the rollup that Ethereum does not vouch for yet",
    next_step: "Show it as unconfirmed. Ethereum vouches for a later block within hours.",
};

pub(crate) const ROLLUP_STOPPED: Reason = Reason {
    code: "rollup_stopped",
    fault: Fault::Chain,
    needs_action: false,
    message: "the rollup makes no new blocks",
    next_step: "Show the last proven amount with its age, and wait: nothing can be moved on the rollup meanwhile.",
};

pub(crate) const ROLLUP_NOT_VOUCHED: Reason = Reason {
    code: "rollup_not_vouched",
    fault: Fault::Chain,
    needs_action: false,
    message: "Ethereum does not vouch for a block of the rollup",
    next_step: "Show the last proven amount with its age. If it stays so, update the rollup's profile.",
};

pub(crate) const CLOSED: Reason = Reason {
    code: "closed",
    fault: Fault::Setup,
    needs_action: false,
    message: "the client is closed",
    next_step: "Open a new client.",
};

pub(crate) const INTERNAL_FAULT: Reason = Reason {
    code: "internal_fault",
    fault: Fault::Saldo,
    needs_action: true,
    message: "a fault in saldo itself",
    next_step: "Report it, with what you did before.",
};
