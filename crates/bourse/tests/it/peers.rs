//! Programs of others, unmodified: they sign in, read the chain's events and attack the API.

use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Need, skip};
use tokio::process::Command;

use crate::world::{self, Ended, Process, World};

/// Requests that each operation gets; the whole run stays under a minute here.
const EXAMPLES: &str = "12";

/// What every answer is held against.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      negative_data_rejection,ignored_auth";

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a script of `tests/peers` with Node.
async fn node(script: &str, args: &[&str]) -> Ended {
    let mut command = Command::new("node");
    command.current_dir(peers()).arg(script).args(args);
    Process::spawn(command).ended().await.with_code(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_made_by_npm_siwe_signs_in_once() {
    if !peers().join("node_modules/siwe").exists() {
        skip!(Need::Peers, "npm's siwe is not installed");
    }
    let world = World::without_agent(&[]).await;
    let key = format!("0x{}", "5a".repeat(32));
    let session = node("siwe.mjs", &[&world.gateway_url(), &key]).await.answer;
    let me = me(&world, session["token"].as_str().unwrap()).await;
    assert_eq!(me["address"], session["address"]);
    assert!(session["address"].as_str().unwrap().starts_with("0x"));
}

/// What the gateway says about the holder of a token.
async fn me(world: &World, token: &str) -> Value {
    let url = format!("{}/api/v1/auth/me", world.gateway_url());
    let header = format!("authorization: Bearer {token}");
    let mut curl = Command::new("curl");
    curl.args(["-s", "-f", "-H", &header, &url]);
    Process::spawn(curl).ended().await.with_code(0).answer
}

#[tokio::test(flavor = "multi_thread")]
async fn ethers_decodes_the_events_of_a_job_and_the_commits_of_its_receipts() {
    if world::engine_missing().await {
        return;
    }
    if !peers().join("node_modules/ethers").exists() {
        skip!(Need::Peers, "npm's ethers is not installed");
    }
    let world = World::start().await;
    let ended = world.job(&[], "echo hello").await.with_code(0);
    let job = ended.answer["job"].as_str().unwrap();
    world.verb(&["receipt", "verify", job, "--wait", "60"]).await.with_code(0);
    let receipt = world.verb(&["receipt", "show", job]).await.with_code(0).answer;
    world.finalized(job).await;

    let deployment = &world.market.deployment;
    let abi = root().join("contracts/abi");
    let rpc = world.market.dev.rpc().to_string();
    let (market, register) = (deployment.market.to_string(), deployment.register.to_string());
    let said = node("events.mjs", &[&rpc, &market, &register, abi.to_str().unwrap()]).await;
    let events: Vec<Value> = said.text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();

    let created = events.iter().find(|one| one["event"] == "JobCreated" && one["args"]["jobId"] == job).unwrap();
    assert_eq!(created["args"]["terms"]["renter"], world.market.renter.address().to_string());
    let settled = events.iter().find(|one| one["event"] == "JobFinalized" && one["args"]["jobId"] == job).unwrap();
    let figure = |field: &str| settled["args"][field].as_str().unwrap().parse::<u128>().unwrap();
    assert_eq!(figure("paid") + figure("fee"), ended.earned());
    let nid = &receipt["nid"];
    let commits: Vec<_> =
        events.iter().filter(|one| one["event"] == "Commit" && one["call"]["assetCid"] == *nid).collect();
    assert_eq!(commits.len(), 1, "one commit a receipt");
    let body: Value = serde_json::from_str(commits[0]["args"]["commitData"].as_str().unwrap()).unwrap();
    assert_eq!((&body["jobId"], &body["nid"]), (&Value::from(job), nid));
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_server_error_with_and_without_a_signed_in_user() {
    let program = peers().join(".venv/bin/schemathesis");
    if !program.exists() {
        skip!(Need::Peers, "schemathesis is not installed");
    }
    let mut world = World::start().await;
    world.restart_gateway_with(&["--spare-loopback"]).await;
    attack(&world, &program, &[]).await;
    if world::engine_missing().await {
        return;
    }
    // The renter of a job that really is there, so that more than refusals is tried.
    let ended = world.job(&[], "echo hello").await.with_code(0);
    let job = ended.answer["job"].as_str().unwrap();
    world.verb(&["receipt", "verify", job, "--wait", "60"]).await.with_code(0);
    let receipt = world.verb(&["receipt", "show", job]).await.with_code(0).answer;
    let resource = world.verb(&["search"]).await.with_code(0).answer[0]["id"].as_str().unwrap().to_owned();
    let nid = receipt["nid"].as_str().unwrap();
    std::fs::write(world.path("schemathesis.toml"), known(job, &resource, nid)).unwrap();
    world.verb(&["login"]).await.with_code(0);
    let session: Value = serde_json::from_slice(&std::fs::read(world.path("session.json")).unwrap()).unwrap();
    let header = format!("Authorization: Bearer {}", session["token"].as_str().unwrap());
    attack(&world, &program, &["-H", &header]).await;
}

/// What the attacker knows of this market.
fn known(job: &str, resource: &str, nid: &str) -> String {
    let paths = [("/(jobs|instances)/", "id", job), ("/gpus/", "id", resource), ("/providers/", "id", "1")];
    let mut text = String::new();
    for (path, name, value) in paths.into_iter().chain([("/timeline/", "jobId", job), ("/receipts/", "nid", nid)]) {
        text += &format!("[[operations]]\ninclude-path-regex = '{path}'\nparameters = {{ {name} = '{value}' }}\n\n");
    }
    text
}

async fn attack(world: &World, program: &Path, flags: &[&str]) {
    let mut command = Command::new(program);
    command.current_dir(world.dir()).arg("run").arg(root().join("docs/openapi.json"));
    command.args(["--url", &world.gateway_url(), "--max-examples", EXAMPLES, "--seed", "1", "--no-color"]);
    // It would end the session that the others are tested with.
    command.args(["--exclude-path", "/api/v1/auth/logout"]);
    // This market's chain has no payment channels, which leases' routes say with 501; their own tests try them.
    command.args(["--exclude-path-regex", "/x402/leases"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--generation-database", "none"]);
    command.args(["--checks", CHECKS]).args(flags);
    Process::spawn(command).ended().await.with_code(0);
}
