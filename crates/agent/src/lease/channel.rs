//! One channel as it is on disk: what it holds, what was charged, and which lease of it paid what. Pure; who calls
//! writes the next state down before he answers or serves.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use payments::channel::{ChannelRefusal, ChannelState};
use serde::{Deserialize, Serialize};
use wire::SignatureBytes;
use wire::x402::{ChannelConfig, ChannelStateJson, VoucherFields, VoucherStateJson, reason};

use super::account::{Account, Voucher};

/// A payment that is not taken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) reason: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl From<ChannelRefusal> for Refusal {
    fn from(refusal: ChannelRefusal) -> Self {
        Self::new(refusal.code(), refusal.to_string())
    }
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Channel {
    pub(crate) config: ChannelConfig,
    /// What the contract holds of it, less what went back, as it was last read.
    pub(crate) balance: u128,
    /// What was claimed in all, as it was last read.
    pub(crate) claimed: u128,
    /// What was charged in all; it only grows, until the channel is closed.
    pub(crate) charged: u128,
    /// The running total of the newest voucher, and its signature.
    pub(crate) signed_max: u128,
    pub(crate) signature: Option<SignatureBytes>,
    /// When the payer's side announced to take money back, by block time.
    pub(crate) withdraw_at: Option<u64>,
    pub(crate) refund_nonce: u128,
    /// Unix seconds when the contract was last asked.
    #[serde(default)]
    pub(crate) synced_at: u64,
    /// It is being closed: set, and on disk, before the closing call is sent.
    pub(crate) closing: bool,
    /// Unix seconds since when something is earned and not claimed.
    pub(crate) unclaimed_since: Option<u64>,
    /// Unix seconds since when no lease of it is open.
    pub(crate) idle_since: Option<u64>,
    /// By lease.
    pub(crate) accounts: BTreeMap<B256, Account>,
}

/// A channel as the contract has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OnChain {
    pub(crate) balance: u128,
    pub(crate) claimed: u128,
    pub(crate) withdraw_at: Option<u64>,
    pub(crate) refund_nonce: u128,
    /// Unix seconds when it was asked.
    pub(crate) at: u64,
}

impl Channel {
    /// A channel that nothing was charged of since its last claim.
    pub(crate) fn new(config: ChannelConfig, chain: OnChain) -> Self {
        let mut new = Self {
            config,
            balance: 0,
            claimed: 0,
            charged: chain.claimed,
            signed_max: chain.claimed,
            signature: None,
            withdraw_at: None,
            refund_nonce: 0,
            synced_at: 0,
            closing: false,
            unclaimed_since: None,
            idle_since: None,
            accounts: BTreeMap::new(),
        };
        new.read(chain);
        new
    }

    /// Takes in what the contract says.
    pub(crate) fn read(&mut self, chain: OnChain) {
        (self.balance, self.claimed) = (chain.balance, chain.claimed);
        (self.withdraw_at, self.refund_nonce) = (chain.withdraw_at, chain.refund_nonce);
        self.synced_at = chain.at;
    }

    /// The state after this voucher paid `amount`, unless the voucher does not. The chain is not asked. What a voucher may
    /// do is decided where everybody who is paid by vouchers decides it; here comes only what an agent alone knows.
    pub(crate) fn take(
        &self,
        id: B256,
        voucher: &VoucherFields,
        amount: u128,
        (separator, now): (&B256, u64),
    ) -> Result<Self, Refusal> {
        let state = self.state(id, separator);
        // Before anything of the channel is told: only its payer may ask.
        state.signed(voucher)?;
        if self.closing {
            return Err(Refusal::new(reason::BATCH_BUSY, "the channel is being closed; send the same in a moment"));
        }
        let taken = state.follows(voucher, amount, now)?;
        let mut next = self.clone();
        (next.charged, next.signed_max, next.signature) = (taken.charged, taken.signed_max, taken.signature);
        Ok(next)
    }

    /// As the rules of vouchers see it.
    fn state(&self, id: B256, separator: &B256) -> ChannelState {
        let config = self.config.clone();
        let Self { balance, claimed, charged, signed_max, signature, withdraw_at, refund_nonce, synced_at, .. } = *self;
        let separator = *separator;
        ChannelState {
            id,
            config,
            separator,
            balance,
            claimed,
            charged,
            signed_max,
            signature,
            withdraw_at,
            refund_nonce,
            synced_at,
        }
    }

    /// Whether this voucher, byte by byte, was taken for `lease` last.
    pub(crate) fn is_last_of(&self, lease: B256, voucher: &VoucherFields) -> Option<&Account> {
        let account = self.accounts.get(&lease)?;
        let same = account.last.max == voucher.max_claimable_amount && account.last.signature == voucher.signature;
        same.then_some(account)
    }

    /// What is earned in all: what was charged, less what is still to be served or goes back.
    pub(crate) fn earned(&self) -> u128 {
        let unearned = self.accounts.values().map(Account::unearned).sum();
        // What was claimed before a set-up was given back stays claimed.
        self.charged.saturating_sub(unearned).max(self.claimed)
    }

    /// What is earned, not claimed, and still there.
    pub(crate) fn unclaimed(&self) -> u128 {
        self.claimable().saturating_sub(self.claimed)
    }

    /// What is earned in all, as far as the channel still holds it: more the contract would refuse.
    pub(crate) fn claimable(&self) -> u128 {
        self.earned().min(self.balance)
    }

    /// What would go back to the payer if the channel were closed now.
    pub(crate) fn rest(&self) -> u128 {
        self.balance.saturating_sub(self.earned())
    }

    /// Whether a lease of it is open.
    pub(crate) fn is_used(&self) -> bool {
        self.accounts.values().any(|account| !account.over)
    }

    /// Notes since when there is something to claim, and since when nobody uses it.
    pub(crate) fn note(&mut self, now: u64) {
        let since = |is_so: bool, before: Option<u64>| is_so.then(|| before.unwrap_or(now).min(now));
        self.unclaimed_since = since(self.unclaimed() > 0, self.unclaimed_since);
        self.idle_since = since(!self.is_used(), self.idle_since);
    }

    /// The contract closed it: what was claimed is all that was charged, and vouchers go on from there.
    pub(crate) fn closed(&mut self, chain: OnChain) {
        self.read(chain);
        (self.charged, self.signed_max, self.signature) = (self.claimed, self.claimed, None);
        self.accounts.clear();
        (self.closing, self.unclaimed_since) = (false, None);
    }

    /// A voucher as it is kept with an account.
    pub(crate) fn voucher(voucher: &VoucherFields, amount: u128) -> Voucher {
        Voucher { max: voucher.max_claimable_amount, signature: voucher.signature, amount }
    }

    /// As its payer is told of it.
    pub(crate) fn told(&self, id: B256) -> (ChannelStateJson, VoucherStateJson) {
        let channel = ChannelStateJson {
            channel_id: id,
            balance: self.balance,
            total_claimed: self.claimed,
            withdraw_requested_at: self.withdraw_at.unwrap_or_default(),
            refund_nonce: self.refund_nonce,
            charged_cumulative_amount: Some(self.charged),
        };
        let signed = self.signature.map(|_| self.signed_max);
        (channel, VoucherStateJson { signed_max_claimable: signed, signature: self.signature })
    }
}

#[cfg(test)]
mod tests;
