//! `GET /api/v1/providers/{id}/earnings`.

use market::{Amount, PerHour, Seconds};
use wire::http::EarningsJson;

use crate::stage::{Stage, until};

#[tokio::test]
async fn earnings_are_what_the_chain_paid_out() {
    let stage = Stage::new(|_| ()).await;
    let town = &stage.town;
    let path = format!("/api/v1/providers/{}/earnings", town.owner.address());
    stage.indexed().await;
    let none: EarningsJson = stage.get(&path).await.json();
    assert_eq!((none.total.amount.as_str(), none.history.len()), ("0", 0));

    let price = PerHour(3_600_000_000);
    let resource = town.list(price).await.unwrap();
    // Without stake nothing is due in the first hour.
    town.stake(resource, Amount(price.0)).await.unwrap();
    let terms = town.terms(resource, price);
    town.renter.create_job(&terms).await.unwrap();
    town.agent.accept_job(&terms).await.unwrap();
    let record = alloy_primitives::B256::repeat_byte(5);
    let (at, signature) = town.ready(&terms, record).await.unwrap();
    town.agent.start_job(&terms, record, at, &signature).await.unwrap();
    town.advance(Seconds(100)).await.unwrap();
    let before = stage.market.token_balance(town.owner.address()).await.unwrap();
    town.agent.process_payment(&terms).await.unwrap();
    let gained = stage.market.token_balance(town.owner.address()).await.unwrap().0 - before.0;
    assert!(gained > 0);
    let earned = async || stage.get(&path).await.json::<EarningsJson>();
    until(async || earned().await.total.amount == gained.to_string()).await;
    let earned = earned().await;
    for money in [&earned.total, &earned.today, &earned.week, &earned.month, &earned.history[0].1] {
        assert_eq!((money.amount.clone(), money.token), (gained.to_string(), stage.market.token()));
    }
    assert_eq!(earned.history.len(), 1);
}
