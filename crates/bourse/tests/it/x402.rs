//! Clients of x402 that others wrote, unmodified, against the processes of a market: whole jobs, time by the tick, and a
//! server of others that lets the gateway settle for it.

use alloy_primitives::{Address, U256, hex};
use chain::{Wallet, keystore};
use market::{Amount, JobId, Seconds, Status, rules::DISPUTE_WINDOW};
use serde_json::{Value, json};
use testkit::{Peer, eventually};
use tokio::process::Command;
use wire::{Terms, TermsJson};

use crate::world::{self, BUSYBOX, LIMIT, Process, World};

/// What ten minutes cost here.
const LOCKED: u128 = 60_000;
/// What opening a lease costs here, and what a channel begins with: an hour's price.
const SETUP: u128 = 10_000;
const DEPOSIT: u128 = 360_000;

/// A market whose gateway has something for gas, and an image in it.
struct Fair {
    world: World,
    image: String,
}

impl Fair {
    async fn open(agent_flags: &[&str]) -> Self {
        let world = World::x402(agent_flags).await;
        let password = std::fs::read_to_string(world.path("password")).unwrap();
        let gas = keystore::load(&world.path("keys/gas.json"), password.trim()).unwrap();
        world.market.dev.fund(gas.address(), U256::from(10).pow(U256::from(20))).await.unwrap();
        let pushed = world.verb(&["image", "push", BUSYBOX]).await.with_code(0);
        Self { image: pushed.answer["cid"].as_str().unwrap().to_owned(), world }
    }

    /// Somebody with ten dollars, and the key that programs of others are given.
    async fn person(&self, seed: u8) -> (Wallet, String) {
        let key = hex::encode_prefixed([seed; 32]);
        let wallet = Wallet::from_hex(&key).unwrap();
        self.world.market.deployer.mint(wallet.address(), Amount(10_000_000)).await.unwrap();
        (wallet, key)
    }

    /// The official client; nothing, loudly, where it is not installed.
    async fn client(&self, key: &str, scheme: &str) -> Option<Peer> {
        let mut client = Peer::start("x402-client.mjs", &[])?;
        let rpc = self.world.market.dev.rpc();
        client.say(&json!({ "key": key, "schemes": [scheme], "rpc": rpc }).to_string()).await;
        Some(client)
    }

