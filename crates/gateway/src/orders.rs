//! Orders: from what somebody wishes to terms that can be paid for. Knows no socket and no chain.

mod quoted;
mod relays;
pub(crate) use quoted::{Quoted, follow, publish};
pub(crate) use relays::Relays;

use alloy_primitives::{
    Address, B256,
    aliases::{U40, U96},
};
use market::{Amount, BasisPoints, Choice, Needs, Obstacle, Offer, PerHour, ResourceId, Seconds, Stream, rules};
use wire::{
    JobSpec, Terms,
    http::{CreateJobBody, Money},
};

use crate::{GatewayError, http::page::malformed};

/// The fields by which bodies are told that ask for a template, not for an image: modelType and computeNeeded with
/// inputData, or taskType with executor.
const TEMPLATE_FIELDS: [&str; 5] = ["modelType", "computeNeeded", "inputData", "taskType", "executor"];
/// What a body looks like that is understood.
const SHAPE: &str = r#"{"spec":{"version":1,"image":"bafy…","resources":{"cpus":1,"memoryMib":512,"diskMib":512}},"maxDurationS":3600,"maxPrice":{"amount":"2.50","token":"0x…"}}"#;

/// What the market settles in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Currency<'a> {
    pub(crate) token: Address,
    pub(crate) decimals: u8,
    pub(crate) symbol: &'a str,
}

impl Currency<'_> {
    fn show(&self, amount: Amount) -> String {
        format!("{} {}", amount.in_tokens(self.decimals), self.symbol)
    }

    pub(crate) fn money(&self, amount: Amount) -> Money {
        Money::new(amount, self.token)
    }
}

/// What somebody wishes to rent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) spec: JobSpec,
    pub(crate) needs: Needs,
    pub(crate) duration: Seconds,
}

impl Wish {
    /// Reads a body, naming the field that is missing or wrong.
    pub(crate) fn read(body: &CreateJobBody, currency: Currency<'_>) -> Result<Self, GatewayError> {
        let spec = body.spec.clone().ok_or_else(|| missing("spec", "what to run"))?;
        spec.check().map_err(within("spec"))?;
        let duration = body.max_duration_s.ok_or_else(|| missing("maxDurationS", "how long it may run"))?;
        let duration = Seconds(duration.into());
        lasting("maxDurationS", duration)?;
        let price = |money: &Money| money.amount(currency.token, currency.decimals).map_err(within("maxPrice"));
        let max_price = body.max_price.as_ref().map(price).transpose()?.map(|amount| PerHour(amount.0));
        let id = body.resource_id.map(|id| ResourceId(id.0));
        let needs = Needs { id, max_price, simulated: body.simulated, ..spec.needs() };
        Ok(Self { spec, needs, duration })
    }

    /// The cheapest offer that fits, or what stands in the way at the nearest.
    pub(crate) fn choose<'a>(&self, offers: &'a [Offer], currency: Currency<'_>) -> Result<&'a Offer, GatewayError> {
        let named: Vec<Offer>;
        let (mut offers, given) = (offers, offers);
        if let Some(id) = self.needs.id {
            // Whoever names one is told about that one.
            named = given.iter().filter(|offer| offer.id == id).cloned().collect();
            offers = &named;
        }
        let why = match market::choose(offers, &self.needs) {
            market::Choice::Offer(found) => {
                let found = given.iter().find(|offer| offer.id == found.id);
                return found.ok_or_else(|| GatewayError::NoMatch { why: "it was withdrawn just now".into() });
            }
            Choice::NoOffers => match self.needs.id {
                Some(id) => {
                    return Err(GatewayError::Malformed {
                        field: "resourceId".into(),
                        reason: format!("{id} is not listed here; GET /api/v1/gpus shows what is"),
                    });
                }
                None => "nobody lists anything at this gateway now; try again later".into(),
            },
            Choice::Nearest(offer, obstacles) => {
                let words: Vec<String> = obstacles.iter().map(|obstacle| words(obstacle, currency)).collect();
                format!("the nearest is {} ({}): {}", offer.hardware.model, offer.id, words.join("; "))
            }
        };
        Err(GatewayError::NoMatch { why })
    }
}

/// What stands in the way, in this interface's words.
fn words(obstacle: &Obstacle, currency: Currency<'_>) -> String {
    match obstacle {
        Obstacle::TooDear(price) => {
            format!("it costs {} an hour, above maxPrice", currency.show(Amount(price.0)))
        }
        Obstacle::Simulated => "its card is simulated; send \"simulated\": true to take one".into(),
        Obstacle::Unavailable => "it is not offered or not heard now".into(),
        other => other.to_string(),
    }
}

