//! Payments over HTTP, as a gateway takes them: whole jobs for one payment each, and what it settles for others.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, B256, keccak256};
use chain::Deposits;
use market::Timestamp;
use payments::{
    exact::{EXACT_GAS, Exact},
    facilitator::{Facilitator, Limits, Sender},
};
use store::Begun;
use wire::{Terms, TermsJson};

use crate::{
    GatewayError,
    config::X402_OFFERS_HELD_MAX,
    http::{jobs::ask, page::malformed},
    orders,
    state::{Shared, now},
};

/// What a gateway takes payments over HTTP with.
#[derive(Clone, Debug)]
pub struct HttpPayments {
    /// Takes authorizations in the settlement token.
    pub exact: Exact,
    /// Gives every job an address of its own.
    pub deposits: Deposits,
    /// Sends with the gas wallet, each purpose once.
    pub sender: Sender,
    /// Verifies and settles for other servers, where that is wished.
    pub facilitator: Option<Facilitator>,
    /// What it pays for jobs that are bought.
    pub gas: GasCaps,
    /// What gas is worth: a job whose lock is worth less than its gas is not offered.
    pub limits: Limits,
}

/// Gas that jobs bought with one payment cost this gateway in a day of UTC. Both are counted in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasCaps {
    /// For one payer.
    pub of_payer: u64,
    /// For all of them together.
    pub of_all: u64,
}

impl Default for GasCaps {
    /// Twenty jobs of a payer, a thousand in all.
    fn default() -> Self {
        Self { of_payer: 20 * JOB_GAS, of_all: 1000 * JOB_GAS }
    }
}

/// Gas of one job that is bought: the payment, and the sweep that creates a small account and the job.
const JOB_GAS: u64 = EXACT_GAS + 600_000;
/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// Takes a job's gas out of the budgets of the day; refused when one of them is used up.
pub(crate) async fn spend_gas(shared: &Shared, payments: &HttpPayments, payer: Address) -> Result<(), GatewayError> {
    let at = now();
    let (day, GasCaps { of_payer, of_all }) = (at / DAY_S, payments.gas);
    // Who pays for all is a payer too: the gas wallet, under an address that no payment names.
    let own = Address::from_word(keccak256(
        [b"gas of jobs".as_slice(), payments.sender.teller().address().as_slice()].concat(),
    ));
    let of_jobs = Address::from_word(keccak256([b"jobs of".as_slice(), payer.as_slice()].concat()));
    for (who, most) in [(of_jobs, of_payer), (own, of_all)] {
        if !shared.store.spend_gas(who, day, JOB_GAS, most).await? {
            tracing::warn!(%payer, most, "the gas for jobs that are bought is used up today");
            return Err(GatewayError::TooMany { retry_after_s: (day + 1) * DAY_S - at });
        }
    }
    Ok(())
}

/// Refuses a job that locks less than the gas of making it is worth: whoever bought such ones would only burn gas.
pub(crate) async fn worth(shared: &Shared, payments: &HttpPayments, terms: &Terms) -> Result<(), GatewayError> {
    let least = ask(shared, payments.limits.gas_price(shared.market.chain())).await?.least(JOB_GAS);
    let locked = orders::locked(terms).0;
    if locked >= least {
        return Ok(());
    }
    let reason = format!(
        "such a job costs {locked} of the token's smallest units at most, and less than {least} is not worth its gas \
         now: ask for a longer one, or order it with a wallet (POST /api/v1/jobs)"
    );
    Err(malformed("maxDurationS", reason))
}

/// Terms that were offered, by the address that pays for them; the oldest first. Clients of version 2 bring theirs back,
/// those of version 1 bring back the address alone.
#[derive(Debug, Default)]
pub(crate) struct Offers(Mutex<VecDeque<(Address, TermsJson)>>);

impl Offers {
    pub(crate) fn hold(&self, pay_to: Address, terms: TermsJson) {
        let mut held = self.held();
        if held.len() >= X402_OFFERS_HELD_MAX {
            held.pop_front();
        }
        held.push_back((pay_to, terms));
    }

