//! Opening a lease: everything that can be wrong is found before the voucher is taken.

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use market::{JobId, rules};
use wire::link::LeaseReply;
use wire::x402::{ChannelConfig, VoucherFields, WITHDRAW_DELAY_MAX_S, WITHDRAW_DELAY_MIN_S, reason};
use wire::{JobSpec, Terms, TermsJson};

use super::account::Account;
use super::channel::Channel;
use super::desk::{Trouble, busy, taken};
use super::shop::{Shared, Shop, id_of};
use super::state::Record;
use super::{key, resume};
use crate::AgentError;
use crate::host::{Host, wall};
use crate::job::{Folder, fetch};
use crate::limits::LEASE_SPEC_WITHIN;

/// The terms are not what this agent sells.
const TERMS: &str = "lease_terms";
/// The machine does something else.
const BUSY: &str = "lease_busy";

/// What a payer opens.
pub(super) struct Wish {
    pub(super) terms: TermsJson,
    pub(super) config: ChannelConfig,
    pub(super) voucher: VoucherFields,
    pub(super) charge: u128,
    pub(super) capability: B256,
}

/// Opens a lease, or says again that it is open.
pub(super) async fn open(host: &Arc<Host>, shop: &Arc<Shop>, wish: Wish) -> Result<LeaseReply, Trouble> {
    let Wish { terms: json, config, voucher, charge, capability } = wish;
    let terms = Terms::try_from(&json).map_err(|error| Trouble::refused(TERMS, error.to_string()))?;
    let id = id_of(host, &terms);
    check_channel(shop, &config)?;
    check_terms(host, &terms, &config)?;
    let channel_id = config.id(shop.escrow.separator());
    let _one_at_a_time = shop.opening.lock().await;
    let Some(held) = shop.book.hold(channel_id).await else { return Err(busy()) };
    // A claim shows the voucher's signature to everybody.
    let is_shown = held.channel().and_then(|channel| {
        let last = &channel.is_last_of(key(id), &voucher)?.last;
        Some(channel.claimed > last.max.saturating_sub(last.amount))
    });
    let is_paid = is_shown.is_some();
    drop(held);
    if let Some(open) = shop.lease(id) {
        if is_shown == Some(true) {
            let why = "this lease is open already, and its opening voucher was claimed: it opens no second time";
            return Err(Trouble::refused(TERMS, why));
        }
        // Whoever repeats it gets the same answer, and may read and stop it by what he was told last: what he was told
        // first may never have come. Another voucher would pay for nothing.
        return if is_paid {
            open.change(|record| record.capability = capability)?;
            taken(shop, id).await
        } else {
            Err(Trouble::refused(TERMS, "this lease is open already"))
        };
    }
    if charge < shop.config.setup && !is_paid {
        let setup = shop.config.setup;
        return Err(Trouble::refused("lease_amount", format!("the set-up costs {setup}, not {charge}")));
    }
    let former = resume::former(shop, &json)?;
    let spec = spec(host, &terms).await?;
    fits_beside(host, shop, &spec)?;
    // Read under the lock: a close that is done in between would be overwritten by what was before it.
    let Some(mut held) = shop.book.hold(channel_id).await else { return Err(busy()) };
    let chain = shop.escrow.read(channel_id).await?;
    if !held.channel().is_some_and(|channel| channel.closing) {
        held.change(|channel| channel.read(chain))?;
    }
    let before = held.channel().cloned().unwrap_or_else(|| Channel::new(config, chain));
    let folder = Folder::of_lease(&host.config.state_dir, id);
    folder.make()?;
    let record = Record { spec: Some(spec), ..Record::new(json, channel_id, capability) };
    let lease = Shared::new(&folder, record);
    // The record goes first: one without a payment is forgotten, a payment without a record would be lost.
    lease.change(|_| ())?;
    if !is_paid {
        let next = before.take(channel_id, &voucher, charge, (shop.escrow.separator(), wall()));
        let mut next = match next {
            Ok(next) => next,
            Err(refusal) => {
                folder.remove()?;
                return Err(Trouble::of(refusal, &before, channel_id));
            }
        };
        let price = market::PerHour(terms.pricePerHour.to());
        next.accounts.insert(key(id), Account::open(price, Channel::voucher(&voucher, charge)));
        held.save(next)?;
    }
    drop(held);
    former.map_or(Ok(()), |former| resume::hand_over(&former, id))?;
    tracing::info!(lease = %id.short(), "opened");
    shop.add(id, lease).await;
    taken(shop, id).await
}

