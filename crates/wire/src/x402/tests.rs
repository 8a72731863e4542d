//! Fixed values of the standard, and objects in the shapes that others' programs send.

use alloy_primitives::{Address, B256, U256, address, b256, hex, keccak256};
use alloy_sol_types::SolStruct;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::SignatureBytes;

const PAYER: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
const RECEIVER: Address = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
const AUTHORIZER: Address = address!("90F79bf6EB2c4f870365E785982E1f101E93b906");
const USDC: Address = address!("036CbD53842c5426634e7929541eC2318f3dCF7e");
const CHANNEL: B256 = b256!("e94a435ba5c4a651c4c975bc5e2a208275f95d4199785ab0d7fbbf56bc9469ec");
const SIGNATURE: &str = "0x96ab9f2f2e9956e705fa4ed0238d1a92a28aa1400766685e754c481db780113b0821b72babda6a7005473b5f92863e9e22ce28e0e88fa3156933ac4bd628e56f1c";

fn config() -> ChannelConfig {
    ChannelConfig {
        payer: PAYER,
        payer_authorizer: PAYER,
        receiver: RECEIVER,
        receiver_authorizer: AUTHORIZER,
        token: USDC,
        withdraw_delay: 900,
        salt: B256::ZERO,
    }
}

fn offer() -> Value {
    json!({
        "scheme": "exact", "network": "eip155:84532", "amount": "10000",
        "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        "payTo": "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC", "maxTimeoutSeconds": 60,
        "extra": { "name": "USDC", "version": "2" },
    })
}

#[test]
fn a_channel_and_its_voucher_are_those_of_the_published_vector() {
    let domain = typed::batch_domain(84_532, typed::BATCH_SETTLEMENT);
    let separator = domain.separator();
    assert_eq!(separator, b256!("fdef80764086b1e0fc6ba99f0cb9aa1d59109fda7c23d60334c89d2de44dffce"));
    assert_eq!(config().id(&separator), CHANNEL);
    assert_eq!(config().id_at(84_532, typed::BATCH_SETTLEMENT), CHANNEL);
    let voucher = typed::Voucher { channelId: CHANNEL, maxClaimableAmount: 10_000 };
    let digest = voucher.eip712_signing_hash(&domain);
    assert_eq!(typed::voucher_digest(&separator, &CHANNEL, 10_000), digest);
    let signature: SignatureBytes = SIGNATURE.parse().unwrap();
    assert_eq!(signature.signer_of_hash(digest), Some(PAYER));
    assert_ne!(typed::voucher_digest(&separator, &CHANNEL, 10_001), digest);
    assert_ne!(config().id_at(8453, typed::BATCH_SETTLEMENT), CHANNEL);
}

