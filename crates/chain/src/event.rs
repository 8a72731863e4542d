//! What happened in a market, read from its log.

use alloy::{
    primitives::{Address, B256, U256},
    sol_types::SolEventInterface,
};
use market::{Amount, BasisPoints, JobId, Outcome, PerHour, ResourceId, Seconds, Timestamp};
use wire::Terms;

use crate::{Listing, bindings::market::Market::MarketEvents, convert};

/// One event of the Market contract.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named after what the contract documents")]
pub enum MarketEvent {
    /// Money is locked for a job.
    JobCreated { job: JobId, resource: ResourceId, renter: Address, fee: BasisPoints, terms: Box<Terms> },
    /// A matcher filled a renter's order with it; so much was locked under the order's nonce by now.
    OrderFilled { job: JobId, renter: Address, nonce: U256, spent: Amount },
    /// The provider holds the resource for it; stake for so many seconds is tied until the job is over.
    JobAccepted { job: JobId, cover: Seconds },
    /// The provider does not take it; the lock went back.
    JobDeclined { job: JobId, refunded: Amount, reason: String },
    /// It ended before it ran, by its renter's word or, once it was too late to start, by anyone's; the lock went back,
    /// but for the fee of a cancelled reservation.
    JobCancelled { job: JobId, by: Address, refunded: Amount },
    /// What provider and platform got for a cancelled reservation; with the refund it is the lock.
    CancelFeePaid { job: JobId, paid: Amount, fee: Amount },
    /// Its clock runs.
    JobStarted { job: JobId, ready_record: B256 },
    /// The provider stopped its clock for a while.
    JobPaused { job: JobId },
    /// Its clock runs again; so many seconds in all are not billed.
    JobResumed { job: JobId, paused: Seconds },
    /// More seconds were bought; totals.
    JobExtended { job: JobId, extra: Seconds, locked: Amount },
    /// A watcher or an oracle reported that the provider is not heard.
    JobSilent { job: JobId, clock_stands_at: Timestamp, reporter: Address },
    /// The provider was paid for the seconds up to this one, at the job's end and by a verdict too.
    JobPaid { job: JobId, seconds: Seconds, amount: Amount },
    /// Its clock stands for good; `by` called. What was neither paid nor refunded waits until the job is final.
    JobEnded { job: JobId, by: Address, outcome: Outcome, seconds: Seconds, refunded: Amount, result_digest: B256 },
    /// Somebody disputes what was earned last; a verdict shares out the pot.
    JobDisputed { job: JobId, opener: Address, pot: Amount, bond: Amount, reason: String },
    /// The provider got this share of the pot, `returned` went to the renter, of that `from_cover` out of the stake.
    DisputeResolved {
        job: JobId,
        by: Address,
        provider: BasisPoints,
        returned: Amount,
        from_cover: Amount,
        evidence: String,
    },
    /// Totals of provider and platform; with what went back to the renter they are the lock.
    JobFinalized { job: JobId, paid: Amount, fee: Amount },
    /// Somebody provides.
    ProviderRegistered { provider_id: u32, owner: Address, agent: Address, payout: Address },
    /// Another key runs a provider's jobs.
    AgentChanged { provider_id: u32, agent: Address },
    /// A provider's money goes elsewhere.
    PayoutChanged { provider_id: u32, payout: Address },
    /// Something is for rent.
    ResourceRegistered { resource: ResourceId, provider_id: u32, listing: Listing },
    /// Its owner offers it, or not.
    AvailabilityChanged { resource: ResourceId, available: bool },
    /// Its price for new jobs.
    PriceChanged { resource: ResourceId, price: PerHour },
    /// The most that a reservation of it can ask for being cancelled, as a share of the lock.
    CancelFeeChanged { resource: ResourceId, cancel_fee: BasisPoints },
    /// Somebody put down stake for it; the new total.
    Staked { resource: ResourceId, from: Address, amount: Amount, stake: Amount },
    /// Its owner asked stake back; all that is asked back can be taken from then on.
    UnstakeRequested { resource: ResourceId, amount: Amount, unbonding: Amount, available_at: Timestamp },
    /// Its owner took stake back; the new total.
    Unstaked { resource: ResourceId, to: Address, amount: Amount, stake: Amount },
    /// Somebody wants stake taken for a wrong, for the good of `harmed`, who lost so much.
    SlashProposed {
        proposal: u64,
        resource: ResourceId,
        harmed: Address,
        amount: Amount,
        loss: Amount,
        contestable_until: Timestamp,
        evidence: String,
    },
    /// The resource's owner denies it.
    SlashContested { proposal: u64, evidence: String },
    /// It was taken, or not.
    SlashSettled { proposal: u64, slashed: bool, to_harmed: Amount, burned: Amount },
    /// Money could not be delivered and waits for whom it was for.
    Credited { account: Address, amount: Amount },
    /// Waiting money was taken.
    CreditWithdrawn { account: Address, to: Address, amount: Amount },
    /// The platform's share for new jobs.
    FeeChanged { fee: BasisPoints },
    /// Who may report silence in jobs that it controls.
    WatcherChanged { watcher: Address, registered: bool },
    /// Who may report silence in any job.
    OracleChanged { oracle: Address, registered: bool },
    /// The platform took its fees.
    FeesWithdrawn { to: Address, amount: Amount },
    /// Creating, registering and staking is paused, or not.
    PauseChanged { paused: bool },
    /// The least that a dispute's opener puts down.
    MinBondChanged { amount: Amount },
}

