//! Closing a channel: what is earned is claimed and paid, the rest goes back, in one call where the contract has it.

use alloy_primitives::B256;

use super::Shop;
use super::channel::Channel;
use crate::AgentError;

/// How a channel was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) tx: Option<B256>,
    /// What went back.
    pub(super) refunded: u128,
}

/// Closes a channel that no lease uses and gives back everything that is left. That it is being closed is on disk before
/// anything is sent: from then on no voucher is taken, so that what goes back was not sold meanwhile.
pub(super) async fn close(shop: &Shop, id: B256) -> Result<Closed, AgentError> {
    let Some(mut held) = shop.book.hold(id).await else { return Err(AgentError::ShuttingDown) };
    if held.channel().is_none_or(Channel::is_used) {
        return Err(AgentError::refused("a lease of this channel is open; stop it first"));
    }
    held.change(|channel| channel.closing = true)?;
    drop(held);
    finish(shop, id).await
}

/// Goes on closing, from wherever it was broken off. While nobody knows what became of a call the channel stays closed
/// to vouchers, and the call is made again: a second one finds nothing left to claim, and could only give back what was
/// put in since.
pub(super) async fn finish(shop: &Shop, id: B256) -> Result<Closed, AgentError> {
    let chain = shop.escrow.read(id).await?;
    let Some(mut held) = shop.book.hold(id).await else { return Err(AgentError::ShuttingDown) };
    held.change(|channel| channel.read(chain))?;
    let Some(before) = held.channel().cloned() else { return Err(AgentError::ShuttingDown) };
    drop(held);
    let refunded = before.rest();
    let sent = shop.escrow.close(&before, refunded).await;
    if sent.as_ref().is_err_and(|error| !is_refusal(error)) {
        return sent.map(|tx| Closed { tx, refunded });
    }
    let after = shop.escrow.read(id).await?;
    let Some(mut held) = shop.book.hold(id).await else { return Err(AgentError::ShuttingDown) };
    held.change(|channel| {
        channel.read(after);
        if channel.unclaimed() == 0 {
            channel.closed(after);
        } else {
            // The contract refused: what can be claimed is claimed with the others' rows.
            channel.closing = false;
        }
    })?;
    let tx = sent?;
    let refunded = before.balance.saturating_sub(after.balance);
    tracing::info!(channel = %held.id(), claimed = after.claimed, refunded, "a channel was closed");
    Ok(Closed { tx, refunded })
}

/// The chain refused: nothing was mined, and nothing will be.
fn is_refusal(error: &AgentError) -> bool {
    matches!(error, AgentError::Chain(error) if error.revert().is_some()) || matches!(error, AgentError::Refused { .. })
}
