//! One payment channel as the receiver's side keeps it: pure, so that gateway and agent decide alike.
//!
//! The caller holds the channel's lock, asks [`ChannelState::take`] what follows from a voucher, keeps that on disk,
//! and serves. What was signed may exceed what was charged; only what was charged is ever claimed.

use alloy_primitives::{Address, B256};
use wire::SignatureBytes;
use wire::x402::{BatchOffer, ChannelConfig, ChannelStateJson, VoucherFields, VoucherStateJson, reason, typed};

mod claims;
pub use claims::{CLAIM_AFTER_S, CLAIM_ROWS_MAX, ClaimPolicy, due, row_of};

mod desk;
pub use desk::{CHANNELS_MAX, Desk, Held, QUEUED_MAX, Reserved, Taken};

mod key;
pub use key::{made_by, recover, repaired};

/// A tick may pay at most so many seconds ahead: a payer who vanishes has lost no more.
pub const PREPAY_MAX_S: u64 = 600;
/// What is known of a channel on chain is believed for so long at most, in seconds.
const FRESH_MAX_S: u64 = 300;
/// And for so long at least.
const FRESH_MIN_S: u64 = 30;

/// A channel as it stands. Amounts are smallest units, times Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelState {
    /// The channel's id, which follows from `config` and `separator`.
    pub id: B256,
    /// Both sides and the rules.
    pub config: ChannelConfig,
    /// Separator of the domain that vouchers are signed under: the contract on its chain.
    pub separator: B256,
    /// Deposited and not given back, as the contract had it.
    pub balance: u128,
    /// Claimed in all, as the contract had it.
    pub claimed: u128,
    /// What was served for in all.
    pub charged: u128,
    /// The running total that the payer signed last; never below `charged`.
    pub signed_max: u128,
    /// His signature over it.
    pub signature: Option<SignatureBytes>,
    /// When he asked to withdraw.
    pub withdraw_at: Option<u64>,
    /// How often money was given back.
    pub refund_nonce: u128,
    /// When the contract was asked.
    pub synced_at: u64,
}

/// Why a voucher is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelRefusal {
    /// The voucher names another channel.
    #[error("the voucher is for channel {found}, not for {expected}: sign for this channel, contract and chain")]
    OtherChannel {
        /// As named.
        found: B256,
        /// As it follows from the configuration.
        expected: B256,
    },
    /// The payer's authorizer did not sign it, or not with a low s, or for another contract or chain.
    #[error("the voucher is not signed by {expected}: sign it with that key, for this contract and chain, with low s")]
    Signature {
        /// Who should have.
        expected: Address,
    },
    /// Vouchers are checked against a key, and this channel names none.
    #[error("the channel names no key that signs vouchers: open one with payerAuthorizer")]
    NoAuthorizer,
    /// The running total is not what was charged and the price.
    #[error("the voucher is over {found}, where {expected} is due: sign that")]
    Cumulative {
        /// As signed.
        found: u128,
        /// What was charged, and the price.
        expected: u128,
    },
    /// The running total is not above what was claimed already.
    #[error("the voucher is over {found}, and {claimed} was claimed already")]
    BelowClaimed {
        /// As signed.
        found: u128,
        /// As claimed.
        claimed: u128,
    },
    /// The channel does not hold so much.
    #[error("the voucher is over {found}, and the channel holds {balance}: deposit more")]
    ExceedsBalance {
        /// As signed.
        found: u128,
        /// As deposited.
        balance: u128,
    },
    /// The payer has asked to withdraw: what he signs may never be claimed.
    #[error("the payer asked to withdraw at {at}; open another channel")]
    Withdrawing {
        /// When, Unix seconds.
        at: u64,
    },
    /// Too long ago that the contract was asked. Ask it, then try again.
    #[error("what is known of the channel is {age_s} s old; try again")]
    Stale {
        /// How long ago, in seconds.
        age_s: u64,
    },
    /// More seconds ahead than may be prepaid.
    #[error("{seconds} s ahead are more than the {PREPAY_MAX_S} s that may be prepaid: pay less at a time")]
    Prepaid {
        /// How far ahead it would be paid.
        seconds: u64,
    },
    /// Nothing is left to give back, or less than was asked for.
    #[error("{asked} was asked back and {left} is left")]
    NothingLeft {
        /// As asked.
        asked: u128,
        /// As left.
        left: u128,
    },
    /// Another request of the channel is at work.
    #[error("another request of this channel is at work; send one after the other")]
    Busy,
}