#[test]
fn the_tokens_domains_are_those_on_chain() {
    let separator = |name, chain, token| typed::token_domain(name, "2", chain, token).separator();
    let base = address!("833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
    let ethereum = address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
    let known = [
        (separator("USD Coin", 8453, base), b256!("02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f")),
        (separator("USDC", 84_532, USDC), b256!("71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818")),
        (separator("USD Coin", 1, ethereum), b256!("06c37168a7db5138defc7866392bb87a741f9b3d104deb5094588ce041cae335")),
    ];
    for (ours, published) in known {
        assert_eq!(ours, published);
    }
}

#[test]
fn types_have_the_published_hashes() {
    let check = |encoded: &str, expected: &str| assert_eq!(hex::encode(keccak256(encoded)), expected, "{encoded}");
    let of = |encoded: std::borrow::Cow<'static, str>, expected: &str| check(&encoded, expected);
    of(
        typed::TransferWithAuthorization::eip712_encode_type(),
        "7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267",
    );
    of(
        typed::ReceiveWithAuthorization::eip712_encode_type(),
        "d099cc98ef71107a616c4f0f941f04c322d8e254fe26b3c6668db87aae413de8",
    );
    of(
        typed::CancelAuthorization::eip712_encode_type(),
        "158b0a9edf7a828aad02f63cd515c68ef2f50ba807396f6d12842833a1597429",
    );
    of(typed::ChannelConfig::eip712_encode_type(), "1c9a06ceab9b0ebbd3301dc56c9111bb6d9af421356dc9ccb3b7084c755db308");
    of(typed::Voucher::eip712_encode_type(), "1e1bd6ff84c3e0d9029a292b212e039c0ca97ec497c55191a4a5874294609a69");
    of(typed::Refund::eip712_encode_type(), "be23ad087435072cd69b49cc5b92de10ee610fce7ae0ab428307972d764bb216");
    of(typed::ClaimEntry::eip712_encode_type(), "30b9a0367528fca13c3e8ec6134c3113f1887ebe7a1ad61de0955aac288b0cf5");
    of(typed::ClaimBatch::eip712_encode_type(), "42bd57c010b870c2e96203c66341f28a6a19b4d56a74533a8eb5f706b9fd6d57");
}

#[test]
fn a_deposits_nonce_is_the_hash_of_channel_and_salt() {
    use alloy_sol_types::SolValue;
    let salt = U256::from(7);
    assert_eq!(typed::deposit_nonce(CHANNEL, salt), keccak256((CHANNEL, salt).abi_encode()));
}

#[test]
fn a_payment_of_version_2_is_read_whatever_else_it_carries() {
    let sent = json!({
        "payload": {
            "signature": "0x1234",
            "authorization": {
                "from": PAYER, "to": RECEIVER, "value": "10000", "validAfter": "0", "validBefore": "1900000000",
                "nonce": B256::repeat_byte(7), "extra": 1,
            },
        },
        "extensions": null, "newField": [1],
        "resource": { "url": "https://h/p", "description": null, "iconUrl": "x" },
        "accepted": offer(), "x402Version": 2,
    });
    let header = encode("the payment", &sent).unwrap();
    let payment = Payment::of_headers(Some(&header), None).unwrap().unwrap();
    let asked: Requirements = serde_json::from_value(offer()).unwrap();
    assert!(payment.is_for(&asked));
    let exact = payment.exact().unwrap();
    assert_eq!((exact.authorization.from, exact.authorization.value), (PAYER, 10_000));
    assert_eq!(exact.signature.len(), 2);
    let written = serde_json::to_value(&payment).unwrap();
    assert_eq!(written["accepted"]["amount"], "10000");
    assert_eq!(written["x402Version"], 2);
}

#[test]
fn an_echo_is_compared_by_value_and_may_know_more() {
    let asked: Requirements = serde_json::from_value(offer()).unwrap();
    let check = |change: fn(&mut Value), expected: bool| {
        let mut echoed = offer();
        change(&mut echoed);
        let echoed: Requirements = serde_json::from_value(echoed).unwrap();
        assert_eq!(asked.is_echoed_by(&echoed), expected, "{echoed:?}");
    };
    check(|_| {}, true);
    check(|it| it["asset"] = json!("0x036cbd53842c5426634e7929541ec2318f3dcf7e"), true);
    check(|it| it["extra"]["channelState"] = json!({}), true);
    check(|it| it["amount"] = json!("9999"), false);
    check(|it| it["network"] = json!("eip155:8453"), false);
    check(|it| it["payTo"] = json!(PAYER), false);
    check(|it| it["maxTimeoutSeconds"] = json!(61), false);
    check(|it| it["extra"]["name"] = json!("USD Coin"), false);
    check(|it| it["extra"] = Value::Null, false);
}

#[test]
fn one_402_serves_both_versions() {
    let required: PaymentRequired = serde_json::from_value(json!({
        "x402Version": 2, "error": "PAYMENT-SIGNATURE header is required",
        "resource": { "url": "https://h/p", "mimeType": "application/json" },
        "accepts": [
            offer(),
            { "scheme": "exact", "network": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "amount": "1", "asset": "E",
              "payTo": "P", "maxTimeoutSeconds": 60, "extra": {} },
            { "scheme": "exact", "network": "eip155:31337", "amount": "1", "asset": USDC, "payTo": PAYER,
              "maxTimeoutSeconds": 60 },
        ],
    }))
    .unwrap();
    assert_eq!(required.accepts.len(), 2, "what is for other chains is left out");
    let old = required.to_v1();
    assert_eq!(old.accepts.len(), 1, "version 1 has no name for 31337");
    let told = serde_json::to_value(&old).unwrap();
    assert_eq!(told["accepts"][0]["network"], "base-sepolia");
    assert_eq!(told["accepts"][0]["maxAmountRequired"], "10000");
    assert_eq!(old.accepts[0].to_v2().unwrap(), required.accepts[0]);
}

#[test]
fn payloads_of_batch_settlement_are_told_by_their_type() {
    let voucher = json!({ "channelId": CHANNEL, "maxClaimableAmount": "10000", "signature": SIGNATURE });
    let check = |value: Value| -> Option<BatchPayload> {
        let read: BatchPayload = serde_json::from_value(value.clone()).ok()?;
        assert_eq!(serde_json::to_value(&read).unwrap(), without_nulls(value));
        Some(read)
    };
    let config = serde_json::to_value(config()).unwrap();
    assert_eq!(config["withdrawDelay"], 900);
    let read = check(json!({ "type": "voucher", "channelConfig": config, "voucher": voucher }));
    assert!(matches!(read, Some(BatchPayload::Voucher { voucher, .. }) if voucher.max_claimable_amount == 10_000));
    let deposit = json!({ "amount": "50000", "authorization": { "erc3009Authorization": {
        "validAfter": "0", "validBefore": "1900000000", "salt": "0x7", "signature": "0x12" } } });
    let read = check(json!({ "type": "deposit", "channelConfig": config, "voucher": voucher, "deposit": deposit }));
    assert!(matches!(read, Some(BatchPayload::Deposit { deposit, .. }) if deposit.amount == 50_000));
    let read = check(json!({ "type": "refund", "channelConfig": config, "voucher": voucher, "amount": null }));
    assert!(matches!(read, Some(BatchPayload::Refund { amount: None, .. })));
    let row = json!({ "voucher": { "channel": config, "maxClaimableAmount": "10000" }, "signature": SIGNATURE,
        "totalClaimed": "9000" });
    let read = check(json!({ "type": "claim", "claims": [row] }));
    assert!(matches!(read, Some(BatchPayload::Claim { claims, .. }) if claims[0].total_claimed == 9_000));
    assert!(check(json!({ "type": "settle", "receiver": RECEIVER, "token": USDC })).is_some());
    assert!(check(json!({ "type": "steal", "receiver": RECEIVER })).is_none());
    assert!(check(json!({ "type": "voucher", "channelConfig": config })).is_none());
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, field| !field.is_null());
    }
    // Addresses are written in lower case here.
    serde_json::from_str(&value.to_string().replace("0x036CbD53842c5426634e7929541eC2318f3dCF7e", "")).unwrap()
}