impl MarketEvent {
    /// The job that it is about.
    #[must_use]
    pub fn job(&self) -> Option<JobId> {
        match self {
            Self::JobCreated { job, .. }
            | Self::OrderFilled { job, .. }
            | Self::JobAccepted { job, .. }
            | Self::CancelFeePaid { job, .. }
            | Self::JobDisputed { job, .. }
            | Self::DisputeResolved { job, .. }
            | Self::JobDeclined { job, .. }
            | Self::JobCancelled { job, .. }
            | Self::JobStarted { job, .. }
            | Self::JobPaused { job }
            | Self::JobResumed { job, .. }
            | Self::JobExtended { job, .. }
            | Self::JobSilent { job, .. }
            | Self::JobPaid { job, .. }
            | Self::JobEnded { job, .. }
            | Self::JobFinalized { job, .. } => Some(*job),
            _ => None,
        }
    }

    /// Reads a log entry of the market; `None` for entries that are about the contract itself (its EIP-712 domain, its
    /// authority) or that this version does not know.
    pub(crate) fn decode(log: &alloy::primitives::Log) -> Option<Self> {
        use MarketEvents as E;
        let event = MarketEvents::decode_log(log).ok()?.data;
        Some(match event {
            E::JobDeclined(_)
            | E::JobCreated(_)
            | E::JobAccepted(_)
            | E::OrderFilled(_)
            | E::CancelFeePaid(_)
            | E::JobDisputed(_)
            | E::DisputeResolved(_)
            | E::JobCancelled(_)
            | E::JobStarted(_)
            | E::JobPaused(_)
            | E::JobResumed(_)
            | E::JobExtended(_)
            | E::JobSilent(_)
            | E::JobPaid(_)
            | E::JobEnded(_)
            | E::JobFinalized(_) => return of_job(event),
            E::ProviderRegistered(e) => {
                Self::ProviderRegistered { provider_id: e.providerId, owner: e.owner, agent: e.agent, payout: e.payout }
            }
            E::AgentChanged(e) => Self::AgentChanged { provider_id: e.providerId, agent: e.agent },
            E::PayoutChanged(e) => Self::PayoutChanged { provider_id: e.providerId, payout: e.payout },
            E::ResourceRegistered(e) => Self::ResourceRegistered {
                resource: ResourceId(e.resourceId.0),
                provider_id: e.providerId,
                listing: convert::from_listing(e.listing),
            },
            E::AvailabilityChanged(e) => {
                Self::AvailabilityChanged { resource: ResourceId(e.resourceId.0), available: e.available }
            }
            E::PriceChanged(e) => {
                Self::PriceChanged { resource: ResourceId(e.resourceId.0), price: PerHour(e.pricePerHour.to()) }
            }
            E::Credited(e) => Self::Credited { account: e.account, amount: convert::amount(e.amount) },
            E::CreditWithdrawn(e) => {
                Self::CreditWithdrawn { account: e.account, to: e.to, amount: convert::amount(e.amount) }
            }
            E::FeeChanged(e) => Self::FeeChanged { fee: BasisPoints(e.feeBps) },
            E::WatcherChanged(e) => Self::WatcherChanged { watcher: e.watcher, registered: e.registered },
            E::OracleChanged(e) => Self::OracleChanged { oracle: e.oracle, registered: e.registered },
            E::FeesWithdrawn(e) => Self::FeesWithdrawn { to: e.to, amount: convert::amount(e.amount) },
            E::PauseChanged(e) => Self::PauseChanged { paused: e.paused },
            E::MinBondChanged(e) => Self::MinBondChanged { amount: Amount(e.amount) },
            E::CancelFeeChanged(_)
            | E::Staked(_)
            | E::UnstakeRequested(_)
            | E::Unstaked(_)
            | E::SlashProposed(_)
            | E::SlashContested(_)
            | E::SlashSettled(_) => return of_stake(event),
            E::AuthorityUpdated(_) | E::EIP712DomainChanged(_) => return None,
        })
    }
}

