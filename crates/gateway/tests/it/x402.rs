//! `POST /api/v1/x402/jobs`: a whole job for one payment, bought by somebody who can do no more than pay.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes};
use chain::{Wallet, calls};
use market::{Amount, Seconds, Status};
use serde_json::{Value, json};
use wire::{
    Terms, TermsJson,
    http::CreatedJobJson,
    x402::{
        Authorization, ExactPayload, PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, PaymentRequired, PaymentV2,
        SettleResponse, Version, decode, encode,
    },
};

use crate::{
    jobs::{PRICE, Shop},
    stage::Answer,
};

/// Whatever is waited for comes within this time, on a busy machine too.
const WITHIN: Duration = Duration::from_secs(60);

/// A client that knows nothing but x402.
pub(crate) struct Buyer {
    shop: Shop,
    wallet: Wallet,
    refund_to: Address,
}

/// The answer with what the headers say.
struct Told {
    answer: Answer,
    required: Option<PaymentRequired>,
    response: Option<SettleResponse>,
}

impl Buyer {
    async fn new() -> Self {
        Self::of(Shop::new().await)
    }

    pub(crate) fn of(shop: Shop) -> Self {
        let wallet = shop.stage.town.renter.wallet().clone();
        Self { shop, wallet, refund_to: Address::repeat_byte(0x5e) }
    }

    /// Pays as asked, and is told no before anything moves.
    pub(crate) async fn pays_and_is_refused(&self, status: u16, words: &str) {
        let before = self.held(self.wallet.address()).await;
        let offer = self.offer().await;
        let paying = self.sign(&offer, 9, |_| ()).await;
        self.ask(Some(&paying.header)).await.answer.is_problem(status, words);
        assert_eq!(self.held(self.wallet.address()).await, before);
    }

    fn body(&self) -> Value {
        let mut body = self.shop.wish();
        body["refundTo"] = json!(self.refund_to);
        body
    }

