//! What was signed is brought to its end whether somebody waits or not, and what reverted is tried again.

use std::time::Duration;

use alloy_primitives::{B256, Bytes, U256};
use chain::{Call, Teller, Wallet, calls};
use market::{Amount, Seconds};
use payments::PaymentsError;
use payments::exact::Paid;
use payments::facilitator::{FollowConfig, Limits, Sender, Sent};
use store::SendState;
use testkit::eventually;
use wire::x402::{FacilitatorRequest, reason};

use crate::shop::{PRICE, Shop};

const SOON: Duration = Duration::from_secs(20);
const BOUND: B256 = B256::repeat_byte(1);

/// Sends with a key of its own.
async fn sender(shop: &Shop) -> (Sender, Teller) {
    let key = Wallet::random();
    shop.market.dev.fund(key.address(), U256::from(10).pow(U256::from(18))).await.unwrap();
    let teller = Teller::new(shop.market.chain.clone(), key);
    (Sender::new(teller.clone(), shop.store.clone(), Shop::impatient()), teller)
}

fn approve(shop: &Shop, amount: u128) -> Call {
    calls::erc20::approve(shop.token.address(), shop.receiver, Amount(amount))
}

async fn state(shop: &Shop, purpose: &str) -> SendState {
    shop.store.send(purpose).await.unwrap().unwrap().state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_forgot_goes_out_again_though_nobody_waits() {
    let shop = Shop::open().await;
    let (sender, _) = sender(&shop).await;
    shop.market.dev.automine(false).await.unwrap();
    let sent = sender.carry_out("first", &approve(&shop, 1)).await.unwrap();
    assert!(matches!(sent, Sent::Unknown { .. }), "{sent:?}");
    shop.market.dev.drop_pending().await.unwrap();
    shop.market.dev.automine(true).await.unwrap();
    eventually(SOON, async || matches!(state(&shop, "first").await, SendState::Mined { .. }).then_some(())).await;
    // Nothing is left before the next one.
    let sent = sender.carry_out("second", &approve(&shop, 2)).await.unwrap();
    assert!(matches!(sent, Sent::Done(_)), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purpose_whose_nonce_went_to_another_is_tried_again_once_that_is_final() {
    let shop = Shop::open().await;
    let (sender, teller) = sender(&shop).await;
    let taken = teller.prepare(&approve(&shop, 7), 0).await.unwrap();
    shop.market.dev.automine(false).await.unwrap();
    let sent = sender.carry_out("mine", &approve(&shop, 1)).await.unwrap();
    drop(sender);
    let Sent::Unknown { tx } = sent else { panic!("{sent:?}") };
    shop.market.dev.drop_pending().await.unwrap();
    teller.send(&taken.raw).await.unwrap();
    shop.market.dev.automine(true).await.unwrap();
    assert_eq!(teller.receipt(tx).await.unwrap(), None);
    let sender = Sender::new(teller, shop.store.clone(), Shop::impatient());
    let lost = async || {
        shop.market.dev.mine(50).await.unwrap();
        (state(&shop, "mine").await == SendState::Lost).then_some(())
    };
    eventually(SOON, lost).await;
    assert!(!sender.begun("mine").await.unwrap());
    let sent = sender.carry_out("mine", &approve(&shop, 1)).await.unwrap();
    assert!(matches!(sent, Sent::Done(_)), "{sent:?}");
    assert_eq!(sender.peek("mine").await.unwrap(), Some(sent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_reverted_can_be_taken_when_it_works_again() {
    let mut shop = Shop::open().await;
    shop.again(Shop::impatient()).await;
    let (payment, offer, now) = (shop.signed().await, shop.offer(), shop.now().await);
    let settle = async || -> Result<Paid, PaymentsError> { shop.exact.settle(&payment, &offer, BOUND, now).await };
    shop.market.dev.automine(false).await.unwrap();
    assert!(matches!(settle().await, Err(PaymentsError::Unknown { .. })));
    // Its payer becomes a contract that accepts no signatures, until the block is mined.
    let delegated = [&[0xef, 0x01, 0x00][..], shop.token.address().as_slice()].concat();
    shop.market.dev.replace_code(shop.payer.address(), Bytes::from(delegated)).await.unwrap();
    shop.market.dev.mine(1).await.unwrap();
    shop.market.dev.automine(true).await.unwrap();
    assert_eq!(settle().await.unwrap_err().into_refusal().unwrap().code, reason::EXACT_FAILED);
    shop.market.dev.replace_code(shop.payer.address(), Bytes::new()).await.unwrap();
    settle().await.unwrap();
    assert_eq!(shop.received().await, PRICE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_leave_half_of_the_days_gas_to_what_is_owed() {
    let shop = Shop::open().await;
    let (_, teller) = sender(&shop).await;
    let most = teller.prepare(&approve(&shop, 1), 0).await.unwrap().most_wei().unwrap();
    let sender = Sender::capped(teller, shop.store.clone(), FollowConfig::default(), most * 3 / 2);
    let refused = sender.carry_out_spare("theirs", &approve(&shop, 1)).await.unwrap_err();
    assert!(matches!(refused, PaymentsError::GasSpent { .. }), "{refused}");
    let sent = sender.carry_out("owed", &approve(&shop, 1)).await.unwrap();
    assert!(matches!(sent, Sent::Done(_)), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_of_long_ago_is_settled_for_nobody_again() {
    let shop = Shop::open().await;
    let facilitator = shop.facilitator(Limits::default());
    let request = FacilitatorRequest {
        x402_version: 2,
        payment_payload: shop.signed().await,
        payment_requirements: serde_json::to_value(shop.offer()).unwrap(),
    };
    let first = facilitator.settle(&request, shop.now().await).await.unwrap();
    assert!(first.success, "{first:?}");
    shop.market.advance(Seconds(payments::layer::REPEATED_FOR_S)).await.unwrap();
    let late = facilitator.settle(&request, shop.now().await).await.unwrap();
    assert_eq!((late.success, late.error_reason.as_deref()), (false, Some(reason::EXACT_NONCE_USED)));
}
