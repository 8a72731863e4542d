//! Facts of a disputed job that the chain alone shows.

use alloy_primitives::B256;
use chain::{Market, MarketEvent};
use market::JobId;

use super::Facts;
use crate::OracleError;

/// Reads a job's events. What the provider's record says, and whether its result can be had, is added by whoever holds
/// them; without it the chain's word decides.
pub async fn gather(market: &Market, job: JobId, deployed_at: u64) -> Result<Facts, OracleError> {
    let history = market.history(job, deployed_at, None).await?;
    let events: Vec<_> = history.into_iter().map(|(_, logged)| logged.event).collect();
    Ok(of(&events))
}

fn of(events: &[MarketEvent]) -> Facts {
    let mut facts = Facts::default();
    for event in events {
        match event {
            MarketEvent::JobSilent { .. } => facts.silences += 1,
            MarketEvent::JobEnded { outcome, seconds, result_digest, .. } => {
                (facts.outcome, facts.ran) = (Some(*outcome), *seconds);
                facts.has_record = *result_digest != B256::ZERO;
            }
            _ => {}
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;
    use market::{Amount, Outcome, Seconds, Timestamp};

    use super::*;

    #[test]
    fn the_chain_tells_end_record_and_silences() {
        let job = JobId([7; 32]);
        let silent = MarketEvent::JobSilent { job, clock_stands_at: Timestamp(5), reporter: Address::repeat_byte(1) };
        let ended = |digest| MarketEvent::JobEnded {
            job,
            by: Address::repeat_byte(2),
            outcome: Outcome::Failed,
            seconds: Seconds(60),
            refunded: Amount(1),
            result_digest: digest,
        };
        let facts = of(&[silent.clone(), silent, ended(B256::repeat_byte(3))]);
        let expected = Facts {
            outcome: Some(Outcome::Failed),
            ran: Seconds(60),
            has_record: true,
            silences: 2,
            ..Facts::default()
        };
        assert_eq!(facts, expected);
        assert!(!of(&[ended(B256::ZERO)]).has_record);
        assert_eq!(of(&[]), Facts::default());
    }
}