    async fn ask(&self, payment: Option<&str>) -> Told {
        let request =
            self.shop.stage.http().post(self.shop.stage.url("/api/v1/x402/jobs")).body(self.body().to_string());
        let request = match payment {
            Some(payment) => request.header(PAYMENT_SIGNATURE, payment),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let required = header(PAYMENT_REQUIRED).map(|text| decode("the offer", &text).unwrap());
        let response = header(PAYMENT_RESPONSE).map(|text| decode("the response", &text).unwrap());
        Told { answer: Answer::of(answer).await, required, response }
    }

    async fn offer(&self) -> PaymentRequired {
        let told = self.ask(None).await;
        assert_eq!(told.answer.status, 402);
        told.required.unwrap()
    }

    /// Signs the first way to pay, with `change` made to it before.
    async fn sign(&self, offer: &PaymentRequired, nonce: u8, change: impl FnOnce(&mut Authorization)) -> Paying {
        let accepted = offer.accepts[0].clone();
        let mut authorization = Authorization {
            from: self.wallet.address(),
            to: accepted.pay_to,
            value: accepted.amount,
            valid_after: 0,
            valid_before: u128::from(self.shop.stage.town.now().await.unwrap().0 + 100_000),
            nonce: B256::repeat_byte(nonce),
        };
        change(&mut authorization);
        let token = chain::Erc20::open(self.shop.stage.town.chain.clone(), accepted.asset).await.unwrap();
        let hash = token.signing_hash(&authorization.typed()).unwrap();
        let signature = Bytes::copy_from_slice(&self.wallet.sign_digest(hash).unwrap().0);
        let payload = ExactPayload { signature, authorization };
        let payment = PaymentV2 {
            x402_version: Version,
            resource: None,
            accepted,
            payload: serde_json::to_value(&payload).unwrap(),
            extensions: Default::default(),
        };
        Paying { header: encode("a payment", &payment).unwrap(), payload }
    }

    async fn held(&self, who: Address) -> u128 {
        self.shop.stage.market.token_balance(who).await.unwrap().0
    }
}

struct Paying {
    header: String,
    payload: ExactPayload,
}

fn terms(offer: &PaymentRequired) -> Terms {
    let json: TermsJson = serde_json::from_value(offer.accepts[0].extra["terms"].clone()).unwrap();
    Terms::try_from(&json).unwrap()
}

#[tokio::test]
async fn one_payment_buys_one_job_however_often_it_is_sent() {
    let buyer = Buyer::new().await;
    let market = &buyer.shop.stage.market;
    let offer = buyer.offer().await;
    let (terms, asked) = (terms(&offer), &offer.accepts[0]);
    assert_eq!((asked.scheme.as_str(), asked.amount, asked.asset), ("exact", PRICE.0, market.token()));
    assert_eq!((terms.renter, terms.controller), (buyer.refund_to, buyer.shop.stage.town.watcher.address()));
    let before = buyer.held(buyer.wallet.address()).await;

    let paying = buyer.sign(&offer, 1, |_| ()).await;
    // Whoever is told that the first is still at work asks again, as he is told to.
    let ask = || async { Some(buyer.ask(Some(&paying.header)).await).filter(|told| told.answer.status != 409) };
    let sent = [0; 3].map(|_| testkit::eventually(WITHIN, ask));
    let answers: Vec<Told> = futures_util::future::join_all(sent).await;
    let made = answers.iter().filter(|told| told.answer.status == 201).count();
    assert_eq!(made, 1, "{:?}", answers.iter().map(|told| told.answer.status).collect::<Vec<_>>());
    let job = market.job_id(&terms);
    for told in &answers {
        assert_eq!(told.answer.json::<CreatedJobJson>().job_id, B256::from(job.0));
        let response = told.response.as_ref().unwrap();
        assert!(response.success && response.payer == Some(buyer.wallet.address()));
        assert_eq!(response.network, format!("eip155:{}", buyer.shop.stage.domain().chain_id));
    }
    assert_eq!(market.job(job).await.unwrap().status, Status::Created);
    assert_eq!(before - buyer.held(buyer.wallet.address()).await, PRICE.cost(Seconds(3600)).0, "paid once");
    assert_eq!(buyer.held(asked.pay_to).await, 0, "nothing is left at its address");
}

#[tokio::test]
async fn what_a_stranger_submitted_first_counts_as_paid() {
    let buyer = Buyer::new().await;
    let offer = buyer.offer().await;
    let paying = buyer.sign(&offer, 2, |_| ()).await;
    let told = paying.payload.authorization.typed();
    let what = calls::erc20::Authorized {
        from: told.from,
        to: told.to,
        value: told.value,
        valid_after: told.validAfter,
        valid_before: told.validBefore,
        nonce: told.nonce,
    };
    let token = buyer.shop.stage.market.token();
    let call = calls::erc20::transfer_with_authorization(token, &what, paying.payload.signature.clone());
    let stranger = buyer.shop.stage.town.stranger.execute(&call).await.unwrap();
    let bought = buyer.ask(Some(&paying.header)).await;
    assert_eq!(bought.answer.status, 201, "{}", String::from_utf8_lossy(&bought.answer.body));
    assert_eq!(bought.response.unwrap().transaction, stranger.tx.to_string());
}

#[tokio::test]
async fn a_payment_for_less_or_for_another_address_is_asked_for_again_and_moves_nothing() {
    let buyer = Buyer::new().await;
    let before = buyer.held(buyer.wallet.address()).await;
    let offer = buyer.offer().await;
    let less = buyer.sign(&offer, 3, |authorization| authorization.value -= 1).await;
    let told = buyer.ask(Some(&less.header)).await;
    assert_eq!(told.answer.status, 402);
    assert!(!told.response.unwrap().success);
    assert!(told.required.is_some(), "and what would be right");
    let elsewhere = buyer.sign(&offer, 4, |authorization| authorization.to = Address::repeat_byte(9)).await;
    let told = buyer.ask(Some(&elsewhere.header)).await;
    assert_eq!(told.answer.status, 400, "{}", String::from_utf8_lossy(&told.answer.body));
    assert_eq!(buyer.ask(Some("not base64!")).await.answer.status, 400);
    assert_eq!(buyer.held(buyer.wallet.address()).await, before);
}

#[tokio::test]
async fn money_for_a_job_that_cannot_be_made_goes_to_who_was_named() {
    let buyer = Buyer::new().await;
    let (stage, offer) = (&buyer.shop.stage, buyer.offer().await);
    let paying = buyer.sign(&offer, 5, |_| ()).await;
    // It is paid by a stranger, and then the resource is withdrawn.
    let told = paying.payload.authorization.typed();
    let what = calls::erc20::Authorized {
        from: told.from,
        to: told.to,
        value: told.value,
        valid_after: told.validAfter,
        valid_before: told.validBefore,
        nonce: told.nonce,
    };
    let call = calls::erc20::transfer_with_authorization(stage.market.token(), &what, paying.payload.signature.clone());
    stage.town.stranger.execute(&call).await.unwrap();
    stage.town.owner.update_availability(buyer.shop.resource, false).await.unwrap();
    stage.indexed().await;
    let told = buyer.ask(Some(&paying.header)).await;
    told.answer.is_problem(409, "The whole payment went back to");
    assert_eq!(Amount(buyer.held(buyer.refund_to).await), PRICE.cost(Seconds(3600)));
}

#[tokio::test]
async fn the_body_is_named_where_it_is_wrong_and_a_gateway_may_take_no_payments() {
    let buyer = Buyer::new().await;
    let stage = &buyer.shop.stage;
    let refused = async |change: Value, field: &str| {
        let mut body = buyer.body();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let problem = stage.post("/api/v1/x402/jobs", body.to_string()).await.is_problem(400, "");
        assert_eq!(problem.field.as_deref(), Some(field), "{change}");
    };
    refused(json!({"refundTo": Address::ZERO}), "refundTo").await;
    refused(json!({"refundTo": "me"}), "refundTo").await;
    refused(json!({"maxDurationS": 0}), "maxDurationS").await;
    refused(json!({"colour": "red"}), "colour").await;
    let bare = crate::stage::Stage::new(|config| config.x402 = None).await;
    bare.post("/api/v1/x402/jobs", buyer.body().to_string()).await.is_problem(501, "no payments over HTTP");
}

#[tokio::test]
async fn a_job_that_is_not_worth_its_gas_is_not_offered() {
    let dear = |config: &mut gateway::GatewayConfig| {
        // A coin that is dear enough for an hour to cost less than the gas.
        config.x402.as_mut().unwrap().limits.coin = Some(1_000_000_000_000_000);
    };
    let buyer = Buyer::of(Shop::watched(true, dear).await);
    let told = buyer.ask(None).await;
    assert!(told.required.is_none(), "nobody is asked to pay");
    let problem = told.answer.is_problem(400, "not worth its gas");
    assert_eq!(problem.field.as_deref(), Some("maxDurationS"));
    assert_eq!(Buyer::new().await.ask(None).await.answer.status, 402, "where gas is worth nothing it is");
}