#[test]
fn what_a_batch_offer_tells_is_found_again() {
    let told = BatchOffer {
        receiver_authorizer: AUTHORIZER,
        withdraw_delay: 3600,
        name: "USDC".into(),
        version: "2".into(),
        min_deposit: Some(5),
        channel_state: None,
        voucher_state: None,
    };
    let extra = told.to_extra();
    assert!(extra["withdrawDelay"].is_u64() && extra["minDeposit"].is_string());
    assert_eq!(BatchOffer::of_extra(&extra), Some(told));
}

#[test]
fn amounts_are_digits() {
    let check = |amount: Value, expected: bool| {
        let mut told = offer();
        told["amount"] = amount.clone();
        assert_eq!(serde_json::from_value::<Requirements>(told).is_ok(), expected, "{amount}");
    };
    check(json!("0"), true);
    check(json!("340282366920938463463374607431768211455"), true);
    for bad in [json!("340282366920938463463374607431768211456"), json!("+1"), json!("-1"), json!("1.0"), json!("")] {
        check(bad, false);
    }
    check(json!(1), false);
    check(json!("0x1"), false);
}

#[test]
fn answers_of_others_are_read_with_their_nulls() {
    let settled: SettleResponse = serde_json::from_value(json!({
        "success": true, "transaction": "0x12", "network": "eip155:84532", "payer": PAYER, "amount": null,
        "errorReason": null, "extra": null, "extensions": null, "status": "final",
    }))
    .unwrap();
    assert!(settled.success && settled.extra.is_empty());
    let verified: VerifyResponse =
        serde_json::from_value(json!({ "isValid": false, "invalidReason": "x", "payer": null })).unwrap();
    assert_eq!(verified.invalid_reason.as_deref(), Some("x"));
}

#[test]
fn a_facilitators_request_of_either_version_asks_the_same() {
    let v2 = json!({ "x402Version": 2, "paymentRequirements": offer(),
        "paymentPayload": { "x402Version": 2, "accepted": offer(), "payload": {} } });
    let required: PaymentRequired = serde_json::from_value(json!({
        "x402Version": 2, "resource": { "url": "u" }, "accepts": [offer()] }))
    .unwrap();
    let v1 = json!({ "x402Version": 1, "paymentRequirements": required.to_v1().accepts[0],
        "paymentPayload": { "x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": {} } });
    let read = |value| serde_json::from_value::<FacilitatorRequest>(value).unwrap();
    assert_eq!(read(v2).requirements().unwrap(), read(v1).requirements().unwrap());
}

