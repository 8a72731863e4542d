//! One authorization, one payment: whoever submits it, however often it is asked, whatever breaks in between.

use alloy_primitives::{B256, Bytes, U256};
use chain::calls::erc20::{Authorized, transfer_with_authorization};
use market::Seconds;
use payments::{PaymentsError, facilitator::FollowConfig};
use store::{PaymentKey, PaymentRow, PaymentState};
use wire::x402::{Payment, reason};

use crate::shop::{PRICE, Shop};

const BOUND: B256 = B256::repeat_byte(1);

fn code(result: Result<payments::exact::Paid, PaymentsError>) -> &'static str {
    result.unwrap_err().into_refusal().unwrap().code
}

/// Changes the payload of a payment.
fn forged(payment: &Payment, change: impl FnOnce(&mut serde_json::Value)) -> Payment {
    let Payment::V2(mut payment) = payment.clone() else { panic!("it is of version 2") };
    change(&mut payment.payload);
    Payment::V2(payment)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_authorization_in_parallel_pays_once_for_one_thing() {
    let shop = Shop::open().await;
    let (payment, offer, now) = (shop.signed().await, shop.offer(), shop.now().await);
    let (one, other, elsewhere) = tokio::join!(
        shop.exact.settle(&payment, &offer, BOUND, now),
        shop.exact.settle(&payment, &offer, BOUND, now),
        shop.exact.settle(&payment, &offer, B256::repeat_byte(2), now),
    );
    let mut ends = vec![one, other, elsewhere];
    ends.retain(|end| end.is_err());
    // Whichever came first is what was paid for; the other thing is refused, to both who asked or to the one.
    assert!(matches!(ends.len(), 1 | 2), "{ends:?}");
    for end in ends {
        assert_eq!(code(end), reason::EXACT_NONCE_USED);
    }
    assert_eq!(shop.received().await, PRICE, "the money moved once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_asked_for_again_and_costs_nothing() {
    let mut shop = Shop::open().await;
    let (payment, offer, now) = (shop.signed().await, shop.offer(), shop.now().await);
    let first = shop.exact.settle(&payment, &offer, BOUND, now).await.unwrap();
    assert_eq!(shop.exact.settle(&payment, &offer, BOUND, now).await.unwrap(), first);
    shop.again(FollowConfig::default()).await;
    shop.market.advance(Seconds(3600)).await.unwrap();
    let later = shop.now().await;
    assert_eq!(shop.exact.settle(&payment, &offer, BOUND, later).await.unwrap(), first, "after its end too");
    assert_eq!(shop.received().await, PRICE);
    assert_eq!(code(shop.exact.settle(&payment, &offer, B256::ZERO, later).await), reason::EXACT_NONCE_USED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_outcome_is_no_refusal_and_no_second_payment() {
    let mut shop = Shop::open().await;
    shop.again(Shop::impatient()).await;
    let (payment, offer, now) = (shop.signed().await, shop.offer(), shop.now().await);
    shop.market.dev.automine(false).await.unwrap();
    let error = shop.exact.settle(&payment, &offer, BOUND, now).await.unwrap_err();
    let PaymentsError::Unknown { tx } = error else { panic!("{error}") };
    // The node forgets it, the process dies: the bytes on disk go out again.
    shop.market.dev.drop_pending().await.unwrap();
    shop.market.dev.automine(true).await.unwrap();
    shop.again(FollowConfig::default()).await;
    let paid = shop.exact.settle(&payment, &offer, BOUND, now).await.unwrap();
    assert_eq!(paid.tx, tx);
    assert_eq!(shop.received().await, PRICE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_who_is_quicker_pays_for_the_payer() {
    let shop = Shop::open().await;
    let (payment, offer, now) = (shop.signed().await, shop.offer(), shop.now().await);
    let payload = payment.exact().unwrap();
    let told = payload.authorization.typed();
    let what = Authorized {
        from: told.from,
        to: told.to,
        value: told.value,
        valid_after: told.validAfter,
        valid_before: told.validBefore,
        nonce: told.nonce,
    };
    let call = transfer_with_authorization(shop.token.address(), &what, payload.signature);
    let theirs = shop.market.stranger.execute(&call).await.unwrap();
    let paid = shop.exact.settle(&payment, &offer, BOUND, now).await.unwrap();
    assert_eq!(paid.tx, theirs.tx);
    assert_eq!(shop.received().await, PRICE);
    assert_eq!(code(shop.exact.settle(&payment, &offer, B256::ZERO, now).await), reason::EXACT_NONCE_USED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_use_whose_log_is_not_found_is_unknown_and_no_refusal() {
    let shop = Shop::open().await;
    let (payment, offer, now) = (shop.signed().await, shop.offer(), shop.now().await);
    let payload = payment.exact().unwrap();
    let told = payload.authorization.typed();
    let what = Authorized {
        from: told.from,
        to: told.to,
        value: told.value,
        valid_after: told.validAfter,
        valid_before: told.validBefore,
        nonce: told.nonce,
    };
    let call = transfer_with_authorization(shop.token.address(), &what, payload.signature);
    shop.market.stranger.execute(&call).await.unwrap();
    // The node has no log of it where it is looked for.
    let row = PaymentRow {
        key: PaymentKey { chain_id: offer.network.0, token: shop.token.address(), payer: told.from, nonce: told.nonce },
        bound: BOUND,
        pay_to: told.to,
        amount: PRICE,
        begun_at: now,
        from_block: shop.market.chain.head().await.unwrap().number + 1,
        valid_before: now,
        state: PaymentState::Reserved,
    };
    shop.store.reserve_payment(&row).await.unwrap();
    let error = shop.exact.settle(&payment, &offer, BOUND, now).await.unwrap_err();
    assert!(matches!(error, PaymentsError::NotFound { .. }) && error.is_retryable(), "{error}");
    assert!(shop.exact.begun(&payment.exact().unwrap()).await.unwrap(), "nothing is known to have failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_pay_this_is_refused_before_anything_is_sent() {
    let shop = Shop::open().await;
    let (payment, offer, now) = (shop.signed().await, shop.offer(), shop.now().await);
    let check = async |payment: Payment, expected: &str| {
        assert_eq!(code(shop.exact.settle(&payment, &offer, BOUND, now).await), expected);
    };
    let told = "authorization";
    check(forged(&payment, |it| it[told]["value"] = "9999".into()), reason::EXACT_VALUE).await;
    let stranger = shop.market.stranger.address().to_string();
    check(forged(&payment, |it| it[told]["to"] = stranger.clone().into()), reason::EXACT_RECIPIENT).await;
    check(forged(&payment, |it| it[told]["validBefore"] = now.0.to_string().into()), reason::EXACT_VALID_BEFORE).await;
    let tomorrow = (now.0 + 86_400).to_string();
    check(forged(&payment, |it| it[told]["validAfter"] = tomorrow.into()), reason::EXACT_VALID_AFTER).await;
    let other = B256::repeat_byte(9).to_string();
    check(forged(&payment, |it| it[told]["nonce"] = other.into()), reason::EXACT_SIGNATURE).await;
    check(forged(&payment, |it| it["signature"] = "0x12".into()), reason::EXACT_SIGNATURE).await;
    check(forged(&payment, |it| it["signature"] = 1.into()), reason::INVALID_PAYLOAD).await;
    let wrong_domain = wire::x402::Requirements {
        extra: [("name".into(), "USD Coin".into()), ("version".into(), "2".into())].into_iter().collect(),
        ..offer.clone()
    };
    let nonce = B256::repeat_byte(5);
    let signed = payments::client::exact(&shop.payer, &wrong_domain, PRICE, nonce, now).unwrap();
    let Payment::V2(mut signed) = signed else { panic!("it is of version 2") };
    signed.accepted = offer.clone();
    check(Payment::V2(signed), reason::EXACT_SIGNATURE).await;
    let poor = chain::Wallet::random();
    check(payments::client::exact(&poor, &offer, PRICE, nonce, now).unwrap(), reason::EXACT_BALANCE).await;
    assert_eq!(shop.received().await, 0);
    // None of this has used the authorization up.
    shop.exact.settle(&payment, &offer, BOUND, now).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_that_becomes_a_contract_pays_nothing_by_its_old_key() {
    let shop = Shop::open().await;
    let (payment, offer, now) = (shop.signed().await, shop.offer(), shop.now().await);
    shop.exact.verify(&payment, &offer, now).await.unwrap();
    // EIP-7702: the key delegates to a contract that accepts no signatures.
    let delegated = [&[0xef, 0x01, 0x00][..], shop.token.address().as_slice()].concat();
    shop.market.dev.replace_code(shop.payer.address(), Bytes::from(delegated)).await.unwrap();
    assert_eq!(code(shop.exact.settle(&payment, &offer, BOUND, now).await), reason::EXACT_SIMULATION);
    assert_eq!(shop.received().await, 0);
    shop.market.dev.replace_code(shop.payer.address(), Bytes::new()).await.unwrap();
    shop.exact.settle(&payment, &offer, BOUND, now).await.unwrap();
    assert_eq!(shop.received().await, PRICE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_1_pays_the_same() {
    let shop = Shop::open().await;
    let (offer, now) = (shop.offer(), shop.now().await);
    let nonce = B256::from(U256::from(77));
    let payment = payments::client::exact_v1(&shop.payer, &offer, PRICE, nonce, now).unwrap();
    shop.exact.settle(&payment, &offer, BOUND, now).await.unwrap();
    assert_eq!(shop.received().await, PRICE);
}