/// The channel must pay this provider, be claimable with this key, and give it time to.
fn check_channel(shop: &Shop, config: &ChannelConfig) -> Result<(), Trouble> {
    let refused = |code, reason: String| Err(Trouble::refused(code, reason));
    if config.receiver != shop.escrow.receiver() {
        return refused(reason::BATCH_RECEIVER, format!("the provider is paid at {}", shop.escrow.receiver()));
    }
    if !shop.escrow.is_current(config) {
        return refused(reason::BATCH_RECEIVER_AUTHORIZER, "the provider claims with another key".into());
    }
    if config.token != shop.escrow.token() {
        return refused(reason::BATCH_TOKEN, format!("the provider is paid in {}", shop.escrow.token()));
    }
    if !(WITHDRAW_DELAY_MIN_S..=WITHDRAW_DELAY_MAX_S).contains(&config.withdraw_delay) {
        return refused(reason::BATCH_DELAY_RANGE, "no channel has such a delay".into());
    }
    if config.withdraw_delay < shop.config.withdraw_delay {
        return refused(reason::BATCH_DELAY, format!("a channel needs a delay of {} s", shop.config.withdraw_delay));
    }
    // Vouchers are checked without the chain, which only a key allows.
    if config.payer_authorizer == Address::ZERO {
        return refused(
            reason::BATCH_VOUCHER_SIGNATURE,
            "name a key that signs the vouchers as payerAuthorizer".into(),
        );
    }
    Ok(())
}

fn check_terms(host: &Host, terms: &Terms, config: &ChannelConfig) -> Result<(), Trouble> {
    let parties = (terms.renter, terms.controller) == (config.payer, config.payer_authorizer);
    let duration = u64::from(terms.maxDuration);
    let wrong = [
        (!parties, "the renter is the channel's payer, the controller his authorizer"),
        (terms.resource() != host.resource, "this agent serves another resource"),
        (duration == 0 || duration > rules::DURATION_MAX.0, "no lease has such a duration"),
        (terms.notBefore.to::<u64>() != 0, "a lease begins at once"),
        (!terms.minCharge.is_zero() || terms.cancelFeeBps != 0 || terms.flags != 0, "a lease has no such condition"),
    ];
    match wrong.into_iter().find(|(is_so, _)| *is_so) {
        Some((_, why)) => Err(Trouble::refused(TERMS, why)),
        None => Ok(()),
    }
}

/// The spec, checked against this machine. What does not fit is refused for nothing.
async fn spec(host: &Host, terms: &Terms) -> Result<JobSpec, Trouble> {
    match tokio::time::timeout(LEASE_SPEC_WITHIN, fetch::job_spec(host, terms)).await {
        Ok(Ok(spec)) => Ok(spec),
        Ok(Err(error @ AgentError::Refused { .. })) => Err(Trouble::refused(TERMS, error.to_string())),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Trouble::refused(TERMS, "the spec was not to be had in time; nothing was charged")),
    }
}

/// Nothing else may use what the lease needs.
fn fits_beside(host: &Host, shop: &Shop, spec: &JobSpec) -> Result<(), Trouble> {
    let jobs: Vec<JobId> = host.busy_jobs();
    let (count, cpus, memory, disk) = shop.taken();
    let (needs, hardware) = (spec.needs(), &host.machine.hardware);
    let has_room = cpus + u64::from(needs.cpus) <= u64::from(hardware.cpus)
        && memory.0 + needs.memory.0 <= hardware.memory.0
        && disk.0 + needs.disk.0 <= hardware.disk.0
        && (count == 0 || needs.gpus == 0);
    if !jobs.is_empty() || count >= shop.config.leases_max || !has_room {
        return Err(Trouble::refused(BUSY, "the machine is taken; try again later, or another one"));
    }
    Ok(())
}
