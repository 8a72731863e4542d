//! Answers what a gateway asks for payers. The gateway is not trusted with money: every voucher is verified here and
//! written down before the answer, and what it asks twice is done once.

use std::sync::Arc;

use alloy_primitives::B256;
use market::JobId;
use wire::http::PREPAID_MAX_S;
use wire::link::{LeaseAsk, LeaseReply};
use wire::x402::{ChannelConfig, VoucherFields, reason, typed};

use super::channel::{Channel, Refusal};
use super::{Shop, key, open, refund};
use crate::AgentError;
use crate::host::{Host, wall};

/// No such lease here.
const UNKNOWN: &str = "lease_unknown";
/// Nothing is paid for it any more.
const OVER: &str = "lease_over";
/// Another amount is due.
const AMOUNT: &str = "lease_amount";
/// Enough is paid for in advance.
const PREPAID: &str = "lease_prepaid";
/// A lease of the channel is open.
const OPEN: &str = "lease_open";

/// Why a call is not answered as it was hoped.
pub(super) enum Trouble {
    /// It is not done.
    Refused(Refusal),
    /// The same, and the channel as its payer may know it.
    Behind(Refusal, Box<Channel>, B256),
    /// It may have been done, or cannot be done now.
    Failed(AgentError),
}

impl From<AgentError> for Trouble {
    fn from(error: AgentError) -> Self {
        Self::Failed(error)
    }
}

impl Trouble {
    pub(super) fn refused(code: &'static str, reason: impl Into<String>) -> Self {
        Self::Refused(Refusal::new(code, reason))
    }

    /// What the channel says of a voucher. Its state is only for who could sign for it.
    pub(super) fn of(refusal: Refusal, channel: &Channel, id: B256) -> Self {
        match refusal.code {
            reason::BATCH_CUMULATIVE | reason::BATCH_EXCEEDS_BALANCE => {
                Self::Behind(refusal, Box::new(channel.clone()), id)
            }
            _ => Self::Refused(refusal),
        }
    }
}

/// The answer to a call.
pub(crate) async fn answer(host: &Arc<Host>, shop: &Arc<Shop>, ask: LeaseAsk) -> LeaseReply {
    let answered = match ask {
        LeaseAsk::Open { terms, config, voucher, charge, capability } => {
            let wish = open::Wish { terms, config, voucher, charge, capability };
            open::open(host, shop, wish).await
        }
        LeaseAsk::Tick { lease, seconds, charge, voucher } => {
            tick(shop, JobId(lease.0), u64::from(seconds), charge, &voucher).await
        }
        LeaseAsk::Stop { lease } => stop(shop, JobId(lease.0)).await,
        LeaseAsk::Look { lease } => taken(shop, JobId(lease.0)).await,
        LeaseAsk::Channel { config } => channel(shop, &config).await,
        LeaseAsk::Refund { config, voucher } => give_back(shop, &config, &voucher).await,
    };
    match answered {
        Ok(reply) => reply,
        Err(Trouble::Refused(Refusal { code, reason })) => {
            LeaseReply::Refused { code: code.into(), reason, channel: None }
        }
        Err(Trouble::Behind(Refusal { code, reason }, channel, id)) => {
            LeaseReply::Refused { code: code.into(), reason, channel: Some(channel.told(id)) }
        }
        Err(Trouble::Failed(error)) => {
            tracing::warn!(%error, "a call about a lease failed");
            LeaseReply::Unknown { reason: error.to_string() }
        }
    }
}

/// Where a lease is.
pub(super) async fn taken(shop: &Shop, id: JobId) -> Result<LeaseReply, Trouble> {
    let Some((state, channel)) = shop.told(id).await else {
        return Err(Trouble::refused(UNKNOWN, "this agent has no such lease, or not any more"));
    };
    Ok(LeaseReply::Taken { lease: key(id), state, channel })
}

