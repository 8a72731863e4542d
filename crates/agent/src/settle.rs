//! Collects what is still due for jobs that ended: finalizes them as soon as nobody can dispute them any more, and settles
//! disputes that nobody decided. Where a gateway or a stranger was faster, there is nothing left to do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use chain::{ChainError, JobState};
use market::rules::{ANSWER_WITHIN, DISPUTE_WINDOW};
use market::{JobId, Status, Timestamp};
use wire::Terms;

use crate::AgentError;
use crate::agent::written_down;
use crate::host::Host;
use crate::job::{Folder, Phase, Record};
use crate::limits::{FINALIZED_AT_ONCE, SETTLE_AGAIN, SETTLE_EVERY};

/// Until the agent shuts down.
pub(crate) async fn run(host: Arc<Host>) {
    let mut waiting = HashMap::new();
    loop {
        if let Err(error) = once(&host, &mut waiting).await {
            tracing::warn!(%error, "jobs that ended could not be settled; trying again");
        }
        tokio::select! {
            () = tokio::time::sleep(SETTLE_EVERY) => {}
            () = host.shutdown.cancelled() => return,
        }
    }
}

/// When a job is to be looked at again: by the chain's clock, and by ours.
type Again = (Timestamp, Instant);

async fn once(host: &Host, waiting: &mut HashMap<JobId, Again>) -> Result<(), AgentError> {
    let (now, mut ended, mut seen) = (host.clock.now(), Vec::new(), HashMap::new());
    for (id, record) in written_down(&host.config.state_dir)? {
        if record.phase != Phase::Done || record.settled {
            continue;
        }
        if let Some(again) = waiting.get(&id).filter(|(at, from)| now <= *at && from.elapsed() < SETTLE_AGAIN) {
            seen.insert(id, *again);
            continue;
        }
        let state = host.market.job(id).await?;
        let due = due(&state);
        match state.status {
            _ if due.is_none() => {
                settled(host, id, record)?;
                continue;
            }
            Status::Ended if due < Some(now) => ended.push((id, Terms::try_from(&record.terms)?)),
            Status::Disputed if due < Some(now) => {
                let terms = Terms::try_from(&record.terms)?;
                tell(&[id], &host.account.settle_dispute(&terms).await.map(drop));
            }
            _ => {}
        }
        seen.insert(id, (due.filter(|due| *due >= now).unwrap_or(Timestamp(u64::MAX)), Instant::now()));
    }
    *waiting = seen;
    for batch in ended.chunks(FINALIZED_AT_ONCE) {
        let (ids, terms): (Vec<JobId>, Vec<Terms>) = batch.iter().cloned().unzip();
        let done = host.account.finalize(&terms).await.map(drop);
        let succeeded = if matches!(done, Err(ChainError::Reverted(_))) && terms.len() > 1 {
            // All or nothing: one that was finalized or disputed meanwhile stops the others, so each is tried alone.
            let mut succeeded = Vec::new();
            for (id, terms) in batch {
                let done = host.account.finalize(std::slice::from_ref(terms)).await.map(drop);
                succeeded.extend(tell(&[*id], &done).then_some(*id));
            }
            succeeded
        } else if tell(&ids, &done) {
            ids
        } else {
            Vec::new()
        };
        // What came of these is read from the chain at once; the others have their wait.
        waiting.retain(|id, _| !succeeded.contains(id));
    }
    Ok(())
}

/// The second after which anybody may settle the job; none where nothing is left to settle.
fn due(state: &JobState) -> Option<Timestamp> {
    match state.status {
        Status::None | Status::Final | Status::Cancelled => None,
        Status::Disputed => Some(state.since.after(ANSWER_WITHIN)),
        // One that runs again after a reorganisation is not this task's: it is only looked at again.
        _ => Some(state.since.after(DISPUTE_WINDOW)),
    }
}

/// Writes down that nothing is left to collect. Only jobs that nobody serves any more come here.
fn settled(host: &Host, id: JobId, record: Record) -> Result<(), AgentError> {
    tracing::info!(job = %id.short(), "the job is settled");
    Folder::of(&host.config.state_dir, id).save(&Record { settled: true, ..record })
}

/// Says what came of it; gives whether it was done.
fn tell(jobs: &[JobId], done: &Result<(), ChainError>) -> bool {
    let names = jobs.iter().map(JobId::short).collect::<Vec<_>>().join(" ");
    match done {
        Ok(()) => tracing::info!(jobs = names, "finalized: the rest of the pay is collected"),
        Err(error) => tracing::info!(jobs = names, %error, "not finalized yet"),
    }
    done.is_ok()
}