impl ChannelRefusal {
    /// The code that clients compare with.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherChannel { .. } => reason::BATCH_CHANNEL_ID,
            Self::Signature { .. } | Self::NoAuthorizer => reason::BATCH_VOUCHER_SIGNATURE,
            Self::Cumulative { .. } | Self::Prepaid { .. } => reason::BATCH_CUMULATIVE,
            Self::BelowClaimed { .. } => reason::BATCH_BELOW_CLAIMED,
            Self::ExceedsBalance { .. } => reason::BATCH_EXCEEDS_BALANCE,
            Self::Withdrawing { .. } => reason::BATCH_WITHDRAWING,
            Self::Stale { .. } => reason::BATCH_STATE_UNAVAILABLE,
            Self::NothingLeft { left: 0, .. } => reason::BATCH_REFUND_EMPTY,
            Self::NothingLeft { .. } => reason::BATCH_REFUND_AMOUNT,
            Self::Busy => reason::BATCH_BUSY,
        }
    }

    /// The client can go on once it knows where the channel stands: the 402 tells it ([`ChannelState::corrected`]).
    #[must_use]
    pub fn is_corrective(&self) -> bool {
        matches!(self, Self::Cumulative { .. } | Self::BelowClaimed { .. })
    }
}

impl ChannelState {
    /// A channel of which nothing is known yet but its rules.
    #[must_use]
    pub fn new(config: ChannelConfig, separator: B256) -> Self {
        let id = config.id(&separator);
        Self {
            id,
            config,
            separator,
            balance: 0,
            claimed: 0,
            charged: 0,
            signed_max: 0,
            signature: None,
            withdraw_at: None,
            refund_nonce: 0,
            synced_at: 0,
        }
    }

    /// What follows when `voucher` pays `amount` at `now`: its signature is checked too. The caller keeps the next state
    /// on disk before it serves. Several leases of one payer share the channel, so the total is the channel's.
    pub fn take(&self, voucher: &VoucherFields, amount: u128, now: u64) -> Result<Self, ChannelRefusal> {
        self.belongs(voucher)?;
        self.check_signature(voucher)?;
        self.follows(voucher, amount, now)
    }

    /// The same for a voucher whose signature was checked.
    pub fn follows(&self, voucher: &VoucherFields, amount: u128, now: u64) -> Result<Self, ChannelRefusal> {
        if let Some(at) = self.withdraw_at {
            return Err(ChannelRefusal::Withdrawing { at });
        }
        let age_s = now.saturating_sub(self.synced_at);
        if age_s > self.fresh_s() {
            return Err(ChannelRefusal::Stale { age_s });
        }
        let found = voucher.max_claimable_amount;
        match self.charged.checked_add(amount) {
            Some(expected) if expected == found => {}
            expected => {
                return Err(ChannelRefusal::Cumulative { found, expected: expected.unwrap_or(u128::MAX) });
            }
        }
        if found > self.balance {
            return Err(ChannelRefusal::ExceedsBalance { found, balance: self.balance });
        }
        if found <= self.claimed && amount > 0 {
            return Err(ChannelRefusal::BelowClaimed { found, claimed: self.claimed });
        }
        Ok(Self { charged: found, signed_max: found, signature: Some(voucher.signature), ..self.clone() })
    }

    /// The same channel with what its contract says now. Claims by others count as charged: the money is gone.
    #[must_use]
    pub fn synced(&self, seen: Seen, now: u64) -> Self {
        Self {
            balance: seen.balance,
            claimed: seen.claimed,
            charged: self.charged.max(seen.claimed),
            signed_max: self.signed_max.max(seen.claimed),
            withdraw_at: seen.withdraw_at,
            refund_nonce: seen.refund_nonce,
            synced_at: now,
            ..self.clone()
        }
    }

    /// How much a refund that the payer asks for gives back. He proves himself by a voucher over exactly what was
    /// charged, which pays nothing: nobody else can ask.
    pub fn refundable(&self, voucher: &VoucherFields, asked: Option<u128>) -> Result<u128, ChannelRefusal> {
        self.belongs(voucher)?;
        self.check_signature(voucher)?;
        if voucher.max_claimable_amount != self.charged {
            return Err(ChannelRefusal::Cumulative { found: voucher.max_claimable_amount, expected: self.charged });
        }
        let left = self.balance.saturating_sub(self.charged);
        let asked = asked.unwrap_or(left);
        if asked == 0 || asked > left {
            return Err(ChannelRefusal::NothingLeft { asked, left });
        }
        Ok(asked)
    }

