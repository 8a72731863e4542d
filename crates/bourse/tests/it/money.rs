//! Before money moves: previews, limits, and wallets that hold too little.

use crate::world::World;

/// A name is enough where nothing is pushed.
const IMAGE: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_prices_and_moves_nothing() {
    let world = World::start().await;
    let before = world.balances().await;
    let ended = world.verb(&["run", IMAGE, "--dry-run", "--max-duration", "600"]).await.with_code(0);
    assert_eq!(ended.answer["locked"], "60000", "ten minutes at 0.36 an hour");
    assert_eq!(ended.answer["missing"], serde_json::Value::Null);
    assert_eq!(world.balances().await, before);
    let listed = world.verb(&["ps"]).await.with_code(0);
    assert_eq!(listed.answer["items"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_money_is_said_with_the_missing_amount() {
    let world = World::with(&["--price", "1000000"]).await;
    let before = world.balances().await;
    let ended = world.verb(&["run", IMAGE, "-y", "--max-duration", "86400"]).await.with_code(4);
    assert!(ended.text.contains("the job locks 24000000: 23000000 GPU are missing"), "{}", ended.text);
    assert_eq!(world.balances().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_person_to_ask_nothing_is_spent() {
    let world = World::start().await;
    let before = world.balances().await;
    let ended = world.verb(&["run", IMAGE]).await.with_code(4);
    assert!(ended.text.contains("add -y"), "{}", ended.text);
    assert_eq!(world.balances().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_match_names_the_nearest_offer_and_what_stands_in_the_way() {
    let world = World::with(&["--simulate", "h100"]).await;
    let refused = |ended: crate::world::Ended| ended.with_code(4).text;
    let text = refused(world.verb(&["run", IMAGE, "-y", "--gpu", "h100"]).await);
    assert!(text.contains("simulated (accept those with --simulated)"), "{text}");
    let text = refused(world.verb(&["run", IMAGE, "-y", "--simulated", "--gpus", "8"]).await);
    assert!(text.contains("it has 1 GPUs, the job needs 8"), "{text}");
    let text = refused(world.verb(&["run", IMAGE, "-y", "--simulated", "--max-price", "0.1"]).await);
    assert!(text.contains("it costs 0.36 GPU an hour, above"), "{text}");
}
