//! Watches the channels on chain: claims when enough is earned, at once when money leaves, and closes what nobody uses.

use std::sync::Arc;

use alloy_primitives::B256;

use super::channel::Channel;
use super::{Shop, refund};
use crate::AgentError;
use crate::host::{Host, wall};
use crate::limits::CLAIM_ROWS_MAX;

/// Looks after the channels until the agent shuts down.
pub(crate) async fn run(host: Arc<Host>, shop: Arc<Shop>) {
    let mut ticks = tokio::time::interval(shop.config.watch_every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = host.shutdown.cancelled() => return,
        }
        let looked = tokio::select! {
            looked = look(&shop) => looked,
            () = host.shutdown.cancelled() => return,
        };
        if let Err(error) = looked {
            tracing::warn!(%error, "the channels could not be looked after; trying again");
        }
    }
}

async fn look(shop: &Shop) -> Result<(), AgentError> {
    let mut due = Vec::new();
    for id in shop.book.ids() {
        let Some(before) = snapshot(shop, id).await else { continue };
        if is_at_rest(&before) {
            continue;
        }
        if before.closing {
            if let Err(error) = refund::finish(shop, id).await {
                tracing::warn!(channel = %id, %error, "a channel is not closed yet; trying again");
            }
            continue;
        }
        let chain = shop.escrow.read(id).await?;
        let Some(mut held) = shop.book.hold(id).await else { continue };
        held.change(|channel| channel.read(chain))?;
        let Some(channel) = held.channel().cloned() else { continue };
        drop(held);
        if channel.withdraw_at.is_some() && before.withdraw_at.is_none() {
            tracing::warn!(channel = %id, "a payer takes his money back: it is served no more, and claimed at once");
            shop.wake(id);
        }
        if is_idle(&channel, shop.config.close_after.as_secs(), wall()) {
            if let Err(error) = refund::close(shop, id).await {
                tracing::warn!(channel = %id, %error, "a channel could not be closed; trying again");
            }
        } else if is_due(&channel, shop.config.claim_at, shop.config.claim_after.as_secs(), wall()) {
            due.push((id, channel));
        }
    }
    for rows in due.chunks(CLAIM_ROWS_MAX) {
        let channels: Vec<Channel> = rows.iter().map(|(_, channel)| channel.clone()).collect();
        shop.escrow.claim(&channels).await?;
        for (id, wanted) in rows {
            let chain = shop.escrow.read(*id).await?;
            // A row that was passed over moved nothing: the contract's word counts, not the receipt's.
            if chain.claimed < wanted.claimable() {
                tracing::error!(channel = %id, claimed = chain.claimed, wanted = wanted.claimable(), "a claim was passed over");
            }
            if let Some(mut held) = shop.book.hold(*id).await {
                held.change(|channel| channel.read(chain))?;
            }
        }
    }
    Ok(())
}

async fn snapshot(shop: &Shop, id: B256) -> Option<Channel> {
    shop.book.hold(id).await?.channel().cloned()
}

/// Nothing of it is anybody's business until somebody pays again.
fn is_at_rest(channel: &Channel) -> bool {
    !channel.closing && !channel.is_used() && channel.unclaimed() == 0 && channel.signature.is_none()
}

fn passed(since: Option<u64>, limit: u64, now: u64) -> bool {
    since.is_some_and(|since| now.saturating_sub(since) >= limit)
}

/// Whether it is time to claim.
fn is_due(channel: &Channel, claim_at: u128, claim_after: u64, now: u64) -> bool {
    let unclaimed = channel.unclaimed();
    unclaimed > 0
        && (channel.withdraw_at.is_some() || unclaimed >= claim_at || passed(channel.unclaimed_since, claim_after, now))
}

/// Whether it is time to close: nobody uses it, and its payer does not take his money back himself.
fn is_idle(channel: &Channel, close_after: u64, now: u64) -> bool {
    // What was withdrawn or claimed to the last unit is closed too: nothing is sent, and it is looked at no more.
    let is_open = channel.unclaimed() > 0 || channel.rest() > 0 || channel.signature.is_some();
    channel.withdraw_at.is_none() && is_open && passed(channel.idle_since, close_after, now)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;
    use market::PerHour;
    use wire::SignatureBytes;
    use wire::x402::ChannelConfig;

    use super::*;
    use crate::lease::account::{Account, Voucher};
    use crate::lease::channel::OnChain;

    fn channel(served: u64) -> Channel {
        let config = ChannelConfig {
            payer: Address::ZERO,
            payer_authorizer: Address::ZERO,
            receiver: Address::ZERO,
            receiver_authorizer: Address::ZERO,
            token: Address::ZERO,
            withdraw_delay: 900,
            salt: B256::ZERO,
        };
        let mut channel =
            Channel::new(config, OnChain { balance: 1000, claimed: 0, withdraw_at: None, refund_nonce: 0, at: 0 });
        let last = Voucher { max: 0, signature: SignatureBytes([0; 65]), amount: 0 };
        let account = Account { paid: 100, served, ..Account::open(PerHour(3600), last) };
        (channel.charged, channel.signed_max, channel.signature) = (100, 100, Some(SignatureBytes([0; 65])));
        channel.accounts.insert(B256::ZERO, account);
        channel.note(1000);
        channel
    }

    #[test]
    fn it_claims_when_enough_or_long_enough_and_at_once_when_money_leaves() {
        assert!(!is_due(&channel(49), 50, 900, 1000));
        assert!(is_due(&channel(50), 50, 900, 1000));
        assert!(is_due(&channel(1), 50, 900, 1900));
        assert!(!is_due(&channel(1), 50, 900, 1899));
        assert!(!is_due(&channel(1), 50, 900, 0), "a clock that was set back hurries nobody");
        let leaving = Channel { withdraw_at: Some(7), ..channel(1) };
        assert!(is_due(&leaving, 50, 900, 1000));
        assert!(!is_due(&Channel { withdraw_at: Some(7), ..channel(0) }, 50, 900, 1000), "nothing is earned");
    }

    #[test]
    fn it_closes_what_nobody_uses() {
        let mut idle = channel(10);
        assert!(!is_idle(&idle, 0, 9999), "a lease is open");
        idle.accounts.values_mut().for_each(|account| account.over = true);
        idle.note(2000);
        assert!(!is_idle(&idle, 60, 2059) && is_idle(&idle, 60, 2060));
        assert!(!is_idle(&Channel { withdraw_at: Some(1), ..idle.clone() }, 60, 9999), "he takes it himself");
        idle.closed(OnChain { balance: 10, claimed: 10, withdraw_at: None, refund_nonce: 1, at: 0 });
        assert!(is_at_rest(&idle) && !is_idle(&idle, 60, 99_999));
    }
}