    /// Checks that the payer's authorizer signed this voucher, whatever it is over.
    pub fn signed(&self, voucher: &VoucherFields) -> Result<(), ChannelRefusal> {
        self.belongs(voucher)?;
        self.check_signature(voucher)
    }

    /// Checks that a voucher can be claimed as the contract stands: for those who keep no account of what was charged.
    pub fn voucher_covered(&self, voucher: &VoucherFields) -> Result<(), ChannelRefusal> {
        let found = voucher.max_claimable_amount;
        if let Some(at) = self.withdraw_at {
            return Err(ChannelRefusal::Withdrawing { at });
        }
        if found > self.balance {
            return Err(ChannelRefusal::ExceedsBalance { found, balance: self.balance });
        }
        if found <= self.claimed {
            return Err(ChannelRefusal::BelowClaimed { found, claimed: self.claimed });
        }
        Ok(())
    }

    /// What can be claimed and was not.
    #[must_use]
    pub fn unclaimed(&self) -> u128 {
        self.charged.min(self.balance).saturating_sub(self.claimed)
    }

    /// For how many seconds what is known of the contract is believed: a third of the payer's delay, within limits.
    #[must_use]
    pub fn fresh_s(&self) -> u64 {
        (self.config.withdraw_delay / 3).clamp(FRESH_MIN_S, FRESH_MAX_S)
    }

    /// As it is told to clients.
    #[must_use]
    pub fn to_json(&self) -> ChannelStateJson {
        ChannelStateJson {
            channel_id: self.id,
            balance: self.balance,
            total_claimed: self.claimed,
            withdraw_requested_at: self.withdraw_at.unwrap_or(0),
            refund_nonce: self.refund_nonce,
            charged_cumulative_amount: Some(self.charged),
        }
    }

    /// The offer of a corrective 402: where the channel stands, and the payer's own signature as the proof of it.
    #[must_use]
    pub fn corrected(&self, offer: BatchOffer) -> BatchOffer {
        let newest =
            |signature| VoucherStateJson { signed_max_claimable: Some(self.signed_max), signature: Some(signature) };
        BatchOffer { channel_state: Some(self.to_json()), voucher_state: self.signature.map(newest), ..offer }
    }

    fn belongs(&self, voucher: &VoucherFields) -> Result<(), ChannelRefusal> {
        if voucher.channel_id != self.id {
            return Err(ChannelRefusal::OtherChannel { found: voucher.channel_id, expected: self.id });
        }
        if self.config.payer_authorizer.is_zero() {
            return Err(ChannelRefusal::NoAuthorizer);
        }
        Ok(())
    }

    fn check_signature(&self, voucher: &VoucherFields) -> Result<(), ChannelRefusal> {
        let expected = self.config.payer_authorizer;
        match recover(&self.digest(voucher), &voucher.signature) {
            Some((signer, _)) if signer == expected => Ok(()),
            _ => Err(ChannelRefusal::Signature { expected }),
        }
    }

    fn digest(&self, voucher: &VoucherFields) -> B256 {
        typed::voucher_digest(&self.separator, &self.id, voucher.max_claimable_amount)
    }
}

/// What a channel's contract says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Deposited and not given back.
    pub balance: u128,
    /// Claimed in all.
    pub claimed: u128,
    /// When the payer asked to withdraw, Unix seconds.
    pub withdraw_at: Option<u64>,
    /// How often money was given back.
    pub refund_nonce: u128,
}

/// Until when a tick pays that adds `seconds` to what is paid until `paid_until`; refused when that lies too far ahead.
pub fn prepaid(paid_until: u64, seconds: u64, now: u64) -> Result<u64, ChannelRefusal> {
    let until = paid_until.saturating_add(seconds);
    let ahead = until.saturating_sub(now);
    if ahead > PREPAY_MAX_S {
        return Err(ChannelRefusal::Prepaid { seconds: ahead });
    }
    Ok(until)
}

#[cfg(test)]
mod tests;