/// Terms of `renter` for `offer`.
pub(crate) fn terms(
    (renter, controller): (Address, Address),
    offer: &Offer,
    duration: Seconds,
    spec_digest: B256,
    salt: u64,
) -> Terms {
    Terms {
        renter,
        controller,
        resourceId: B256::from(offer.id.0),
        pricePerHour: U96::saturating_from(offer.price.0),
        minCharge: U96::ZERO,
        maxDuration: u32::try_from(duration.0).unwrap_or(u32::MAX),
        notBefore: U40::ZERO,
        cancelFeeBps: 0,
        specDigest: spec_digest,
        flags: 0,
        salt,
        extra: B256::ZERO,
    }
}

/// What terms lock.
pub(crate) fn locked(terms: &Terms) -> Amount {
    stream(terms).locked()
}

fn stream(terms: &Terms) -> Stream {
    terms.stream(Seconds(0), BasisPoints(0))
}

/// Checks what the contract checks of terms by themselves, so that the field is named before anything is sent.
pub(crate) fn check(terms: &Terms) -> Result<(), GatewayError> {
    let stream = stream(terms);
    if terms.controller == Address::ZERO {
        return Err(malformed("terms.controller", "a job without somebody who lets it start would never start"));
    }
    lasting("terms.maxDuration", stream.duration)?;
    if stream.min_charge > stream.price.cost(rules::MIN_CHARGE_TIME) {
        return Err(malformed("terms.minCharge", "is at most the price of ten minutes"));
    }
    if stream.locked() == Amount::ZERO {
        return Err(malformed("terms.pricePerHour", "locks nothing; a job costs at least one smallest unit"));
    }
    let reserved = [
        ("terms.cancelFeeBps", terms.cancelFeeBps == 0),
        ("terms.flags", terms.flags == 0),
        ("terms.extra", terms.extra == B256::ZERO),
    ];
    match reserved.into_iter().find(|(_, holds)| !holds) {
        Some((field, _)) => Err(malformed(field, "is reserved; take the terms as they were answered")),
        None => Ok(()),
    }
}

/// Checks that what a body says beside its terms does not contradict them.
pub(crate) fn agree(body: &CreateJobBody, terms: &Terms, currency: Currency<'_>) -> Result<(), GatewayError> {
    let differs = |field| malformed(field, "is another one than in the terms; leave it out, or ask for new terms");
    if body.resource_id.is_some_and(|id| id != terms.resourceId) {
        return Err(differs("resourceId"));
    }
    if body.controller.is_some_and(|controller| controller != terms.controller) {
        return Err(differs("controller"));
    }
    if body.max_duration_s.is_some_and(|duration| duration != terms.maxDuration) {
        return Err(differs("maxDurationS"));
    }
    if let Some(price) = &body.max_price {
        let max = price.amount(currency.token, currency.decimals).map_err(within("maxPrice"))?;
        if terms.pricePerHour.to::<u128>() > max.0 {
            return Err(malformed("maxPrice", "is less than the terms pay; ask for new terms"));
        }
    }
    Ok(())
}

/// Whether the wallet holds what is locked.
pub(crate) fn affordable(
    renter: Address,
    balance: Amount,
    locked: Amount,
    currency: Currency<'_>,
) -> Result<(), GatewayError> {
    let missing = locked.saturating_sub(balance);
    if missing == Amount::ZERO {
        return Ok(());
    }
    let (have, need, missing) = (currency.show(balance), currency.show(locked), currency.show(missing));
    let what = format!("{renter} holds {have} and the job locks {need}: {missing} are missing");
    Err(GatewayError::Funds { what: format!("{what}. Send them there, or shorten the job with maxDurationS") })
}

/// Refuses bodies that ask for a template, showing what is understood.
pub(crate) fn refuse_templates(body: &serde_json::Value) -> Result<(), GatewayError> {
    let field = TEMPLATE_FIELDS.into_iter().find(|field| body.get(field).is_some());
    match field {
        Some(field) => Err(malformed(field, format!("templates are not served here; say what to run: {SHAPE}"))),
        None => Ok(()),
    }
}

fn lasting(field: &str, duration: Seconds) -> Result<(), GatewayError> {
    if duration == Seconds(0) || duration > rules::DURATION_MAX {
        return Err(malformed(field, format!("a job runs for 1 s to {}", rules::DURATION_MAX)));
    }
    Ok(())
}

fn missing(field: &str, what: &str) -> GatewayError {
    malformed(field, format!("say {what}, like {SHAPE}"))
}

/// Names a field as the body has it.
fn within(outer: &'static str) -> impl Fn(wire::WireError) -> GatewayError {
    move |error| match error {
        wire::WireError::Field { field, reason } if field == "amount" || field == "token" => {
            GatewayError::Malformed { field: format!("{outer}.{field}"), reason }
        }
        wire::WireError::Field { field, reason } if outer == "spec" => {
            GatewayError::Malformed { field: format!("spec.{field}"), reason }
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests;
