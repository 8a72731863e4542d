//! A job's receipt, as its renter keeps it: true by itself, and worthless once altered.

use serde_json::{Value, json};

use crate::world::{self, World};

/// Writes a copy of `receipt.json` in which `alter` changed something, and gives the line that fails.
async fn failing_line(world: &World, flags: &[&str], alter: impl FnOnce(&mut Value)) -> String {
    let mut receipt: Value = serde_json::from_slice(&std::fs::read(world.path("receipt.json")).unwrap()).unwrap();
    alter(&mut receipt);
    std::fs::write(world.path("altered.json"), receipt.to_string()).unwrap();
    let mut args = vec!["receipt", "verify", "altered.json"];
    args.extend(flags);
    let ended = world.verb(&args).await.with_code(1);
    assert_eq!(ended.answer["verified"], false);
    let lines = ended.answer["lines"].as_array().unwrap();
    lines.iter().find(|line| line["holds"] == false).unwrap()["name"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_verifies_without_the_gateway_and_forgeries_are_named() {
    if world::engine_missing().await {
        return;
    }
    let mut world = World::start().await;
    let ended = world.job(&[], "echo hello").await.with_code(0);
    let job = ended.answer["job"].as_str().unwrap().to_owned();

    let verified = world.verb(&["receipt", "verify", &job, "--wait", "60"]).await.with_code(0);
    assert_eq!(verified.answer["verified"], true, "{}", verified.text);
    let list = world.verb(&["receipt", "list", "--job", &job]).await.with_code(0);
    let kinds: Vec<_> =
        list.answer.as_array().unwrap().iter().map(|one| one["document"]["eventType"].clone()).collect();
    assert_eq!(kinds, [json!("JobSubmitted"), json!("JobCompleted")], "oldest first");

    let shown = world.verb(&["receipt", "show", &job, "-o", "receipt.json"]).await.with_code(0);
    let cost =
        |field: &str| shown.answer["document"]["cost"][field]["amount"].as_str().unwrap().parse::<u128>().unwrap();
    assert_eq!(cost("paid") + cost("fee"), ended.earned());
    assert_eq!(cost("refunded"), ended.units("refunded"));
    assert_eq!(shown.answer["document"]["simulated"], false);

    // The operator is gone; the chain is enough.
    world.stop_gateway().await;
    world.verb(&["receipt", "verify", "receipt.json"]).await.with_code(0);
    let cheaper = |receipt: &mut Value| receipt["document"]["cost"]["paid"]["amount"] = json!("1");
    assert_eq!(failing_line(&world, &[], cheaper).await, "document");
    let market: Value = serde_json::from_slice(&std::fs::read(world.path("market.json")).unwrap()).unwrap();
    let trust = |market_address: &Value, recorder: &str| {
        json!({
            "markets": [{ "chainId": market["chainId"], "market": market_address, "register": market["register"] }],
            "recorders": [recorder],
        })
        .to_string()
    };
    let stranger = world.market.stranger.address().to_string();
    std::fs::write(world.path("trust.json"), trust(&market["market"], &stranger)).unwrap();
    assert_eq!(failing_line(&world, &["--trust", "trust.json"], |_| {}).await, "recorder");
    let recorder = world.market.recorder.address().to_string();
    std::fs::write(world.path("trust.json"), trust(&json!(stranger), &recorder)).unwrap();
    assert_eq!(failing_line(&world, &["--trust", "trust.json"], |_| {}).await, "market");
    let uncommitted = |receipt: &mut Value| drop(receipt.as_object_mut().unwrap().remove("commit"));
    assert!(["recorder", "commit"].contains(&failing_line(&world, &[], uncommitted).await.as_str()));
}