async fn tick(
    shop: &Shop,
    id: JobId,
    seconds: u64,
    charge: u128,
    voucher: &VoucherFields,
) -> Result<LeaseReply, Trouble> {
    let Some(lease) = shop.lease(id) else {
        return Err(Trouble::refused(UNKNOWN, "this agent has no such lease, or not any more"));
    };
    let channel_id = lease.record().channel;
    let Some(mut held) = shop.book.hold(channel_id).await else { return Err(busy()) };
    let Some(channel) = held.channel() else { return Err(Trouble::refused(UNKNOWN, "its channel is not known")) };
    if channel.is_last_of(key(id), voucher).is_some() {
        drop(held);
        return taken(shop, id).await;
    }
    if !shop.escrow.is_current(&channel.config) {
        let why = "the provider has a new key: open another channel, as its offer says";
        return Err(Trouble::refused(reason::BATCH_RECEIVER_AUTHORIZER, why));
    }
    let next = channel.take(channel_id, voucher, charge, (shop.escrow.separator(), wall()));
    let mut next = next.map_err(|refusal| Trouble::of(refusal, channel, channel_id))?;
    let record = lease.record();
    let Some(account) = next.accounts.get_mut(&key(id)).filter(|account| !account.over) else {
        return Err(over(&record));
    };
    if !record.phase.takes_ticks() || record.stop_asked {
        return Err(over(&record));
    }
    let due = account.price_of(seconds);
    if seconds == 0 || due != charge || due == 0 {
        let why = format!("{seconds} s more cost {due}, not {charge}; pay for a whole tick or more");
        return Err(Trouble::refused(AMOUNT, why));
    }
    let ahead = account.paid.saturating_add(seconds).saturating_sub(account.served);
    if ahead > PREPAID_MAX_S {
        return Err(Trouble::refused(PREPAID, format!("at most {PREPAID_MAX_S} s are paid for in advance")));
    }
    account.paid += seconds;
    account.last = Channel::voucher(voucher, charge);
    held.save(next)?;
    drop(held);
    lease.wake();
    taken(shop, id).await
}

fn over(record: &super::state::Record) -> Trouble {
    let why = record.reason().unwrap_or_else(|| "it is being stopped".into());
    Trouble::refused(OVER, format!("the lease is over ({why}); nothing was charged"))
}

pub(super) fn busy() -> Trouble {
    Trouble::refused(reason::BATCH_BUSY, "this agent keeps as many channels as it can; try another provider")
}

async fn stop(shop: &Shop, id: JobId) -> Result<LeaseReply, Trouble> {
    let Some(lease) = shop.lease(id) else {
        return Err(Trouble::refused(UNKNOWN, "this agent has no such lease, or not any more"));
    };
    if lease.record().phase.takes_ticks() {
        lease.change(|record| record.stop_asked = true)?;
        lease.wake();
    }
    taken(shop, id).await
}

async fn channel(shop: &Shop, config: &ChannelConfig) -> Result<LeaseReply, Trouble> {
    let id = config.id(shop.escrow.separator());
    // Read under the lock: a close that is done in between would be overwritten by what was before it.
    let Some(mut held) = shop.book.hold(id).await else { return Err(busy()) };
    let chain = shop.escrow.read(id).await?;
    if !held.channel().is_some_and(|channel| channel.closing) {
        held.change(|channel| channel.read(chain))?;
    }
    let known = held.channel().cloned().unwrap_or_else(|| Channel::new(config.clone(), chain));
    let (channel, voucher) = known.told(id);
    Ok(LeaseReply::Channel { channel, voucher })
}

/// Closes a channel for its payer: his signature over exactly what was charged says that it is he who asks.
async fn give_back(shop: &Shop, config: &ChannelConfig, voucher: &VoucherFields) -> Result<LeaseReply, Trouble> {
    let id = config.id(shop.escrow.separator());
    let Some(held) = shop.book.hold(id).await else { return Err(busy()) };
    let Some(channel) = held.channel().cloned() else {
        return Err(Trouble::refused(reason::BATCH_MISSING, "nothing was ever paid here out of this channel"));
    };
    drop(held);
    let digest = typed::voucher_digest(shop.escrow.separator(), &id, voucher.max_claimable_amount);
    if voucher.channel_id != id || voucher.signature.signer_of_hash(digest) != Some(config.payer_authorizer) {
        return Err(Trouble::refused(reason::BATCH_VOUCHER_SIGNATURE, "only the payer may ask for the rest"));
    }
    if voucher.max_claimable_amount != channel.charged {
        let why = format!("{} was charged: sign exactly that", channel.charged);
        return Err(Trouble::of(Refusal::new(reason::BATCH_CUMULATIVE, why), &channel, id));
    }
    if channel.is_used() {
        return Err(Trouble::refused(OPEN, "a lease of this channel is open; stop it first, then ask again"));
    }
    // Each refund costs this agent's gas; one that bought nothing since the last is taken by withdrawing.
    if channel.signature.is_none() {
        let why = "nothing was bought since the last refund; what was put in since is withdrawn at the contract";
        return Err(Trouble::refused(reason::BATCH_REFUND_EMPTY, why));
    }
    let closed = refund::close(shop, id).await?;
    let Some(held) = shop.book.hold(id).await else { return Err(busy()) };
    let after = held.channel().unwrap_or(&channel);
    Ok(LeaseReply::Refunded { tx: closed.tx, amount: closed.refunded, channel: after.told(id).0 })
}
