//! A paid route over HTTP, as clients of both versions see it.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::{B256, U256};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use payments::channel::ClaimPolicy;
use payments::client::{Header, PayerChannel, exact_v1};
use payments::facilitator::{FollowConfig, Limits};
use reqwest::Response;
use testkit::eventually;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use wire::x402::{
    PAYMENT_REQUIRED, PAYMENT_RESPONSE, Payment, PaymentRequired, PaymentRequiredV1, SettleResponse, decode, reason,
};

use crate::shop::{PRICE, Shop};

/// What the handler is told to answer, and how often it ran.
#[derive(Default)]
struct Handler {
    ran: AtomicU64,
    status: AtomicU16,
    /// Whoever holds it keeps the handler from answering.
    door: Mutex<()>,
}

async fn sold(State(handler): State<Arc<Handler>>) -> (StatusCode, String) {
    let ran = handler.ran.fetch_add(1, Ordering::SeqCst) + 1;
    let _passed = handler.door.lock().await;
    let status = StatusCode::from_u16(handler.status.load(Ordering::SeqCst)).unwrap_or(StatusCode::OK);
    (status, format!("copy {ran}"))
}

struct Stand {
    url: String,
    handler: Arc<Handler>,
    http: reqwest::Client,
}

impl Stand {
    async fn of(shop: &Shop) -> Self {
        let handler = Arc::new(Handler::default());
        let route = get(sold).with_state(handler.clone()).layer(shop.layer(Limits::default()));
        let large = get(async || "x".repeat(store::ANSWER_BYTES_MAX)).layer(shop.layer(Limits::default()));
        let app = Router::new().route("/large", large).route("/sold", route.clone()).route("/other", route);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, handler, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn get(&self, path: &str, payment: Option<&Payment>) -> Response {
        let mut request = self.http.get(format!("{}{path}", self.url));
        if let Some(payment) = payment {
            let Header { name, value } = Header::of(payment).unwrap();
            request = request.header(name, value);
        }
        request.send().await.unwrap()
    }

    /// Opens a channel by its first purchase.
    async fn opened(&self, shop: &Shop) -> PayerChannel {
        let mut channel = shop.channel_of(&shop.payer, 1);
        let deposit = channel.deposit(20 * PRICE, PRICE, U256::from(1), shop.now().await).unwrap();
        channel.absorb(&settled(&self.get("/sold", Some(&deposit)).await), PRICE).unwrap();
        channel
    }

    fn ran(&self) -> u64 {
        self.handler.ran.load(Ordering::SeqCst)
    }
}

fn settled(response: &Response) -> SettleResponse {
    decode("x", response.headers()[PAYMENT_RESPONSE].to_str().unwrap()).unwrap()
}

fn required(response: &Response) -> PaymentRequired {
    assert_eq!(response.status(), 402);
    assert_eq!(response.headers()["cache-control"], "no-store");
    decode("x", response.headers()[PAYMENT_REQUIRED].to_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_402_speaks_to_both_versions_and_either_pays() {
    let shop = Shop::open().await;
    let stand = Stand::of(&shop).await;
    let answer = stand.get("/sold", None).await;
    let told = required(&answer);
    assert_eq!(told.error.as_deref(), Some(reason::PAYMENT_MISSING));
    assert_eq!(told.accepts, [shop.channel_offer(), shop.offer()]);
    assert!(answer.headers()["access-control-expose-headers"].to_str().unwrap().contains("PAYMENT-RESPONSE"));
    let old: PaymentRequiredV1 = answer.json().await.unwrap();
    assert_eq!(old.accepts.iter().map(|offer| offer.network.as_str()).collect::<Vec<_>>(), ["base-sepolia"]);

    let paid = stand.get("/sold", Some(&shop.signed().await)).await;
    assert_eq!(paid.status(), 200);
    let told = settled(&paid);
    assert!(told.success && told.transaction.len() == 66, "{told:?}");
    assert_eq!(paid.text().await.unwrap(), "copy 1");
    let nonce = B256::from(U256::from(9_999));
    let v1 = exact_v1(&shop.payer, &shop.offer(), PRICE, nonce, shop.now().await).unwrap();
    let paid = stand.get("/sold", Some(&v1)).await;
    assert_eq!(paid.status(), 200);
    assert!(paid.headers().contains_key("x-payment-response"));
    assert_eq!(shop.received().await, 2 * PRICE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_payment_gets_the_same_answer_and_buys_nothing_else() {
    let shop = Shop::open().await;
    let stand = Stand::of(&shop).await;
    let payment = shop.signed().await;
    for _ in 0..3 {
        let answer = stand.get("/sold", Some(&payment)).await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "copy 1"));
    }
    let elsewhere = stand.get("/other", Some(&payment)).await;
    assert_eq!(required(&elsewhere).error.as_deref(), Some(reason::EXACT_NONCE_USED));
    assert_eq!((stand.ran(), shop.received().await), (1, PRICE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_with_one_payment_are_served_once() {
    let shop = Shop::open().await;
    let stand = Stand::of(&shop).await;
    let payment = shop.signed().await;
    let (one, other) = tokio::join!(stand.get("/sold", Some(&payment)), stand.get("/sold", Some(&payment)));
    for answer in [one, other] {
        let status = answer.status().as_u16();
        assert!(status == 200 || status == 503, "{status}");
        assert!(status == 200 || answer.headers().contains_key("retry-after"));
    }
    assert_eq!((stand.ran(), shop.received().await), (1, PRICE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_whose_handler_failed_still_buys_one_answer() {
    let shop = Shop::open().await;
    let stand = Stand::of(&shop).await;
    stand.handler.status.store(500, Ordering::SeqCst);
    let payment = shop.signed().await;
    assert_eq!(stand.get("/sold", Some(&payment)).await.status(), 500);
    stand.handler.status.store(200, Ordering::SeqCst);
    let answer = stand.get("/sold", Some(&payment)).await;
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "copy 2"));
    assert_eq!(shop.received().await, PRICE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payments_name_stands_for_one_payment() {
    let shop = Shop::open().await;
    let stand = Stand::of(&shop).await;
    let named = |payment: Payment| {
        let Payment::V2(mut payment) = payment else { panic!("it is of version 2") };
        let info = serde_json::json!({ "info": { "required": false, "id": "order-0000000001" } });
        payment.extensions.insert("payment-identifier".into(), info);
        Payment::V2(payment)
    };
    let first = named(shop.signed().await);
    assert_eq!(stand.get("/sold", Some(&first)).await.status(), 200);
    assert_eq!(stand.get("/sold", Some(&first)).await.text().await.unwrap(), "copy 1");
    assert_eq!(stand.get("/sold", Some(&named(shop.signed().await))).await.status(), 409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_pays_call_by_call_is_put_right_and_given_back() {
    let shop = Shop::open().await;
    let stand = Stand::of(&shop).await;
    let mut channel = shop.channel_of(&shop.payer, 1);
    let deposit = channel.deposit(20 * PRICE, PRICE, U256::from(1), shop.now().await).unwrap();
    let answer = stand.get("/sold", Some(&deposit)).await;
    assert_eq!(answer.status(), 200);
    let told = settled(&answer);
    assert_eq!(told.extra["chargedAmount"], PRICE.to_string());
    channel.absorb(&told, PRICE).unwrap();
    for count in 2..=3 {
        let answer = stand.get("/sold", Some(&channel.voucher(PRICE).unwrap())).await;
        assert_eq!(answer.status(), 200);
        channel.absorb(&settled(&answer), count * PRICE).unwrap();
    }
    assert_eq!(channel.state().charged, 3 * PRICE);

    // A payer that lost its memory hears where it stands, and checks its own signature on it.
    let seen = shop.batch.look(channel.state().id).await.unwrap();
    let mut lost = PayerChannel::new(shop.payer.clone(), shop.channel_offer(), B256::repeat_byte(1), seen, 0).unwrap();
    let answer = stand.get("/sold", Some(&lost.voucher(PRICE).unwrap())).await;
    assert!(!answer.headers().contains_key(PAYMENT_RESPONSE), "or clients do not recover");
    assert!(lost.correct(&required(&answer)).unwrap());
    assert_eq!(stand.get("/sold", Some(&lost.voucher(PRICE).unwrap())).await.status(), 200);
    let answer = stand.get("/sold", Some(&channel.refund(None).unwrap())).await;
    assert_eq!(required(&answer).error.as_deref(), Some(reason::BATCH_CUMULATIVE), "an old voucher is no leave");
    assert!(channel.correct(&required(&answer)).unwrap());

    // A handler that fails charges nothing: the same voucher buys the next try.
    stand.handler.status.store(500, Ordering::SeqCst);
    let voucher = channel.voucher(PRICE).unwrap();
    assert_eq!(stand.get("/sold", Some(&voucher)).await.status(), 500);
    stand.handler.status.store(200, Ordering::SeqCst);
    let answer = stand.get("/sold", Some(&voucher)).await;
    assert_eq!(answer.status(), 200);
    channel.absorb(&settled(&answer), 5 * PRICE).unwrap();
    assert_eq!(channel.state().charged, 5 * PRICE);

    let before = shop.token.balance_of(shop.payer.address()).await.unwrap().0;
    let answer = stand.get("/sold", Some(&channel.refund(None).unwrap())).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(settled(&answer).amount.as_deref(), Some((15 * PRICE).to_string().as_str()));
    assert_eq!(shop.token.balance_of(shop.payer.address()).await.unwrap().0 - before, 15 * PRICE);
    assert_eq!(shop.batch.look(channel.state().id).await.unwrap().claimed, 5 * PRICE, "what was charged is claimed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_lost_is_told_again_for_the_same_voucher_and_charged_once() {
    let mut shop = Shop::open().await;
    let mut channel = shop.channel_of(&shop.payer, 1);
    let deposit = channel.deposit(20 * PRICE, PRICE, U256::from(1), shop.now().await).unwrap();
    let first = Stand::of(&shop).await;
    let told = settled(&first.get("/sold", Some(&deposit)).await);
    assert_eq!(told.amount.as_deref(), Some((20 * PRICE).to_string().as_str()), "what was deposited");
    assert_eq!(settled(&first.get("/sold", Some(&deposit)).await), told, "a deposit too");
    channel.absorb(&told, PRICE).unwrap();
    let voucher = channel.voucher(PRICE).unwrap();
    assert_eq!(first.get("/sold", Some(&voucher)).await.text().await.unwrap(), "copy 2");
    assert_eq!(first.ran(), 2);

    // The process ends after it charged; its client heard nothing.
    shop.again(FollowConfig::default()).await;
    let second = Stand::of(&shop).await;
    let answer = second.get("/sold", Some(&voucher)).await;
    assert_eq!(settled(&answer).extra["channelState"]["chargedCumulativeAmount"], (2 * PRICE).to_string());
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "copy 2"));
    let elsewhere = second.get("/other", Some(&voucher)).await;
    assert_eq!(required(&elsewhere).error.as_deref(), Some(reason::BATCH_CUMULATIVE), "it bought one thing");
    assert_eq!(second.ran(), 0);

    // A voucher that was claimed is on the chain for everybody: it proves nothing any more.
    let now = shop.now().await;
    let claimer = shop.claimer(ClaimPolicy { at: 1, after_s: 0 });
    assert_eq!(claimer.claim_due(now).await.unwrap(), [channel.state().id]);
    let answer = second.get("/sold", Some(&voucher)).await;
    assert_eq!(required(&answer).error.as_deref(), Some(reason::BATCH_CUMULATIVE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_while_it_serves_has_charged_nothing() {
    let mut shop = Shop::open().await;
    let first = Stand::of(&shop).await;
    let channel = first.opened(&shop).await;
    let voucher = channel.voucher(PRICE).unwrap();
    let door = first.handler.door.lock().await;
    {
        let mut asks = pin!(first.get("/sold", Some(&voucher)));
        let serves = eventually(Duration::from_secs(20), async || (first.ran() == 2).then_some(()));
        tokio::select! {
            _ = &mut asks => panic!("nobody has answered"),
            () = serves => {}
        }
        // Another process finds what is on disk at this moment.
        shop.again(FollowConfig::default()).await;
    }
    let (kept, _) = shop.desk.channel(channel.state().id).await.unwrap().unwrap();
    assert_eq!(kept.charged, PRICE);
    let second = Stand::of(&shop).await;
    let answer = second.get("/sold", Some(&voucher)).await;
    assert_eq!(settled(&answer).extra["channelState"]["chargedCumulativeAmount"], (2 * PRICE).to_string());
    assert_eq!((second.ran(), answer.text().await.unwrap().as_str()), (1, "copy 1"));
    let claimer = shop.claimer(ClaimPolicy { at: 1, after_s: 0 });
    assert_eq!(claimer.claim_due(shop.now().await).await.unwrap(), [channel.state().id]);
    assert_eq!(shop.batch.look(channel.state().id).await.unwrap().claimed, 2 * PRICE, "charged once for both");
    drop(door);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_has_an_answer_whose_voucher_is_not_on_disk() {
    let mut shop = Shop::open().await;
    let first = Stand::of(&shop).await;
    let channel = first.opened(&shop).await;
    let voucher = channel.voucher(PRICE).unwrap();
    shop.store.close().await.unwrap();
    for _ in 0..2 {
        let answer = first.get("/sold", Some(&voucher)).await;
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key(PAYMENT_RESPONSE)), (503, false));
        assert!(answer.headers().contains_key("retry-after"), "and nobody pays anew");
    }
    shop.reopen().await;
    let (kept, _) = shop.desk.channel(channel.state().id).await.unwrap().unwrap();
    assert_eq!(kept.charged, PRICE);
    let answer = Stand::of(&shop).await.get("/sold", Some(&voucher)).await;
    assert_eq!(settled(&answer).extra["channelState"]["chargedCumulativeAmount"], (2 * PRICE).to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_on_his_refund_is_served_no_more_from_what_comes_back() {
    let mut shop = Shop::open().await;
    let deposit = 20 * PRICE;
    let channel = shop.channel_of(&shop.payer, 1);
    shop.fill(&channel, deposit).await;
    let seen = shop.batch.look(channel.state().id).await.unwrap();
    let channel = PayerChannel::new(shop.payer.clone(), shop.channel_offer(), B256::repeat_byte(1), seen, 0).unwrap();
    shop.again(Shop::impatient()).await;
    let stand = Stand::of(&shop).await;
    shop.market.dev.automine(false).await.unwrap();
    // Nobody can tell in time what becomes of it.
    assert_eq!(stand.get("/sold", Some(&channel.refund(None).unwrap())).await.status(), 503);
    let voucher = channel.voucher(PRICE).unwrap();
    assert_eq!(stand.get("/sold", Some(&voucher)).await.status(), 503, "the money is on its way back");
    // A new process finds that on disk.
    shop.again(Shop::impatient()).await;
    let stand = Stand::of(&shop).await;
    assert_eq!(stand.get("/sold", Some(&voucher)).await.status(), 503);
    shop.market.dev.mine(1).await.unwrap();
    shop.market.dev.automine(true).await.unwrap();
    assert_eq!(stand.get("/sold", Some(&voucher)).await.status(), 402);
    assert_eq!((stand.ran(), shop.batch.look(channel.state().id).await.unwrap().balance), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_answer_is_made_a_few_times_for_one_payment() {
    let shop = Shop::open().await;
    let stand = Stand::of(&shop).await;
    let payment = shop.signed().await;
    for _ in 0..payments::layer::LARGE_SERVED_MAX {
        let answer = stand.get("/large", Some(&payment)).await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().len()), (200, store::ANSWER_BYTES_MAX));
    }
    assert_eq!(stand.get("/large", Some(&payment)).await.status(), 410);
    assert_eq!(shop.received().await, PRICE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_cannot_close_the_channel_of_another() {
    let shop = Shop::open().await;
    let stand = Stand::of(&shop).await;
    let channel = shop.channel_of(&shop.payer, 1);
    shop.fill(&channel, 20 * PRICE).await;
    let stranger = shop.channel_of(&shop.market.stranger.wallet().clone(), 1);
    let (Payment::V2(mut theirs), Payment::V2(own)) = (stranger.refund(None).unwrap(), channel.refund(None).unwrap())
    else {
        panic!("they are of version 2");
    };
    theirs.payload["channelConfig"] = own.payload["channelConfig"].clone();
    theirs.payload["voucher"]["channelId"] = own.payload["voucher"]["channelId"].clone();
    let answer = stand.get("/sold", Some(&Payment::V2(theirs))).await;
    assert_eq!(required(&answer).error.as_deref(), Some(reason::BATCH_VOUCHER_SIGNATURE));
    assert_eq!(shop.batch.look(channel.state().id).await.unwrap().balance, 20 * PRICE);
    assert_eq!(stand.ran(), 0);
}
