//! Jobs, and what they do to their resource and provider.

use alloy_primitives::B256;
use chain::MarketEvent;
use market::{Amount, BasisPoints, JobId, Outcome, Seconds, Status, Verdict};
use store::{BlockRef, DecisionRow, JobRow, Row};
use wire::Terms;

use super::{Drawn, scene::Scene};
use crate::{Contradiction, Rows};

/// While pay may come: on the clock, at its end, with a verdict.
const PAYABLE: &[Status] = &[Status::Running, Status::Paused, Status::Silent, Status::Ended, Status::Disputed];
/// While the clock stands for a while.
const STANDING: &[Status] = &[Status::Paused, Status::Silent];

/// Money is locked for a new job.
pub(super) fn created(
    before: &Rows,
    block: BlockRef,
    log_index: u64,
    id: JobId,
    fee_bps: BasisPoints,
    terms: &Terms,
) -> Result<Drawn, Contradiction> {
    if before.job(id).is_ok() {
        return Err(Contradiction::JobExists(id));
    }
    let resource = before.resource(terms.resource())?;
    let job = JobRow {
        id,
        terms: terms.clone(),
        provider: resource.provider,
        fee_bps,
        status: Status::Created,
        outcome: Outcome::None,
        since: block.at,
        created: (block.number, log_index),
        created_at: block.at,
        accepted_at: None,
        started_at: None,
        ended_at: None,
        ready_record: None,
        locked: terms.stream(Seconds(0), fee_bps).locked(),
        extra: Seconds(0),
        paused: Seconds(0),
        cover: Seconds(0),
        paid_seconds: Seconds(0),
        paid: Amount::ZERO,
        seconds_run: None,
        refunded: Amount::ZERO,
        fee: None,
        result_digest: None,
        ended_by: None,
        reason: None,
        changed: block.number,
    };
    let drawn = about(&job);
    Ok(Drawn { who: Some(terms.renter), rows: vec![Row::Job(job)], ..drawn })
}

/// An existing job went on.
pub(super) fn went_on(before: &Rows, block: BlockRef, event: &MarketEvent) -> Result<Drawn, Contradiction> {
    use MarketEvent as E;
    let id = event.job().ok_or(Contradiction::UnknownEvent)?;
    let mut scene = Scene::of(before, block, id)?;
    let agent = scene.provider.agent;
    let renter = scene.job.terms.renter;
    let mut earned = None;
    let who = match event {
        E::OrderFilled { .. } => scene.is(&[Status::Created]).map(|()| None)?,
        E::JobAccepted { cover, .. } => scene.accepted(*cover)?,
        E::JobDeclined { refunded, reason, .. } => {
            scene.job.reason = Some(reason.clone());
            scene.called_off(agent, *refunded)?
        }
        E::JobCancelled { by, refunded, .. } => scene.called_off(*by, *refunded)?,
        E::CancelFeePaid { paid, fee, .. } => {
            scene.is(&[Status::Cancelled])?;
            (scene.job.paid, scene.job.fee) = (*paid, Some(*fee));
            earned = Some(*paid);
            None
        }
        E::JobStarted { ready_record, .. } => scene.started(*ready_record)?,
        E::JobPaused { .. } => scene.moved(&[Status::Running], Status::Paused).map(|()| Some(agent))?,
        E::JobResumed { paused, .. } => {
            scene.moved(STANDING, Status::Running)?;
            scene.job.paused = *paused;
            Some(agent)
        }
        E::JobSilent { reporter, .. } => scene.moved(&[Status::Running], Status::Silent).map(|()| Some(*reporter))?,
        E::JobExtended { extra, locked, .. } => {
            scene.is(&[Status::Running])?;
            (scene.job.extra, scene.job.locked) = (*extra, *locked);
            Some(renter)
        }
        E::JobPaid { seconds, amount, .. } => {
            scene.is(PAYABLE)?;
            scene.job.paid_seconds = *seconds;
            scene.job.paid = scene.job.paid.saturating_add(*amount);
            earned = Some(*amount);
            None
        }
        E::JobEnded { by, outcome, seconds, refunded, result_digest, .. } => {
            scene.ended(*outcome, *seconds)?;
            scene.job.refunded = *refunded;
            scene.job.result_digest = Some(*result_digest).filter(|digest| *digest != B256::ZERO);
            scene.job.ended_by = Some(*by);
            Some(*by)
        }
        E::JobFinalized { paid, fee, .. } => {
            scene.settled()?;
            (scene.job.paid, scene.job.fee) = (*paid, Some(*fee));
            None
        }
        E::JobDisputed { opener, pot, bond, reason, .. } => {
            scene.disputed(*opener, *pot, *bond, reason)?;
            Some(*opener)
        }
        E::DisputeResolved { by, provider, returned, from_cover, evidence, .. } => {
            let verdict = Verdict::of(*provider).ok_or(Contradiction::NoVerdict(provider.0))?;
            let (by, evidence, at) = (*by, evidence.clone(), block.at);
            let decision = DecisionRow { by, verdict, returned: *returned, from_cover: *from_cover, evidence, at };
            scene.decided(decision)?;
            Some(by)
        }
        _ => return Err(Contradiction::UnknownEvent),
    };
    Ok(Drawn { who, earned, ..scene.close() })
}

/// What every event of a job is about.
pub(super) fn about(job: &JobRow) -> Drawn {
    Drawn { job: Some(job.id), resource: Some(job.terms.resource()), provider: Some(job.provider), ..Drawn::default() }
}
