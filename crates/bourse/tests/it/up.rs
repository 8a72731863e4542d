//! A whole market from one verb, through a polite end and a crash.

use std::path::Path;

use tokio::process::Command;

use crate::world::{self, BUSYBOX, Ended, Process};

fn bourse(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bourse"));
    command.env_remove("BOURSE_KEY").current_dir(testkit::workspace()).args(["--json", "--home"]).arg(home);
    command
}

async fn up(home: &Path) -> Process {
    let mut command = bourse(home);
    command.args(["up", "--port", "0", "--rpc-port", "0", "--simulate", "h100", "--offer-disk", "1024"]);
    let mut process = Process::spawn(command);
    process.says(r#""ready":true"#).await;
    process
}

async fn verb(home: &Path, args: &[&str]) -> Ended {
    let mut command = bourse(home);
    command.args(args);
    Process::spawn(command).ended().await
}

async fn job(home: &Path) -> Ended {
    let output = home.join(format!("out-{:x}", rand::random::<u32>()));
    let output = output.to_string_lossy();
    let args =
        ["run", BUSYBOX, "-y", "--simulated", "--gpu", "h100", "--disk", "64", "-o", &output, "--", "/busybox", "true"];
    verb(home, &args).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_goes_on_after_an_end_and_after_a_crash() {
    if world::engine_missing().await {
        return;
    }
    let home = testkit::temp_dir();
    let first = up(home.path()).await;
    job(home.path()).await.with_code(0);
    let second = verb(home.path(), &["up"]).await.with_code(4);
    assert!(second.text.contains("runs from"), "{}", second.text);
    drop(first);

    let crashed = up(home.path()).await;
    assert!(crashed.text().contains("as before"), "{}", crashed.text());
    job(home.path()).await.with_code(0);
    crashed.kill().await;

    // The chain of the crashed one still runs: it is found, ended and started anew with its state.
    let again = up(home.path()).await;
    assert!(again.text().contains("as before"), "{}", again.text());
    job(home.path()).await.with_code(0);
    let listed = verb(home.path(), &["ps"]).await.with_code(0);
    assert_eq!(listed.answer["items"].as_array().unwrap().len(), 3, "{}", listed.text);
    drop(again);
    world::unmount_below(home.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn contracts_are_deployed_where_somebody_pays_for_them() {
    let world = world::World::without_agent(&[]).await;
    let rpc = world.market.dev.rpc().to_string();
    let args = ["--market-file", "second.json", "deploy", "--rpc", &rpc, "--fee-bps", "150"];
    let refused = world.verb(&args).await.with_code(4);
    assert!(refused.text.contains("add -y"), "{}", refused.text);
    let deployed = world.verb(&[&args[..], &["-y"]].concat()).await.with_code(0);
    assert_ne!(deployed.answer["market"], world.market.market.address().to_string());
    let recorders = deployed.answer["recorders"].as_array().unwrap();
    assert_eq!(recorders.len(), 1, "a gateway from the same folder can commit receipts that are believed");
    assert!(deployed.text.contains("for gas"), "{}", deployed.text);
    let balance =
        world.verb(&["--market-file", "second.json", "--keystore", "keys/renter.json", "wallet", "balance"]).await;
    assert_eq!(balance.with_code(0).answer["balance"]["amount"], "0");
    let again = world.verb(&[&args[..], &["-y"]].concat()).await.with_code(4);
    assert!(again.text.contains("describes a market already"), "{}", again.text);
}