    fn spec(&self, script: &str) -> Value {
        json!({
            "version": 1, "image": self.image, "command": ["/busybox"], "args": ["sh", "-c", script],
            "resources": { "cpus": 1, "memoryMib": 64, "diskMib": 64 },
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1/x402/{path}", self.world.gateway_url())
    }

    async fn held(&self, who: Address) -> u128 {
        self.world.market.market.token_balance(who).await.unwrap().0
    }

    /// A request of a lease's holder.
    async fn holder(&self, method: &str, path: &str, capability: &str) -> Value {
        let header = format!("authorization: Bearer {capability}");
        let mut curl = Command::new("curl");
        curl.args(["-s", "-f", "-X", method, "-H", &header, &self.url(path)]);
        Process::spawn(curl).ended().await.answer
    }

    async fn until(&self, lease: &str, capability: &str, status: &str) -> Value {
        eventually(LIMIT, async || {
            let shown = self.holder("GET", &format!("leases/{lease}"), capability).await;
            (shown["status"] == status).then_some(shown)
        })
        .await
    }

    /// Follows a job that was bought to its end; all that was paid for it is somebody's, to the unit.
    async fn follow(&self, made: &Value, refund_to: Address, before: [u128; 2]) {
        let (town, terms) = (&self.world.market, &made["terms"]);
        let terms: TermsJson = serde_json::from_value(terms.clone()).unwrap();
        assert_eq!(terms.renter, refund_to);
        let terms = Terms::try_from(&terms).unwrap();
        let job: JobId = town.market.job_id(&terms);
        assert_eq!(made["jobId"], job.to_string());
        let status = async || town.market.job(job).await.unwrap().status;
        eventually(LIMIT, async || [Status::Ended, Status::Final].contains(&status().await).then_some(())).await;
        town.advance(Seconds(DISPUTE_WINDOW.0 + 1)).await.unwrap();
        eventually(LIMIT, async || {
            // The provider's daemon may be faster.
            town.stranger.finalize(std::slice::from_ref(&terms)).await.ok();
            (status().await == Status::Final).then_some(())
        })
        .await;
        let refunded = self.held(refund_to).await;
        let earned = self.held(town.owner.address()).await - before[0];
        let fee = self.held(town.market.address()).await - before[1];
        assert!(refunded > 0 && earned > 0 && fee > 0, "{refunded} {earned} {fee}");
        assert_eq!(refunded + earned + fee, LOCKED);
    }

    async fn before(&self) -> [u128; 2] {
        let town = &self.world.market;
        [self.held(town.owner.address()).await, self.held(town.market.address()).await]
    }
}

async fn ask(peer: &mut Peer, request: Value) -> Value {
    serde_json::from_str(&peer.ask(&request.to_string()).await).unwrap()
}

async fn the_official_client_buys(scheme: &str, seed: u8) {
    if world::engine_missing().await {
        return;
    }
    let fair = Fair::open(&[]).await;
    let (payer, key) = fair.person(seed).await;
    let Some(mut client) = fair.client(&key, scheme).await else { return };
    let refund_to = Address::repeat_byte(seed);
    let body = json!({ "spec": fair.spec("sleep 2; echo bought"), "maxDurationS": 600, "refundTo": refund_to });
    let (held, before) = (fair.held(payer.address()).await, fair.before().await);
    let bought =
        ask(&mut client, json!({ "do": "fetch", "method": "POST", "url": fair.url("jobs"), "body": body })).await;
    assert_eq!(bought["requests"], json!([402, 201]), "{scheme}: {bought}");
    assert_eq!((&bought["payment"]["success"], &bought["payment"]["amount"]), (&json!(true), &json!("60000")));
    assert_eq!(held - fair.held(payer.address()).await, LOCKED, "paid once");
    fair.follow(&bought["body"], refund_to, before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_buys_a_whole_job_in_version_2() {
    the_official_client_buys("exact", 0xd1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_buys_a_whole_job_in_version_1() {
    the_official_client_buys("exact-v1", 0xd2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mppx_buys_a_whole_job() {
    if world::engine_missing().await {
        return;
    }
    let fair = Fair::open(&[]).await;
    let (payer, key) = fair.person(0xd3).await;
    let refund_to = Address::repeat_byte(0xd3);
    let body = json!({ "spec": fair.spec("sleep 2"), "maxDurationS": 600, "refundTo": refund_to }).to_string();
    let (held, before) = (fair.held(payer.address()).await, fair.before().await);
    let Some(mut client) = Peer::start("x402-mppx.mjs", &[&key, "POST", &fair.url("jobs"), &body]) else { return };
    let bought: Value = serde_json::from_str(&client.hear().await).unwrap();
    assert_eq!(bought["status"], 201, "{bought}");
    assert_eq!(held - fair.held(payer.address()).await, LOCKED, "paid once");
    fair.follow(&bought["body"], refund_to, before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_leases_by_the_tick_and_gets_the_rest_back() {
    if world::engine_missing().await {
        return;
    }
    let fair = Fair::open(&["--tick", "15"]).await;
    let (payer, key) = fair.person(0xd4).await;
    let held = fair.held(payer.address()).await;
    let Some(mut client) = fair.client(&key, "batch-settlement").await else { return };
    let body = json!({ "spec": fair.spec("while true; do echo on; sleep 1; done") });
    let opening = json!({ "do": "fetch", "method": "POST", "url": fair.url("leases"), "body": body });
    let opened = ask(&mut client, opening).await;
    assert_eq!(opened["requests"], json!([402, 202]), "{opened}");
    assert_eq!(opened["payment"]["amount"], DEPOSIT.to_string(), "{opened}");
    let text = |name: &str| opened["body"][name].as_str().unwrap().to_owned();
    let (lease, capability) = (text("leaseId"), text("capability"));
    fair.until(&lease, &capability, "ready").await;

    let url = fair.url(&format!("leases/{lease}/tick"));
    let tick = json!({ "do": "fetch", "method": "POST", "url": url });
    for count in 1..=2 {
        let paid = ask(&mut client, tick.clone()).await;
        assert_eq!((&paid["requests"], &paid["body"]["paidS"]), (&json!([402, 200]), &json!(15 * count)), "{paid}");
    }
    // A client that lost its memory is put right by what the 402 says, and pays once.
    ask(&mut client, json!({ "do": "forget" })).await;
    let paid = ask(&mut client, tick).await;
    assert_eq!((&paid["requests"], &paid["body"]["paidS"]), (&json!([402, 402, 200]), &json!(45)), "{paid}");
    assert_eq!(paid["body"]["charged"]["amount"], (SETUP + 4500).to_string());
    assert_eq!(held - fair.held(payer.address()).await, DEPOSIT, "one deposit pays for all of it");

    eventually(LIMIT, async || {
        let shown = fair.holder("GET", &format!("leases/{lease}"), &capability).await;
        shown["servedS"].as_u64().is_some_and(|served| served > 0).then_some(())
    })
    .await;
    fair.holder("POST", &format!("leases/{lease}/stop"), &capability).await;
    let done = fair.until(&lease, &capability, "done").await;
    let earned: u128 = done["earned"]["amount"].as_str().unwrap().parse().unwrap();
    assert!(SETUP < earned && earned <= SETUP + 4500, "{done}");
    let late = ask(&mut client, json!({ "do": "fetch", "method": "POST", "url": url })).await;
    assert_eq!(late["requests"], json!([409]), "nobody is asked to pay for what is over: {late}");
    let back = ask(&mut client, json!({ "do": "refund", "url": url })).await;
    assert_eq!(back["refund"]["amount"], (DEPOSIT - earned).to_string(), "{back}");
    assert_eq!(held - fair.held(payer.address()).await, earned, "what was served left the payer, nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_others_sells_through_the_gateway() {
    let mut world = World::x402(&[]).await;
    let receiver = Address::repeat_byte(0x5e).to_string();
    world.restart_gateway_with(&["--settle-for", &receiver]).await;
    let fair = Fair { world, image: String::new() };
    let password = std::fs::read_to_string(fair.world.path("password")).unwrap();
    let gas = keystore::load(&fair.world.path("keys/gas.json"), password.trim()).unwrap();
    fair.world.market.dev.fund(gas.address(), U256::from(10).pow(U256::from(20))).await.unwrap();
    let (payer, key) = fair.person(0xd5).await;
    let (held, facilitator) = (fair.held(payer.address()).await, format!("{}/api/v1/x402", fair.world.gateway_url()));
    let Some(mut server) = Peer::start("x402-server.mjs", &[&facilitator, &receiver, "$0.01"]) else { return };
    let said: Value = serde_json::from_str(&server.hear().await).unwrap();
    let url = format!("{}/sold", said["url"].as_str().unwrap());
    let Some(mut client) = fair.client(&key, "exact").await else { return };
    let bought = ask(&mut client, json!({ "do": "fetch", "url": url })).await;
    assert_eq!((&bought["requests"], &bought["body"]), (&json!([402, 200]), &json!({ "sold": true })), "{bought}");
    assert_eq!(held - fair.held(payer.address()).await, 10_000);
    assert_eq!(fair.held(Address::repeat_byte(0x5e)).await, 10_000);
}