#[test]
fn a_payments_name_is_plain() {
    let check = |id: Value, expected: Option<Option<&str>>| {
        let all = json!({ "payment-identifier": { "info": { "required": false, "id": id } } });
        let found = payment_identifier(all.as_object());
        assert_eq!(found.ok(), expected, "{id}");
    };
    check(json!("pay_1234567890-ab"), Some(Some("pay_1234567890-ab")));
    check(Value::Null, Some(None));
    check(json!("short"), None);
    check(json!("sixteen letters!"), None);
    check(json!(12), None);
    assert_eq!(payment_identifier(None).unwrap(), None);
}

#[test]
fn a_page_is_what_was_asked_for() {
    let one = |scheme: &str, number: u64| DiscoveredResource {
        resource: format!("https://h/{number}"),
        kind: "http".into(),
        x402_version: Version,
        accepts: vec![Requirements {
            scheme: scheme.into(),
            ..serde_json::from_value::<Requirements>(offer()).unwrap()
        }],
        last_updated: number,
        metadata: Default::default(),
    };
    let all = || (0..300).map(|number| one(if number % 2 == 0 { "exact" } else { "batch-settlement" }, number));
    let query =
        DiscoveryQuery { scheme: Some("exact".into()), limit: Some(1000), offset: Some(149), ..Default::default() };
    let page = DiscoveryPage::of(all(), &query);
    assert_eq!((page.items.len(), page.pagination.limit, page.pagination.total), (1, LISTED_MAX, 150));
    let wrong = DiscoveryQuery { network: Some(Network(8453)), ..Default::default() };
    assert!(DiscoveryPage::of(all(), &wrong).items.is_empty());
}

#[test]
fn what_is_too_long_is_not_read() {
    let long = "A".repeat(HEADER_BYTES_MAX + 4);
    assert!(decode::<Value>("x", &long).unwrap_err().to_string().contains("shorten it"));
    assert!(encode("x", &long).is_err());
    assert!(decode::<Value>("x", "eyJ9").is_err());
    assert!(decode::<Value>("x", "e30").is_err(), "padding is part of it");
}

proptest! {
    #[test]
    fn nothing_that_arrives_breaks_the_reader(header in ".{0,300}", json in "[\\[\\]{}\",:a-z0-9 ]{0,200}") {
        let _ = Payment::of_headers(Some(&header), Some(&header));
        let coded = encode("x", &json).unwrap();
        let _ = decode::<PaymentRequired>("x", &coded);
        let _ = serde_json::from_str::<FacilitatorRequest>(&json);
        let _ = serde_json::from_str::<BatchPayload>(&json);
        let _: Result<Network, _> = header.parse();
    }

    #[test]
    fn fields_of_any_kind_are_read_or_refused(at in 0_usize..9, with in 0_usize..6) {
        let fields = ["x402Version", "accepted", "payload", "extensions", "resource", "scheme", "network", "amount",
            "extra"];
        let values = [Value::Null, json!(-1), json!(1e300), json!("x"), json!([[]]), json!({ "a": {} })];
        let mut sent = json!({ "x402Version": 2, "accepted": offer(), "payload": {} });
        sent["accepted"][fields[at]] = values[with].clone();
        sent[fields[at]] = values[with].clone();
        if let Ok(payment) = Payment::of_json(sent) {
            let _ = (payment.exact(), payment.batch(), payment.network());
        }
    }

    #[test]
    fn vouchers_have_one_digest(channel: [u8; 32], amount: u128) {
        let domain = typed::batch_domain(84_532, typed::BATCH_SETTLEMENT);
        let voucher = typed::Voucher { channelId: channel.into(), maxClaimableAmount: amount };
        let fields = VoucherFields {
            channel_id: channel.into(),
            max_claimable_amount: amount,
            signature: SIGNATURE.parse().unwrap(),
        };
        prop_assert_eq!(VoucherFields::of_frame(&fields.to_frame()), fields);
        prop_assert_eq!(
            typed::voucher_digest(&domain.separator(), &channel.into(), amount),
            voucher.eip712_signing_hash(&domain)
        );
    }
}

#[test]
fn an_echoed_offer_spells_addresses_as_official_servers_do() {
    let offer = Requirements {
        scheme: EXACT.into(),
        network: Network(84_532),
        amount: 1,
        asset: USDC,
        pay_to: RECEIVER,
        max_timeout_seconds: 60,
        extra: serde_json::Map::new(),
    };
    let told = serde_json::to_value(&offer).unwrap();
    assert_eq!(told["asset"], "0x036CbD53842c5426634e7929541eC2318f3dCF7e");
    assert_eq!(told["payTo"], "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
}
