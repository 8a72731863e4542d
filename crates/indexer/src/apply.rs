//! The rules: what an event makes of the rows. Pure, and the same as in `contracts/src/Market.sol`.

use alloy_primitives::Address;
use chain::{Logged, MarketEvent};
use market::{Amount, JobId, ResourceId};
use store::{BlockRef, EventRow, Key, Row};

use crate::{Contradiction, IndexError, Rows};

mod detail;
mod job;
mod listing;
mod operation;
mod scene;
mod stake;
#[cfg(test)]
mod tests;

/// What one event brings.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// The event itself.
    pub event: EventRow,
    /// The rows that it changed, as they are after it; one for each key.
    pub rows: Vec<Row>,
}

/// What an event is about and what it changed.
#[derive(Debug, Default)]
struct Drawn {
    job: Option<JobId>,
    resource: Option<ResourceId>,
    provider: Option<u32>,
    who: Option<Address>,
    earned: Option<Amount>,
    rows: Vec<Row>,
}

/// What `logged` makes of the rows `before` it. These must hold every row that [`touched`] and [`behind`] name.
pub fn apply(before: &Rows, block: BlockRef, logged: &Logged) -> Result<Changes, IndexError> {
    let (kind, detail) = detail::of(&logged.event);
    let drawn = draw(before, block, logged).map_err(|why| IndexError::Impossible {
        block: block.number,
        log_index: logged.log_index,
        kind,
        why,
    })?;
    let event = EventRow {
        block: block.number,
        log_index: logged.log_index,
        at: block.at,
        tx: logged.tx,
        kind: kind.to_owned(),
        job: drawn.job,
        resource: drawn.resource,
        provider: drawn.provider,
        who: drawn.who,
        earned: drawn.earned,
        detail,
    };
    Ok(Changes { event, rows: drawn.rows })
}

fn draw(before: &Rows, block: BlockRef, logged: &Logged) -> Result<Drawn, Contradiction> {
    use MarketEvent as E;
    match &logged.event {
        E::JobCreated { job, fee, terms, .. } => job::created(before, block, logged.log_index, *job, *fee, terms),
        event if event.job().is_some() => job::went_on(before, block, event),
        E::ProviderRegistered { .. }
        | E::AgentChanged { .. }
        | E::PayoutChanged { .. }
        | E::ResourceRegistered { .. }
        | E::AvailabilityChanged { .. }
        | E::PriceChanged { .. }
        | E::CancelFeeChanged { .. } => listing::changed(before, block, &logged.event),
        E::Staked { .. }
        | E::UnstakeRequested { .. }
        | E::Unstaked { .. }
        | E::SlashProposed { .. }
        | E::SlashContested { .. }
        | E::SlashSettled { .. } => stake::changed(before, block, &logged.event),
        event => operation::changed(before, block, event),
    }
}

/// The rows that an event names itself.
#[must_use]
pub fn touched(event: &MarketEvent) -> Vec<Key> {
    use MarketEvent as E;
    match event {
        E::JobCreated { job, terms, .. } => vec![Key::Job(*job), Key::Resource(terms.resource())],
        E::ProviderRegistered { provider_id, .. }
        | E::AgentChanged { provider_id, .. }
        | E::PayoutChanged { provider_id, .. } => vec![Key::Provider(*provider_id)],
        E::ResourceRegistered { resource, provider_id, .. } => {
            vec![Key::Resource(*resource), Key::Provider(*provider_id)]
        }
        E::AvailabilityChanged { resource, .. }
        | E::PriceChanged { resource, .. }
        | E::CancelFeeChanged { resource, .. }
        | E::Staked { resource, .. }
        | E::UnstakeRequested { resource, .. }
        | E::Unstaked { resource, .. } => vec![Key::Resource(*resource)],
        E::JobDisputed { job, .. } | E::DisputeResolved { job, .. } => vec![Key::Job(*job), Key::Dispute(*job)],
        E::SlashProposed { proposal, resource, .. } => vec![Key::Slash(*proposal), Key::Resource(*resource)],
        E::SlashContested { proposal, .. } | E::SlashSettled { proposal, .. } => vec![Key::Slash(*proposal)],
        E::Credited { account, .. } | E::CreditWithdrawn { account, .. } => vec![Key::Credit(*account)],
        E::WatcherChanged { watcher, .. } => vec![Key::Reporter(*watcher, false)],
        E::OracleChanged { oracle, .. } => vec![Key::Reporter(*oracle, true)],
        E::FeeChanged { .. } | E::FeesWithdrawn { .. } | E::PauseChanged { .. } | E::MinBondChanged { .. } => {
            vec![Key::Market]
        }
        other => other.job().map(Key::Job).into_iter().collect(),
    }
}

/// The rows that a row names: a job its resource and provider, a resource its provider, a dispute its job, a proposal its
/// resource.
#[must_use]
pub fn behind(row: &Row) -> Vec<Key> {
    match row {
        Row::Job(job) => vec![Key::Resource(job.terms.resource()), Key::Provider(job.provider)],
        Row::Resource(resource) => vec![Key::Provider(resource.provider)],
        Row::Dispute(dispute) => vec![Key::Job(dispute.job)],
        Row::Slash(slash) => vec![Key::Resource(slash.resource)],
        Row::Provider(_) | Row::Credit(_) | Row::Reporter(_) | Row::Market(_) => Vec::new(),
    }
}
