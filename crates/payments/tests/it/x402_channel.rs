//! Channels on a real chain: what was promised is claimed, and whoever leaves is not served.

use std::time::Duration;

use alloy_primitives::U256;
use chain::{Channels, Wallet, calls::x402 as calls, canonical};
use market::{Amount, Seconds};
use payments::channel::{CLAIM_ROWS_MAX, ChannelRefusal, ChannelState, ClaimPolicy, Desk, row_of};
use payments::client::PayerChannel;
use payments::facilitator::{Batch, Claimer, DEPOSIT_GAS, FollowConfig, Limits, Sender};
use payments::{PaymentsError, channel::Taken};
use testkit::eventually;
use tokio_util::sync::CancellationToken;
use wire::x402::{FacilitatorRequest, VoucherFields, reason};

use crate::shop::{PRICE, Shop};

const DEPOSIT: u128 = 100 * PRICE;
/// Claims whatever there is.
const AT_ONCE: ClaimPolicy = ClaimPolicy { at: 1, after_s: 0 };

fn voucher(shop: &Shop, state: &ChannelState, total: u128) -> VoucherFields {
    let digest = wire::x402::typed::voucher_digest(&state.separator, &state.id, total);
    let signature = shop.payer.sign_digest(digest).unwrap();
    VoucherFields { channel_id: state.id, max_claimable_amount: total, signature }
}

