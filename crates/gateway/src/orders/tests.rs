//! Wishes and terms, good and bad.

use market::{Hardware, Mebibytes};
use serde_json::{Value, json};

use super::*;

const TOKEN: Address = Address::repeat_byte(9);
const CURRENCY: Currency<'_> = Currency { token: TOKEN, decimals: 6, symbol: "GPU" };
const RENTER: Address = Address::repeat_byte(1);
const CONTROLLER: Address = Address::repeat_byte(2);

fn body() -> Value {
    json!({
        "spec": {"version": 1, "image": "bafkqaaa", "resources": {"cpus": 1, "memoryMib": 64, "diskMib": 64}},
        "maxDurationS": 60,
    })
}

fn with(change: Value) -> Value {
    let mut body = body();
    let (Some(fields), Value::Object(change)) = (body.as_object_mut(), change) else { return body };
    fields.extend(change);
    body
}

fn read(body: Value) -> Result<Wish, GatewayError> {
    Wish::read(&serde_json::from_value(body).unwrap(), CURRENCY)
}

/// Checks that `refused` names `field` and says `words`.
fn named<T: std::fmt::Debug>(refused: Result<T, GatewayError>, field: &str, words: &str) {
    match refused.unwrap_err() {
        GatewayError::Malformed { field: found, reason } => {
            assert_eq!(found, field);
            assert!(reason.contains(words), "{reason}");
        }
        other => panic!("{other}"),
    }
}

fn offer(id: u8, price: u128, simulated: bool) -> Offer {
    let hardware = Hardware {
        model: format!("Card {id}"),
        gpus: 1,
        vram: Mebibytes(1024),
        cpus: 2,
        memory: Mebibytes(512),
        disk: Mebibytes(512),
        simulated,
    };
    Offer { id: ResourceId([id; 32]), hardware, price: PerHour(price), available: true, busy: false }
}

fn chosen(body: Value, offers: &[Offer]) -> Result<u8, String> {
    let wish = read(body).unwrap();
    wish.choose(offers, CURRENCY).map(|offer| offer.id.0[0]).map_err(|error| error.to_string())
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    assert_eq!(read(body()).unwrap().duration, Seconds(60));
    named(read(json!({"maxDurationS": 60})), "spec", "what to run");
    named(read(with(json!({"maxDurationS": null}))), "maxDurationS", "how long");
    named(read(with(json!({"maxDurationS": 0}))), "maxDurationS", "1 s to 720 h");
    named(read(with(json!({"maxDurationS": 2_592_001}))), "maxDurationS", "1 s to 720 h");
    let price = |amount: &str, token: Address| with(json!({"maxPrice": {"amount": amount, "token": token}}));
    named(read(price("-1", TOKEN)), "maxPrice.amount", "neither");
    named(read(price("1e30", TOKEN)), "maxPrice.amount", "neither");
    named(read(price("1", RENTER)), "maxPrice.token", "settles in");
    assert_eq!(read(price("1.5", TOKEN)).unwrap().needs.max_price, Some(PerHour(1_500_000)));
    assert_eq!(read(price("1500000", TOKEN)).unwrap().needs.max_price, Some(PerHour(1_500_000)));
    let mut bad = body();
    bad["spec"]["image"] = "latest".into();
    named(read(bad.clone()), "spec.image", "no CID");
    bad = body();
    bad["spec"]["resources"]["cpus"] = 0.into();
    named(read(bad), "spec.resources.cpus", "at least 1");
}

