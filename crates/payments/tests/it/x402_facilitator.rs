//! What is asked of the facilitator again costs nobody's gas again, and what is forged costs nobody's at all.

use alloy_primitives::{B256, U256};
use payments::channel::row_of;
use payments::client::PayerChannel;
use payments::exact::EXACT_GAS;
use payments::facilitator::{CLAIM_GAS, CLAIM_ROW_GAS, DAY_S, Facilitator, Limits, REFUND_GAS};
use serde_json::Value;
use wire::x402::{
    BatchPayload, FacilitatorRequest, Payment, Requirements, SettleResponse, VoucherClaim, reason, typed,
};

use crate::shop::{PRICE, Shop};

const DEPOSIT: u128 = 100 * PRICE;

async fn settle(shop: &Shop, facilitator: &Facilitator, payment: &Payment, offer: &Requirements) -> SettleResponse {
    let request = FacilitatorRequest {
        x402_version: 2,
        payment_payload: payment.clone(),
        payment_requirements: serde_json::to_value(offer).unwrap(),
    };
    facilitator.settle(&request, shop.now().await).await.unwrap()
}

/// Gas and calls of somebody's day.
async fn spent(shop: &Shop, of: alloy_primitives::Address) -> (u64, u64) {
    shop.store.gas_spent(of, shop.now().await.0 / DAY_S).await.unwrap()
}