fn of_job(event: MarketEvents) -> Option<MarketEvent> {
    use MarketEvents as E;
    Some(match event {
        E::JobCreated(e) => MarketEvent::JobCreated {
            job: JobId(e.jobId.0),
            resource: ResourceId(e.resourceId.0),
            renter: e.renter,
            fee: BasisPoints(e.feeBps),
            terms: Box::new(convert::from_terms(&e.terms)),
        },
        E::JobAccepted(e) => MarketEvent::JobAccepted { job: JobId(e.jobId.0), cover: Seconds(e.coverSeconds.into()) },
        E::OrderFilled(_) | E::CancelFeePaid(_) | E::JobDisputed(_) | E::DisputeResolved(_) => return of_order(event),
        E::JobDeclined(e) => {
            MarketEvent::JobDeclined { job: JobId(e.jobId.0), refunded: convert::amount(e.refunded), reason: e.reason }
        }
        E::JobCancelled(e) => {
            MarketEvent::JobCancelled { job: JobId(e.jobId.0), by: e.by, refunded: convert::amount(e.refunded) }
        }
        E::JobStarted(e) => MarketEvent::JobStarted { job: JobId(e.jobId.0), ready_record: e.readyRecord },
        E::JobPaused(e) => MarketEvent::JobPaused { job: JobId(e.jobId.0) },
        E::JobResumed(e) => MarketEvent::JobResumed { job: JobId(e.jobId.0), paused: Seconds(e.pausedSeconds.into()) },
        E::JobExtended(e) => MarketEvent::JobExtended {
            job: JobId(e.jobId.0),
            extra: Seconds(e.extraSeconds.to()),
            locked: convert::amount(e.locked),
        },
        E::JobSilent(e) => MarketEvent::JobSilent {
            job: JobId(e.jobId.0),
            clock_stands_at: Timestamp(e.clockStandsAt.to()),
            reporter: e.reporter,
        },
        E::JobPaid(e) => MarketEvent::JobPaid {
            job: JobId(e.jobId.0),
            seconds: Seconds(e.paidSeconds.into()),
            amount: convert::amount(e.amount),
        },
        E::JobEnded(e) => MarketEvent::JobEnded {
            job: JobId(e.jobId.0),
            by: e.by,
            outcome: convert::outcome(e.outcome),
            seconds: Seconds(e.secondsRun.into()),
            refunded: convert::amount(e.refunded),
            result_digest: e.resultDigest,
        },
        E::JobFinalized(e) => MarketEvent::JobFinalized {
            job: JobId(e.jobId.0),
            paid: convert::amount(e.paid),
            fee: convert::amount(e.fee),
        },
        _ => return None,
    })
}

/// What lies beside a job's plain life: orders, cancellation for a fee, disputes.
fn of_order(event: MarketEvents) -> Option<MarketEvent> {
    use MarketEvents as E;
    Some(match event {
        E::OrderFilled(e) => MarketEvent::OrderFilled {
            job: JobId(e.jobId.0),
            renter: e.renter,
            nonce: e.nonce,
            spent: convert::amount(e.spent),
        },
        E::CancelFeePaid(e) => MarketEvent::CancelFeePaid {
            job: JobId(e.jobId.0),
            paid: convert::amount(e.paid),
            fee: convert::amount(e.fee),
        },
        E::JobDisputed(e) => MarketEvent::JobDisputed {
            job: JobId(e.jobId.0),
            opener: e.opener,
            pot: convert::amount(e.pot),
            bond: convert::amount(e.bond),
            reason: e.reason,
        },
        E::DisputeResolved(e) => MarketEvent::DisputeResolved {
            job: JobId(e.jobId.0),
            by: e.by,
            provider: BasisPoints(e.providerBps),
            returned: convert::amount(e.returned),
            from_cover: convert::amount(e.fromCover),
            evidence: e.evidenceCid,
        },
        _ => return None,
    })
}

fn of_stake(event: MarketEvents) -> Option<MarketEvent> {
    use MarketEvents as E;
    Some(match event {
        E::CancelFeeChanged(e) => MarketEvent::CancelFeeChanged {
            resource: ResourceId(e.resourceId.0),
            cancel_fee: BasisPoints(e.cancelFeeBps),
        },
        E::Staked(e) => MarketEvent::Staked {
            resource: ResourceId(e.resourceId.0),
            from: e.from,
            amount: convert::amount(e.amount),
            stake: convert::amount(e.stake),
        },
        E::UnstakeRequested(e) => MarketEvent::UnstakeRequested {
            resource: ResourceId(e.resourceId.0),
            amount: convert::amount(e.amount),
            unbonding: convert::amount(e.unbonding),
            available_at: Timestamp(e.availableAt.to()),
        },
        E::Unstaked(e) => MarketEvent::Unstaked {
            resource: ResourceId(e.resourceId.0),
            to: e.to,
            amount: convert::amount(e.amount),
            stake: convert::amount(e.stake),
        },
        E::SlashProposed(e) => MarketEvent::SlashProposed {
            proposal: convert::number(e.proposalId),
            resource: ResourceId(e.resourceId.0),
            harmed: e.harmed,
            amount: convert::amount(e.amount),
            loss: convert::amount(e.loss),
            contestable_until: Timestamp(e.contestableUntil.to()),
            evidence: e.evidenceCid,
        },
        E::SlashContested(e) => {
            MarketEvent::SlashContested { proposal: convert::number(e.proposalId), evidence: e.evidenceCid }
        }
        E::SlashSettled(e) => MarketEvent::SlashSettled {
            proposal: convert::number(e.proposalId),
            slashed: e.slashed,
            to_harmed: convert::amount(e.toHarmed),
            burned: convert::amount(e.burned),
        },
        _ => return None,
    })
}