#[test]
fn the_cheapest_that_fits_is_chosen_and_a_named_one_is_judged_by_itself() {
    let offers = [offer(1, 300, false), offer(2, 200, false), offer(3, 100, true)];
    assert_eq!(chosen(body(), &offers), Ok(2));
    assert_eq!(chosen(with(json!({"simulated": true})), &offers), Ok(3));
    let one = |id: u8| json!({"resourceId": B256::repeat_byte(id)});
    assert_eq!(chosen(with(one(1)), &offers), Ok(1));
    let refused = chosen(with(one(3)), &offers).unwrap_err();
    assert!(refused.contains("Card 3") && refused.contains("\"simulated\": true"), "{refused}");
    let refused = chosen(with(one(9)), &offers).unwrap_err();
    assert!(refused.contains("resourceId") && refused.contains("not listed here"), "{refused}");
    let dear = with(json!({"maxPrice": {"amount": "0.0001", "token": TOKEN}}));
    let refused = chosen(dear, &offers[..2]).unwrap_err();
    assert!(refused.contains("0.0002 GPU an hour, above maxPrice"), "{refused}");
    assert!(chosen(body(), &[]).unwrap_err().contains("nobody lists anything"));
    let silent = [Offer { available: false, ..offer(1, 300, false) }];
    assert!(chosen(body(), &silent).unwrap_err().contains("not heard"));
}

#[test]
fn terms_that_the_contract_would_refuse_are_refused_here_by_field() {
    let good = terms((RENTER, CONTROLLER), &offer(1, 3600, false), Seconds(60), B256::repeat_byte(4), 7);
    check(&good).unwrap();
    assert_eq!(locked(&good), Amount(60));
    let bad = |change: fn(&mut Terms)| {
        let mut terms = good.clone();
        change(&mut terms);
        check(&terms)
    };
    named(bad(|terms| terms.controller = Address::ZERO), "terms.controller", "never start");
    named(bad(|terms| terms.maxDuration = 0), "terms.maxDuration", "1 s");
    named(bad(|terms| terms.maxDuration = u32::MAX), "terms.maxDuration", "1 s");
    named(bad(|terms| terms.minCharge = U96::from(601)), "terms.minCharge", "ten minutes");
    bad(|terms| terms.minCharge = U96::from(600)).unwrap();
    named(bad(|terms| terms.pricePerHour = U96::ZERO), "terms.pricePerHour", "locks nothing");
    named(bad(|terms| terms.cancelFeeBps = 1), "terms.cancelFeeBps", "reserved");
    named(bad(|terms| terms.flags = 1), "terms.flags", "reserved");
    named(bad(|terms| terms.extra = B256::repeat_byte(1)), "terms.extra", "reserved");
    // The largest figures that fit overflow nothing.
    bad(|terms| (terms.pricePerHour, terms.maxDuration) = (U96::MAX, 2_592_000)).unwrap();
}

#[test]
fn a_body_may_repeat_its_terms_but_not_contradict_them() {
    let terms = terms((RENTER, CONTROLLER), &offer(1, 3600, false), Seconds(60), B256::repeat_byte(4), 7);
    let agreed = |body: Value| agree(&serde_json::from_value(body).unwrap(), &terms, CURRENCY);
    agreed(json!({})).unwrap();
    agreed(json!({"resourceId": B256::repeat_byte(1), "controller": CONTROLLER, "maxDurationS": 60})).unwrap();
    agreed(json!({"maxPrice": {"amount": "3600", "token": TOKEN}})).unwrap();
    named(agreed(json!({"resourceId": B256::repeat_byte(2)})), "resourceId", "another one");
    named(agreed(json!({"controller": RENTER})), "controller", "another one");
    named(agreed(json!({"maxDurationS": 61})), "maxDurationS", "another one");
    named(agreed(json!({"maxPrice": {"amount": "3599", "token": TOKEN}})), "maxPrice", "less than the terms pay");
}

#[test]
fn bodies_for_templates_show_what_is_understood() {
    refuse_templates(&body()).unwrap();
    for (body, field) in [
        (json!({"modelType": "sd", "computeNeeded": 1, "inputData": "x", "maxPrice": 1}), "modelType"),
        (json!({"taskType": "image", "executor": "0x00"}), "taskType"),
    ] {
        named(refuse_templates(&body), field, "maxDurationS");
    }
}

#[test]
fn what_is_missing_in_the_wallet_is_told_in_tokens() {
    affordable(RENTER, Amount(5), Amount(5), CURRENCY).unwrap();
    let refused = affordable(RENTER, Amount(1_500_000), Amount(4_000_000), CURRENCY).unwrap_err().to_string();
    assert!(refused.contains("holds 1.5 GPU and the job locks 4 GPU: 2.5 GPU are missing"), "{refused}");
}