    fn get(&self, pay_to: Address) -> Option<TermsJson> {
        self.held().iter().find(|(address, _)| *address == pay_to).map(|(_, terms)| terms.clone())
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<(Address, TermsJson)>> {
        // No change under this lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Under which name terms that somebody pays for are kept beside the answers to requests, for a day.
const ROUTE: &str = "x402 terms";

/// The terms that an address was offered for: of memory, or of the database once somebody began to pay.
pub(crate) async fn offered(shared: &Shared, pay_to: Address) -> Result<Option<TermsJson>, GatewayError> {
    if let Some(terms) = shared.offers.get(pay_to) {
        return Ok(Some(terms));
    }
    match begin(shared, pay_to).await? {
        Begun::Done { body, .. } => Ok(serde_json::from_slice(&body).ok()),
        Begun::New => {
            shared.store.drop_request(&key(pay_to), pay_to, ROUTE).await?;
            Ok(None)
        }
        Begun::InFlight | Begun::Different => Err(GatewayError::InFlight),
    }
}

/// Writes terms down before anybody's money moves for them.
pub(crate) async fn keep(shared: &Shared, pay_to: Address, terms: &TermsJson) -> Result<(), GatewayError> {
    if begin(shared, pay_to).await? == Begun::New {
        let body = serde_json::to_vec(terms).unwrap_or_default();
        shared.store.finish_request(&key(pay_to), pay_to, ROUTE, 200, &body).await?;
    }
    Ok(())
}

/// Whether nobody began to pay at this address yet.
pub(crate) async fn is_new(shared: &Shared, pay_to: Address) -> Result<bool, GatewayError> {
    match begin(shared, pay_to).await? {
        Begun::Done { .. } => Ok(false),
        Begun::New => {
            shared.store.drop_request(&key(pay_to), pay_to, ROUTE).await?;
            Ok(true)
        }
        Begun::InFlight | Begun::Different => Err(GatewayError::InFlight),
    }
}

/// Terms that somebody began to pay for in the last day, with the addresses that are paid.
pub(crate) async fn all_kept(shared: &Shared) -> Result<Vec<(Address, TermsJson)>, GatewayError> {
    let rows = shared.store.answered_requests(ROUTE, Timestamp(now())).await?;
    Ok(rows.into_iter().filter_map(|(who, body)| Some((who, serde_json::from_slice(&body).ok()?))).collect())
}

async fn begin(shared: &Shared, pay_to: Address) -> Result<Begun, GatewayError> {
    Ok(shared.store.begin_request(&key(pay_to), pay_to, ROUTE, B256::ZERO, Timestamp(now())).await?)
}

fn key(pay_to: Address) -> String {
    format!("x402:{pay_to}")
}

/// What an authorization for a job pays for: it is good for nothing else.
pub(crate) fn bound(job: B256) -> B256 {
    keccak256([b"x402 job".as_slice(), job.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(salt: u64) -> TermsJson {
        TermsJson {
            renter: Address::repeat_byte(1),
            controller: Address::repeat_byte(2),
            resource_id: B256::repeat_byte(3),
            price_per_hour: 1,
            min_charge: 0,
            max_duration: 1,
            not_before: 0,
            cancel_fee_bps: 0,
            spec_digest: B256::ZERO,
            flags: 0,
            salt,
            extra: B256::ZERO,
        }
    }

    #[test]
    fn so_many_offers_are_held_and_the_oldest_goes_first() {
        let offers = Offers::default();
        let address = |number: u64| Address::left_padding_from(&number.to_be_bytes());
        for number in 0..=X402_OFFERS_HELD_MAX as u64 {
            offers.hold(address(number), terms(number));
        }
        assert_eq!(offers.held().len(), X402_OFFERS_HELD_MAX);
        assert_eq!(offers.get(address(0)), None);
        assert_eq!(offers.get(address(1)), Some(terms(1)));
    }
}
