//! Going on where a lease ended: a new lease whose terms name the former one begins in its workspace.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use market::JobId;
use wire::TermsJson;

use super::desk::Trouble;
use super::shop::{Shared, Shop};
use super::state::{Phase, Record};
use crate::AgentError;
use crate::host::wall;
use crate::limits::RESULT_KEPT;

/// There is no workspace to go on in.
const RESUME: &str = "lease_resume";

/// The lease that these terms go on from.
pub(super) fn named(terms: &TermsJson) -> Option<JobId> {
    (terms.extra != B256::ZERO).then_some(JobId(terms.extra.0))
}

/// The lease that these terms go on from, once it is certain that they may.
pub(super) fn former(shop: &Shop, terms: &TermsJson) -> Result<Option<Arc<Shared>>, Trouble> {
    let Some(id) = named(terms) else { return Ok(None) };
    let Some(former) = shop.lease(id) else {
        let why = "this machine keeps no workspace of the lease to resume: it is kept for a day after the lease's end, \
                   where it ran; open a lease that resumes none";
        return Err(Trouble::refused(RESUME, why));
    };
    match obstacle(&former.record(), terms, wall()) {
        None => Ok(Some(former)),
        Some(why) => Err(Trouble::refused(RESUME, why)),
    }
}

/// Notes who goes on in the workspace, so that it is not removed before he has it.
pub(super) fn hand_over(former: &Shared, to: JobId) -> Result<(), AgentError> {
    former.change(|record| (record.resumed_by, record.resumed_at) = (Some(B256::from(to.0)), Some(wall())))
}

/// What stands in the way of going on from a lease.
fn obstacle(former: &Record, terms: &TermsJson, now: u64) -> Option<String> {
    let kept = RESULT_KEPT.saturating_sub(Duration::from_secs(now.saturating_sub(former.done_at.unwrap_or(now))));
    if (former.terms.renter, former.terms.controller) != (terms.renter, terms.controller) {
        return Some("the lease to resume was another payer's; only he goes on from it".into());
    }
    if former.terms.spec_digest != terms.spec_digest {
        return Some("the lease to resume ran another spec; send the same one".into());
    }
    if let Some(by) = former.resumed_by {
        return Some(format!("the workspace went on in lease {by}; resume that one"));
    }
    if !matches!(former.phase, Phase::Done | Phase::Removed) {
        return Some("the lease to resume is not over; stop it first, or go on paying for it".into());
    }
    if former.phase == Phase::Removed || kept.is_zero() {
        return Some("the workspace was kept for a day after the lease's end, which is over".into());
    }
    if !former.program_started && named(&former.terms).is_none() {
        return Some("the lease to resume never ran, so it left nothing to go on from; open a new one".into());
    }
    None
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;

    #[test]
    fn only_its_payer_goes_on_with_the_same_spec_within_a_day() {
        let terms = TermsJson {
            renter: Address::repeat_byte(1),
            controller: Address::repeat_byte(2),
            resource_id: B256::repeat_byte(3),
            price_per_hour: 1,
            min_charge: 0,
            max_duration: 60,
            not_before: 0,
            cancel_fee_bps: 0,
            spec_digest: B256::repeat_byte(4),
            flags: 0,
            salt: 1,
            extra: B256::ZERO,
        };
        let (day, done) = (RESULT_KEPT.as_secs(), 1_800_000_000);
        let former = Record {
            phase: Phase::Done,
            program_started: true,
            done_at: Some(done),
            ..Record::new(terms.clone(), B256::ZERO, B256::ZERO)
        };
        let check = |change: &dyn Fn(&mut Record, &mut TermsJson), at: u64, words: Option<&str>| {
            let (mut former, mut terms) = (former.clone(), terms.clone());
            change(&mut former, &mut terms);
            let found = obstacle(&former, &terms, at);
            assert_eq!(found.is_some(), words.is_some(), "{found:?}");
            assert!(words.is_none_or(|words| found.clone().unwrap().contains(words)), "{found:?}");
        };
        check(&|_, _| (), done, None);
        check(&|_, _| (), done + day - 1, None);
        check(&|_, _| (), done + day, Some("a day"));
        check(&|_, terms| terms.renter = Address::ZERO, done, Some("another payer"));
        check(&|_, terms| terms.controller = Address::ZERO, done, Some("another payer"));
        check(&|_, terms| terms.spec_digest = B256::ZERO, done, Some("another spec"));
        check(&|former, _| former.phase = Phase::Running, done, Some("not over"));
        check(&|former, _| former.phase = Phase::Removed, done, Some("a day"));
        check(&|former, _| former.program_started = false, done, Some("never ran"));
        check(&|former, _| former.resumed_by = Some(B256::repeat_byte(9)), done, Some("resume that one"));
    }
}
