//! Looking: doctor, wallets, content.

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_what_is_missing_and_says_what_to_do() {
    let mut world = World::start().await;
    let healthy = world.verb(&["doctor"]).await.with_code(0);
    assert_eq!(healthy.answer["healthy"], true);
    world.stop_gateway().await;
    let ill = world.verb(&["doctor"]).await.with_code(1);
    let gateway = ill.answer["checks"].as_array().unwrap().iter().find(|check| check["what"] == "gateway").unwrap();
    assert_eq!(gateway["ok"], false);
    assert!(gateway["remedy"].as_str().unwrap().contains("bourse up"));
    let nowhere = world.verb(&["--market-file", "absent.json", "doctor"]).await.with_code(1);
    assert!(nowhere.text.contains("absent.json"), "{}", nowhere.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_made_once_and_shows_what_it_holds() {
    let world = World::without_agent(&[]).await;
    let balance = world.verb(&["wallet", "balance"]).await.with_code(0);
    assert_eq!(balance.answer["address"], world.market.renter.address().to_string());
    assert_eq!(balance.answer["balance"]["amount"], world.balances().await.0.to_string());
    let refused = world.verb(&["wallet", "new"]).await.with_code(4);
    assert!(refused.text.contains("not overwritten"), "{}", refused.text);
    let made = world.verb(&["--keystore", "keys/second.json", "wallet", "new"]).await.with_code(0);
    let second = world.verb(&["--keystore", "keys/second.json", "wallet", "balance"]).await.with_code(0);
    assert_eq!(second.answer["address"], made.answer["address"]);
    assert_eq!(second.answer["balance"]["amount"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn content_goes_out_and_comes_back_the_same() {
    let world = World::without_agent(&[]).await;
    std::fs::create_dir_all(world.path("tree/deep")).unwrap();
    std::fs::write(world.path("tree/deep/file"), vec![7; 3 << 20]).unwrap();
    std::fs::write(world.path("hello"), "hello world").unwrap();
    let hash = world.verb(&["content", "add", "--only-hash", "hello"]).await.with_code(0);
    assert_eq!(hash.answer["cid"], "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
    let added = world.verb(&["content", "add", "tree"]).await.with_code(0);
    let cid = added.answer["cid"].as_str().unwrap();
    // Another person, with an empty store.
    let mut command = world.bourse();
    command.args(["--home", "other", "--market-file", "market.json", "--keystore", "keys/renter.json"]);
    command.args(["--password-file", "password", "content", "get", cid, "-o", "back"]);
    crate::world::Process::spawn(command).ended().await.with_code(0);
    assert_eq!(std::fs::read(world.path("back/deep/file")).unwrap(), vec![7; 3 << 20]);
    let unknown = world.verb(&["content", "get", "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"]);
    let unknown = unknown.await.with_code(1);
    // Reading needs no wallet.
    let mut command = world.bourse();
    command.args(["--home", "nobody", "--market-file", "market.json", "content", "get", cid, "-o", "again"]);
    crate::world::Process::spawn(command).ended().await.with_code(0);
    assert!(unknown.text.contains("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"), "{}", unknown.text);
}
