//! Disputes and stake: prepared here, signed by those whose they are, shown to those whom they concern.

use alloy_primitives::B256;
use chain::{Account, Call, Wallet};
use market::Seconds;
use serde_json::json;
use wire::http::{CallsJson, DisputeJson, DisputeState, Page, StakeJson, UnsignedTx};

use crate::jobs::Shop;

/// Signs and sends prepared calls, as a wallet would.
async fn send(account: &Account, calls: &[UnsignedTx]) {
    for call in calls {
        assert_eq!(call.from, account.address());
        account.execute(&Call { to: call.to, input: call.data.clone(), gas: None }).await.unwrap();
    }
}

#[tokio::test]
async fn a_dispute_is_opened_shown_and_decided() {
    let judge = Wallet::random();
    let shop = Box::pin(Shop::watched(true, |config| config.operators = vec![judge.address()])).await;
    let (stage, town) = (&shop.stage, &shop.stage.town);
    let terms = shop.job().await;
    shop.start(&terms).await;
    town.advance(Seconds(600)).await.unwrap();
    stage.indexed().await;
    let id = stage.market.job_id(&terms);
    let (open, path) = (shop.path(&terms, "/dispute"), format!("/api/v1/disputes/{id}"));
    stage.get_as(&path, &shop.token).await.is_problem(404, "nobody disputes job");

    let complaint = json!({"reason": "no card was there"});
    let stranger = stage.sign_in(town.stranger.wallet()).await.token;
    stage.post_as(&open, &stranger, &complaint).await.is_problem(403, "its provider may dispute it");
    stage.post(&open, complaint.to_string()).await.is_problem(401, "sign in");
    for reason in [String::new(), "  ".into(), "x".repeat(513)] {
        let problem = stage.post_as(&open, &shop.token, &json!({ "reason": reason })).await.is_problem(400, "1 to 512");
        assert_eq!(problem.field.as_deref(), Some("reason"));
    }
    let prepared: CallsJson = stage.post_as(&open, &shop.token, &complaint).await.json();
    assert_eq!(prepared.calls.len(), 2, "leave for the bond, then the dispute");
    send(&town.renter, &prepared.calls).await;
    stage.indexed().await;
    stage.post_as(&open, &shop.token, &complaint).await.is_problem(409, "disputed already");

    let shown: DisputeJson = stage.get_as(&path, &shop.token).await.json();
    assert_eq!(
        (shown.state, shown.opener, shown.reason.as_str()),
        (DisputeState::Open, terms.renter, "no card was there")
    );
    assert!(shown.pot.amount != "0" && shown.verdict.is_none());
    stage.get_as(&path, &stranger).await.is_problem(403, "parties and this market's operators");
    stage.get(&path).await.is_problem(401, "sign in");
    let judging = stage.sign_in(&judge).await.token;
    for (token, expected) in [(&shop.token, 1), (&stranger, 0), (&judging, 1)] {
        let list: Page<DisputeJson> = stage.get_as("/api/v1/disputes", token).await.json();
        assert_eq!(list.items.len(), expected);
    }

    let resolve = format!("{path}/resolve");
    let verdict = json!({"providerBps": 0, "evidence": "bafkqaaa"});
    stage.post_as(&resolve, &shop.token, &verdict).await.is_problem(403, "only this market's operators");
    let odd = json!({"providerBps": 1234, "evidence": "bafkqaaa"});
    let problem = stage.post_as(&resolve, &judging, &odd).await.is_problem(400, "0, 5000 or 10000");
    assert_eq!(problem.field.as_deref(), Some("providerBps"));
    let decided: CallsJson = stage.post_as(&resolve, &judging, &verdict).await.json();
    assert_eq!((decided.calls.len(), decided.calls[0].from), (1, judge.address()));
}

#[tokio::test]
async fn stake_is_put_down_by_the_owner_and_seen_by_all() {
    let shop = Shop::new().await;
    let (stage, town) = (&shop.stage, &shop.stage.town);
    let provider = stage.market.provider_of(town.owner.address()).await.unwrap().unwrap();
    let path = |rest: &str| format!("/api/v1/providers/{provider}/{rest}");
    let body =
        json!({"resourceId": B256::from(shop.resource.0), "amount": {"amount": "3.6", "token": stage.market.token()}});
    let owner = stage.sign_in(town.owner.wallet()).await.token;
    stage.post_as(&path("stake"), &shop.token, &body).await.is_problem(403, "who owns provider");
    stage.post(&path("stake"), body.to_string()).await.is_problem(401, "sign in");
    let foreign = json!({"resourceId": B256::repeat_byte(5), "amount": body["amount"]});
    stage.post_as(&path("stake"), &owner, &foreign).await.is_problem(404, "lists no resource");
    stage.post_as(&path("unstake"), &owner, &body).await.is_problem(409, "is free");

    let calls: CallsJson = stage.post_as(&path("stake"), &owner, &body).await.json();
    send(&town.owner, &calls.calls).await;
    stage.indexed().await;
    let shown: StakeJson = stage.get(&path("stake")).await.json();
    let [resource] = &shown.resources[..] else { panic!("{shown:?}") };
    assert_eq!((resource.stake.amount.as_str(), resource.free.amount.as_str()), ("3600000", "3600000"));
    assert_eq!(resource.cover_s, 3600, "the price of an hour vouches for an hour");

    let calls: CallsJson = stage.post_as(&path("unstake"), &owner, &body).await.json();
    send(&town.owner, &calls.calls).await;
    stage.indexed().await;
    let shown: StakeJson = stage.get(&path("stake")).await.json();
    let resource = &shown.resources[0];
    assert_eq!((resource.unbonding.amount.as_str(), resource.free.amount.as_str()), ("3600000", "0"));
    assert!(resource.available_at.is_some());
}
