//! Leases on the agent link: what a gateway asks for a payer, and what the agent answers once it is on its disk.

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::{
    SignatureBytes, TermsJson,
    http::LeasePhase,
    record::CompletionRecord,
    terms::decimal,
    x402::{ChannelConfig, ChannelStateJson, VoucherFields, VoucherStateJson},
};

/// An agent answers within this time, in seconds: a voucher is a signature and a write, opening also asks the chain.
pub const LEASE_WITHIN_S: u64 = 20;
/// Calls that wait for one agent: more than all payers of one machine have on their way.
pub const LEASE_CALLS_MAX: usize = 64;

/// How an agent sells time by the tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseOffer {
    /// Who is paid: the provider's till. A gateway compares it with the chain's.
    pub receiver: Address,
    /// In which token.
    pub token: Address,
    /// What opening costs, in smallest units: at least twice the gas of a deposit.
    #[serde(with = "decimal")]
    pub setup: u128,
    /// Seconds of a tick.
    pub tick_s: u32,
    /// What channels must have, in seconds.
    pub withdraw_delay: u64,
}

/// What a gateway asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[expect(clippy::large_enum_variant, reason = "one at a time is on its way, and a box would only be opened again")]
pub enum LeaseAsk {
    /// Open a lease. Its id is the hash of the terms; the spec lies at the gateway.
    Open {
        /// The agreement: the renter is the payer, the controller his authorizer.
        terms: TermsJson,
        /// The channel, with its deposit on chain.
        config: ChannelConfig,
        /// Pays for the set-up.
        voucher: VoucherFields,
        /// What the set-up costs.
        #[serde(with = "decimal")]
        charge: u128,
        /// Hash (keccak-256) of what whoever may read and stop the lease will show: the agent remembers it, so that a
        /// gateway need not. The same opening again replaces it.
        capability: B256,
    },
    /// Pay for more seconds.
    Tick {
        /// Which.
        lease: B256,
        /// How many.
        seconds: u32,
        /// What they cost.
        #[serde(with = "decimal")]
        charge: u128,
        /// Pays for them.
        voucher: VoucherFields,
    },
    /// Stop the program: what is paid and not served is given back.
    Stop {
        /// Which.
        lease: B256,
    },
    /// Say where the lease is.
    Look {
        /// Which.
        lease: B256,
    },
    /// Say where the channel is, as it is on chain too.
    Channel {
        /// Which.
        config: ChannelConfig,
    },
    /// Claim what is earned and give everything else back. The voucher is over exactly what was charged: nobody but the payer
    /// has such a one to send.
    Refund {
        /// The channel.
        config: ChannelConfig,
        /// What proves that the payer asks.
        voucher: VoucherFields,
    },
}

/// What an agent answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[expect(clippy::large_enum_variant, reason = "one at a time is on its way, and a box would only be opened again")]
pub enum LeaseReply {
    /// It is done and on disk.
    Taken {
        /// The lease.
        lease: B256,
        /// Where it is now.
        state: LeaseState,
        /// The channel that pays for it.
        channel: ChannelStateJson,
    },
    /// Where a channel is.
    Channel {
        /// The channel.
        channel: ChannelStateJson,
        /// The newest voucher.
        voucher: VoucherStateJson,
    },
    /// The channel was closed.
    Refunded {
        /// The transaction; nothing when nothing was left to give back.
        tx: Option<B256>,
        /// What was given back.
        #[serde(with = "decimal")]
        amount: u128,
        /// The channel afterwards.
        channel: ChannelStateJson,
    },
    /// It is not done, and nothing was charged.
    Refused {
        /// A code of [`crate::x402::reason`], or `lease_…`.
        code: String,
        /// In words.
        reason: String,
        /// The channel and its newest voucher, where the payer could go on from them.
        channel: Option<(ChannelStateJson, VoucherStateJson)>,
    },
    /// What became of it is not known, or cannot be found out now. The same call is safe to repeat.
    Unknown {
        /// In words.
        reason: String,
    },
}

/// Where a lease is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseState {
    /// The agreement.
    pub terms: TermsJson,
    /// The channel that pays.
    pub channel: B256,
    /// Hash of what whoever may read and stop it shows.
    pub capability: B256,
    /// Where it stands.
    pub phase: LeasePhase,
    /// Seconds that are paid for.
    pub paid_s: u64,
    /// Seconds that have run.
    pub served_s: u64,
    /// Everything that was paid for it, in smallest units.
    #[serde(with = "decimal")]
    pub charged: u128,
    /// What of it is earned; the rest is still to be served, or goes back with the channel's refund.
    #[serde(with = "decimal")]
    pub earned: u128,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The agent's record of the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<CompletionRecord>,
    /// Its signature over the record (`Attest`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureBytes>,
}