/// The same payment with another payload.
fn with(payment: &Payment, payload: &BatchPayload) -> Payment {
    let Payment::V2(mut payment) = payment.clone() else { panic!("it is of version 2") };
    payment.payload = serde_json::to_value(payload).unwrap();
    Payment::V2(payment)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_is_asked_about_again_takes_its_gas_once() {
    let shop = Shop::open().await;
    let facilitator = shop.facilitator(Limits { gas_a_day: EXACT_GAS, ..Limits::default() });
    let payment = shop.signed().await;
    let first = settle(&shop, &facilitator, &payment, &shop.offer()).await;
    assert!(first.success, "{first:?}");
    for _ in 0..3 {
        assert_eq!(settle(&shop, &facilitator, &payment, &shop.offer()).await, first);
    }
    assert_eq!(spent(&shop, shop.payer.address()).await, (EXACT_GAS, 1));
    let another = settle(&shop, &facilitator, &shop.signed().await, &shop.offer()).await;
    assert_eq!(another.error_reason.as_deref(), Some(reason::GAS_BUDGET), "the day's gas is used up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_worth_its_gas_is_not_moved() {
    let shop = Shop::open().await;
    let nothing = Requirements { amount: 0, ..shop.offer() };
    let nonce = B256::repeat_byte(6);
    let payment = payments::client::exact(&shop.payer, &nothing, PRICE, nonce, shop.now().await).unwrap();
    let refused = settle(&shop, &shop.facilitator(Limits::default()), &payment, &nothing).await;
    assert_eq!(refused.error_reason.as_deref(), Some(reason::INVALID_REQUIREMENTS), "{refused:?}");
    // A coin so dear that a gas of one wei is worth more than is paid.
    let dear = shop.facilitator(Limits { coin: Some(10_u128.pow(18)), ..Limits::default() });
    let refused = settle(&shop, &dear, &shop.signed().await, &shop.offer()).await;
    assert_eq!(refused.error_reason.as_deref(), Some(reason::INVALID_REQUIREMENTS), "{refused:?}");
    let deposit = shop.channel_of(&shop.payer, 1).deposit(DEPOSIT, PRICE, U256::from(1), shop.now().await).unwrap();
    let refused = settle(&shop, &dear, &deposit, &shop.channel_offer()).await;
    assert_eq!(refused.error_reason.as_deref(), Some(reason::BATCH_MIN_DEPOSIT), "{refused:?}");
    assert_eq!((shop.received().await, spent(&shop, shop.payer.address()).await), (0, (0, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_can_use_up_the_gas_of_another() {
    let shop = Shop::open().await;
    let facilitator = shop.facilitator(Limits::default());
    let Payment::V2(mut forged) = shop.signed().await else { panic!("it is of version 2") };
    forged.payload["authorization"]["nonce"] = Value::from(B256::repeat_byte(8).to_string());
    let refused = settle(&shop, &facilitator, &Payment::V2(forged), &shop.offer()).await;
    assert_eq!(refused.error_reason.as_deref(), Some(reason::EXACT_SIGNATURE));
    let state = shop.fill(&shop.channel_of(&shop.payer, 1), DEPOSIT).await;
    let row = row(&shop, &state).await;
    let claim = BatchPayload::Claim { claims: vec![row.clone()], claim_authorizer_signature: Some(row.signature) };
    let payment = with(&shop.signed().await, &claim);
    let payment = accepted(&payment, &shop.channel_offer());
    let refused = settle(&shop, &facilitator, &payment, &shop.channel_offer()).await;
    assert_eq!(refused.error_reason.as_deref(), Some(reason::BATCH_CLAIM_SIMULATION), "{refused:?}");
    assert_eq!((spent(&shop, shop.payer.address()).await, spent(&shop, shop.receiver).await), ((0, 0), (0, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_a_payout_and_a_refund_are_done_once_and_told_again() {
    let shop = Shop::open().await;
    let facilitator = shop.facilitator(Limits::default());
    let offer = shop.channel_offer();
    let state = shop.fill(&shop.channel_of(&shop.payer, 1), DEPOSIT).await;
    let row = row(&shop, &state).await;
    let blank = accepted(&shop.signed().await, &offer);
    let entry = typed::ClaimEntry {
        channelId: state.id,
        maxClaimableAmount: row.voucher.max_claimable_amount,
        totalClaimed: row.total_claimed,
    };
    let leave = shop.key.sign_digest(typed::digest(&state.separator, &typed::ClaimBatch { claims: vec![entry] }));
    let claim = BatchPayload::Claim { claims: vec![row], claim_authorizer_signature: Some(leave.unwrap()) };
    let payout = BatchPayload::Settle { receiver: shop.receiver, token: shop.token.address() };
    let nonce = shop.batch.look(state.id).await.unwrap().refund_nonce;
    let amount = 10 * PRICE;
    let refund = typed::Refund { channelId: state.id, nonce: U256::from(nonce), amount };
    let seen = shop.batch.look(state.id).await.unwrap();
    let payer = PayerChannel::new(shop.payer.clone(), offer.clone(), B256::repeat_byte(1), seen, PRICE).unwrap();
    let BatchPayload::Refund { channel_config, voucher, .. } = payer.refund(None).unwrap().batch().unwrap() else {
        panic!("a refund is no refund");
    };
    let refund = BatchPayload::Refund {
        channel_config,
        voucher,
        amount: Some(amount),
        refund_nonce: Some(nonce),
        claims: Vec::new(),
        refund_authorizer_signature: Some(shop.key.sign_digest(typed::digest(&state.separator, &refund)).unwrap()),
        claim_authorizer_signature: None,
    };
    for payload in [claim, payout, refund] {
        let first = settle(&shop, &facilitator, &with(&blank, &payload), &offer).await;
        assert!(first.success, "{first:?}");
        let again = settle(&shop, &facilitator, &with(&blank, &payload), &offer).await;
        assert_eq!((again.success, again.transaction), (true, first.transaction));
    }
    assert_eq!(shop.received().await, PRICE);
    assert_eq!(shop.batch.look(state.id).await.unwrap().balance, DEPOSIT - amount);
    assert_eq!(spent(&shop, shop.receiver).await, (chain::calls::x402::SETTLE_GAS, 1));
    assert_eq!(spent(&shop, shop.key.address()).await, (CLAIM_GAS + CLAIM_ROW_GAS, 1), "who signed the claim");
    assert_eq!(spent(&shop, shop.payer.address()).await, (REFUND_GAS, 1));
}

/// A row that claims the first cent of a channel.
async fn row(shop: &Shop, state: &payments::channel::ChannelState) -> VoucherClaim {
    let digest = typed::voucher_digest(&state.separator, &state.id, PRICE);
    let signature = shop.payer.sign_digest(digest).unwrap();
    let voucher = wire::x402::VoucherFields { channel_id: state.id, max_claimable_amount: PRICE, signature };
    row_of(&shop.desk.take(&voucher, PRICE, shop.now().await.0).await.unwrap().state).unwrap()
}

/// The same payment by another offer.
fn accepted(payment: &Payment, offer: &Requirements) -> Payment {
    let Payment::V2(mut payment) = payment.clone() else { panic!("it is of version 2") };
    payment.accepted = offer.clone();
    Payment::V2(payment)
}