async fn pay(shop: &Shop, desk: &Desk, state: &ChannelState) -> Result<Taken, PaymentsError> {
    desk.take(&voucher(shop, state, state.charged + PRICE), PRICE, shop.now().await.0).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_survives_the_process_and_is_claimed_and_paid() {
    let mut shop = Shop::open().await;
    let channel = shop.channel_of(&shop.payer, 1);
    let mut state = shop.fill(&channel, DEPOSIT).await;
    for _ in 0..3 {
        state = pay(&shop, &shop.desk, &state).await.unwrap().state;
    }
    shop.again(FollowConfig::default()).await;
    let (kept, _) = shop.desk.channel(state.id).await.unwrap().unwrap();
    assert_eq!((kept.charged, kept.signature), (3 * PRICE, state.signature));
    let refused = shop.desk.take(&voucher(&shop, &state, PRICE), PRICE, shop.now().await.0).await.unwrap_err();
    assert!(matches!(refused, PaymentsError::Channel(ChannelRefusal::Cumulative { .. })), "an old one: {refused}");

    let claimer = shop.claimer(AT_ONCE);
    assert_eq!(claimer.claim_due(shop.now().await).await.unwrap(), [state.id]);
    assert!(claimer.claim_due(shop.now().await).await.unwrap().is_empty(), "once");
    let (_, amount) = shop.batch.settle(shop.receiver, shop.token.address()).await.unwrap();
    assert_eq!((amount, shop.received().await), (3 * PRICE, 3 * PRICE));
    let again = shop.batch.settle(shop.receiver, shop.token.address()).await.unwrap_err();
    assert_eq!(again.into_refusal().unwrap().code, reason::BATCH_NOTHING_TO_SETTLE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_to_withdraw_is_claimed_at_once_and_served_no_more() {
    let shop = Shop::open().await;
    let channel = shop.channel_of(&shop.payer, 1);
    let state = shop.fill(&channel, DEPOSIT).await;
    let state = pay(&shop, &shop.desk, &state).await.unwrap().state;
    let from = shop.market.chain.head().await.unwrap().number;
    let leaves = calls::initiate_withdraw(canonical::BATCH_SETTLEMENT, &state.config.typed(), DEPOSIT - PRICE);
    shop.account(&shop.payer).execute(&leaves).await.unwrap();

    // A policy under which nothing would be due.
    let claimer = shop.claimer(ClaimPolicy { at: u128::MAX, after_s: u64::MAX });
    assert!(claimer.watch(from, shop.now().await).await.unwrap() > from);
    let refused = pay(&shop, &shop.desk, &state).await.unwrap_err();
    assert!(matches!(refused, PaymentsError::Channel(ChannelRefusal::Withdrawing { .. })), "{refused}");
    assert_eq!(claimer.claim_due(shop.now().await).await.unwrap(), [state.id]);
    assert_eq!(shop.batch.look(state.id).await.unwrap().claimed, PRICE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_whose_event_was_missed_is_found_when_the_state_is_old() {
    let shop = Shop::open().await;
    let channel = shop.channel_of(&shop.payer, 1);
    let state = pay(&shop, &shop.desk, &shop.fill(&channel, DEPOSIT).await).await.unwrap().state;
    let leaves = calls::initiate_withdraw(canonical::BATCH_SETTLEMENT, &state.config.typed(), DEPOSIT - PRICE);
    shop.account(&shop.payer).execute(&leaves).await.unwrap();
    shop.market.advance(Seconds(state.fresh_s() + 1)).await.unwrap();
    let refused = pay(&shop, &shop.desk, &state).await.unwrap_err();
    assert!(matches!(refused, PaymentsError::Channel(ChannelRefusal::Stale { .. })), "{refused}");
    let claimer = shop.claimer(ClaimPolicy { at: u128::MAX, after_s: u64::MAX });
    assert_eq!(claimer.claim_due(shop.now().await).await.unwrap(), [state.id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claimer_that_runs_claims_for_those_who_leave_and_ends_when_told() {
    let shop = Shop::open().await;
    let state = shop.fill(&shop.channel_of(&shop.payer, 1), DEPOSIT).await;
    let state = pay(&shop, &shop.desk, &state).await.unwrap().state;
    let claimer = shop.claimer(ClaimPolicy { at: u128::MAX, after_s: u64::MAX });
    let (shutdown, every) = (CancellationToken::new(), Duration::from_millis(20));
    let runs = tokio::spawn(claimer.run(every, shutdown.clone()));
    let leaves = calls::initiate_withdraw(canonical::BATCH_SETTLEMENT, &state.config.typed(), DEPOSIT - PRICE);
    shop.account(&shop.payer).execute(&leaves).await.unwrap();
    let claimed = async || (shop.batch.look(state.id).await.unwrap().claimed == PRICE).then_some(());
    eventually(Duration::from_secs(20), claimed).await;
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(5), runs).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_row_keeps_nobody_else_unpaid() {
    let shop = Shop::open().await;
    let mut rows = Vec::new();
    for salt in 1..=3 {
        let channel = shop.channel_of(&shop.payer, salt);
        let state = shop.fill(&channel, DEPOSIT).await;
        rows.extend(row_of(&pay(&shop, &shop.desk, &state).await.unwrap().state));
    }
    // One claims more than was signed.
    rows[1].total_claimed += 1;
    let good =
        [rows[0].voucher.channel.id(&shop.batch.separator()), rows[2].voucher.channel.id(&shop.batch.separator())];
    assert_eq!(shop.batch.claim(&rows).await.unwrap(), good);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_fails_holds_up_no_other() {
    let shop = Shop::open().await;
    let mut states = Vec::new();
    for salt in 1..=u8::try_from(CLAIM_ROWS_MAX).unwrap() + 1 {
        let state = shop.fill(&shop.channel_of(&shop.payer, salt), DEPOSIT / 10).await;
        states.push(pay(&shop, &shop.desk, &state).await.unwrap().state);
    }
    states.sort_by_key(|state| state.id);
    // The transaction of the first page is not mined in time.
    let rows: Vec<_> = states.iter().take(CLAIM_ROWS_MAX).filter_map(row_of).collect();
    let last = states.last().unwrap().id;
    let waits = Shop::impatient();
    let slow = Batch::new(
        Channels::open(shop.market.chain.clone(), canonical::BATCH_SETTLEMENT).await.unwrap(),
        shop.token.clone(),
        Sender::new(shop.batch.sender().teller().clone(), shop.store.clone(), waits),
    )
    .unwrap();
    shop.market.dev.automine(false).await.unwrap();
    let error = slow.claim(&rows).await.unwrap_err();
    assert!(matches!(error, PaymentsError::Unknown { .. }), "{error}");
    let claimer = Claimer::new(slow, shop.desk.clone(), shop.store.clone(), AT_ONCE);
    let now = shop.now().await;
    let claims = tokio::spawn(async move { claimer.claim_due(now).await });
    let of_last = async || {
        (shop.store.sends_open(shop.key.address(), shop.market.chain.id()).await.unwrap().len() == 2).then_some(())
    };
    eventually(Duration::from_secs(20), of_last).await;
    shop.market.dev.mine(1).await.unwrap();
    claims.await.unwrap().ok();
    assert_eq!(shop.batch.look(last).await.unwrap().claimed, PRICE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deposit_counts_once_however_often_it_is_asked_for() {
    let shop = Shop::open().await;
    let facilitator = shop.facilitator(Limits::default());
    let channel = shop.channel_of(&shop.payer, 1);
    let now = shop.now().await;
    let payment = channel.deposit(DEPOSIT, PRICE, U256::from(1), now).unwrap();
    let request = FacilitatorRequest {
        x402_version: 2,
        payment_payload: payment,
        payment_requirements: serde_json::to_value(shop.channel_offer()).unwrap(),
    };
    let verified = facilitator.verify(&request, now).await.unwrap();
    assert!(verified.is_valid, "{verified:?}");
    let first = facilitator.settle(&request, now).await.unwrap();
    assert!(first.success, "{first:?}");
    let again = facilitator.settle(&request, now).await.unwrap();
    assert_eq!(again.transaction, first.transaction);
    assert_eq!(shop.batch.look(channel.state().id).await.unwrap().balance, DEPOSIT);
    assert_eq!(again.extra["channelState"]["balance"], DEPOSIT.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dust_and_loops_end_with_the_days_gas() {
    let shop = Shop::open().await;
    let limits = Limits { gas_a_day: 2 * DEPOSIT_GAS, ..Limits::default() };
    let facilitator = shop.facilitator(limits);
    let now = shop.now().await;
    let ask = async |channel: &PayerChannel, deposit: u128, salt: u64| {
        let payment = channel.deposit(deposit, PRICE, U256::from(salt), now).unwrap();
        let request = FacilitatorRequest {
            x402_version: 2,
            payment_payload: payment,
            payment_requirements: serde_json::to_value(shop.channel_offer()).unwrap(),
        };
        facilitator.settle(&request, now).await.unwrap()
    };
    let channel = shop.channel_of(&shop.payer, 1);
    // A client that does not heed the least deposit.
    let mut offer = shop.channel_offer();
    offer.extra.remove("minDeposit");
    let seen = payments::channel::Seen::default();
    let dusty = PayerChannel::new(shop.payer.clone(), offer, alloy_primitives::B256::repeat_byte(1), seen, 0).unwrap();
    let refused = ask(&dusty, PRICE, 1).await;
    assert_eq!(refused.error_reason.as_deref(), Some(reason::BATCH_MIN_DEPOSIT));
    assert!(ask(&channel, DEPOSIT, 2).await.success);
    assert!(ask(&channel, DEPOSIT, 3).await.success);
    for salt in 4..20 {
        let refused = ask(&channel, DEPOSIT, salt).await;
        assert_eq!(refused.error_reason.as_deref(), Some(reason::GAS_BUDGET));
    }
    let other = Wallet::random();
    shop.market.deployer.mint(other.address(), Amount(DEPOSIT)).await.unwrap();
    assert!(ask(&shop.channel_of(&other, 1), DEPOSIT, 1).await.success, "others have theirs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_facilitator_pays_no_gas_for_strangers() {
    let shop = Shop::open().await;
    let facilitator = shop.facilitator(Limits::default());
    let now = shop.now().await;
    let offer = shop.exact.offer(PRICE, shop.market.stranger.address());
    let nonce = alloy_primitives::B256::repeat_byte(3);
    let payment = payments::client::exact(&shop.payer, &offer, PRICE, nonce, now).unwrap();
    let request = FacilitatorRequest {
        x402_version: 2,
        payment_payload: payment,
        payment_requirements: serde_json::to_value(&offer).unwrap(),
    };
    let verified = facilitator.verify(&request, now).await.unwrap();
    assert_eq!(verified.invalid_reason.as_deref(), Some(reason::RECEIVER_UNKNOWN));
    let settled = facilitator.settle(&request, now).await.unwrap();
    assert_eq!((settled.success, settled.error_reason.as_deref()), (false, Some(reason::RECEIVER_UNKNOWN)));
}
