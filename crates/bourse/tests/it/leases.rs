//! Time bought by the tick from real processes: what is paid runs, what is not stops, a gateway that is killed loses no
//! voucher and charges none twice, and the money adds up to the unit.

use std::time::{Duration, Instant};

use chain::{Channels, Erc20, Tills, X402};
use market::{PerHour, Seconds};
use renter::{LeaseClient, LeasePreview, OpenLease, RenterError};
use store::{Store, StoreConfig, VoucherRow};
use testkit::eventually;
use tokio::process::Command;
use wire::{
    JobSpec, Network,
    http::{LeaseBody, LeaseJson, LeasePhase},
};

use crate::world::{self, BUSYBOX, LIMIT, World};

/// Seconds of a tick here.
const TICK: u32 = 3;
/// Says a line each tenth of a second, for ever.
const FOREVER: &str = "echo start >> /outputs/starts; n=0; while true; do n=$((n+1)); echo $n; sleep 0.1; done";
/// What one hour costs here, and what opening does.
const PRICE: PerHour = PerHour(360_000);
const SETUP: u128 = 10_000;
const DEPOSIT: u128 = 400_000;

/// Somebody who pays by the tick.
struct Payer<'a> {
    world: &'a World,
    client: LeaseClient,
    body: LeaseBody,
    channels: Channels,
    till: alloy_primitives::Address,
}

fn cost(seconds: u64) -> u128 {
    PRICE.cost(Seconds(seconds)).0
}

async fn shop() -> World {
    World::x402(&["--tick", &TICK.to_string()]).await
}

impl<'a> Payer<'a> {
    async fn new(world: &'a World, script: &str) -> Self {
        let pushed = world.verb(&["image", "push", BUSYBOX]).await.with_code(0);
        let image = pushed.answer["cid"].as_str().unwrap().to_owned();
        let town = &world.market;
        let contracts = X402::on(&town.chain).await.unwrap().unwrap();
        let token = Erc20::open(town.chain.clone(), town.market.token()).await.unwrap();
        let channels = Channels::open(town.chain.clone(), contracts.channels).await.unwrap();
        let wallet = town.renter.wallet().clone();
        let base = world.gateway_url().parse().unwrap();
        let client = LeaseClient::new(base, wallet, token, channels.clone(), contracts.erc3009_collector).unwrap();
        let spec = JobSpec {
            version: wire::spec::VERSION,
            image,
            command: vec!["/busybox".into()],
            args: ["sh", "-c", script].map(String::from).to_vec(),
            env: std::collections::BTreeMap::new(),
            inputs: Vec::new(),
            outputs: true,
            resources: wire::spec::Needs { gpu: None, gpus: 0, vram_mib: 0, cpus: 1, memory_mib: 64, disk_mib: 64 },
            network: Network::None,
        };
        let body = LeaseBody {
            spec,
            resource_id: None,
            max_duration_s: None,
            max_price: None,
            simulated: false,
            resume: None,
        };
        let provider = town.market.provider_of(town.owner.address()).await.unwrap().unwrap();
        let tills = Tills::open(town.chain.clone(), town.deployment.tills).await.unwrap();
        let till = tills.till_of(provider).await.unwrap();
        Self { world, client, body, channels, till }
    }

    async fn open(&self) -> (LeasePreview, OpenLease) {
        let preview = self.client.preview(&self.body).await.unwrap();
        assert_eq!((preview.setup, preview.min_deposit), (SETUP, 360_000));
        assert_eq!((preview.at_hand, preview.receiver), (0, self.till));
        let lease = self.client.open(&self.body, &preview, Some(DEPOSIT)).await.unwrap();
        assert_eq!((lease.charged, lease.paid_s, lease.tick_s), (SETUP, 0, TICK));
        (preview, lease)
    }

    async fn until(&self, lease: &OpenLease, phase: LeasePhase) -> LeaseJson {
        eventually(LIMIT, async || {
            let shown = self.client.show(lease).await.ok()?;
            (shown.status == phase).then_some(shown)
        })
        .await
    }

    /// Waits until its program said this.
    async fn said(&self, lease: &OpenLease, line: &str) {
        eventually(LIMIT, async || {
            let logs = self.client.logs(lease, 0).await.ok()?;
            logs.lines.iter().any(|said| said.line == line).then_some(())
        })
        .await;
    }

    async fn balance(&self) -> u128 {
        self.world.balances().await.0.0
    }

    async fn till(&self) -> u128 {
        self.world.market.market.token_balance(self.till).await.unwrap().0
    }

    /// Nothing is charged that was not taken, nothing came back twice: to the unit.
    async fn adds_up(&self, before: u128, lease: &mut OpenLease, done: &LeaseJson) {
        let earned: u128 = done.earned.amount.parse().unwrap();
        assert_eq!(earned, SETUP + cost(done.served_s.min(done.paid_s)));
        let refund = self.client.refund(lease).await.unwrap();
        assert_eq!(refund.amount, DEPOSIT - earned);
        assert!(refund.tx.is_some());
        assert_eq!(before - self.balance().await, earned, "the payer has the rest again");
        assert_eq!(self.till().await, earned, "the till has what was used");
        let held = self.channels.channel(refund.channel).await.unwrap();
        assert_eq!((held.balance, held.claimed), (earned, earned));
    }
}

/// Containers of this world's agent that run.
async fn running(world: &World) -> usize {
    let label = format!("label=exchange.bourse.agent={}", world.market.agent.address());
    let listed = Command::new("docker").args(["ps", "-q", "--filter", &label]).output().await.unwrap();
    String::from_utf8_lossy(&listed.stdout).split_whitespace().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_paying_is_stopped_within_two_ticks_and_gets_the_rest_back() {
    if world::engine_missing().await {
        return;
    }
    let world = shop().await;
    let payer = Payer::new(&world, FOREVER).await;
    let before = payer.balance().await;
    let (_, mut lease) = payer.open().await;
    payer.until(&lease, LeasePhase::Ready).await;
    assert_eq!(running(&world).await, 0, "nothing runs before the first tick");
    for _ in 0..3 {
        payer.client.tick(&mut lease, TICK).await.unwrap();
    }
    assert_eq!((lease.paid_s, lease.charged), (9, SETUP + cost(9)));
    payer.said(&lease, "3").await;
    assert_eq!(running(&world).await, 1);
    // From here on nobody pays.
    let mut paid_is_over = None;
    let gone = eventually(LIMIT, async || {
        if payer.client.show(&lease).await.unwrap().served_s >= lease.paid_s {
            paid_is_over.get_or_insert_with(Instant::now);
        }
        (running(&world).await == 0).then(Instant::now)
    })
    .await;
    let exposed = gone - paid_is_over.unwrap_or(gone);
    assert!(exposed <= Duration::from_secs(2 * u64::from(TICK) + 1), "{exposed:?} ran for nothing");
    let done = payer.until(&lease, LeasePhase::Done).await;
    assert!(done.reason.as_ref().unwrap().contains("two ticks were not paid"), "{done:?}");
    assert!(payer.client.tick(&mut lease, TICK).await.is_err(), "what is over takes no money");
    let result = payer.client.result(&lease).await.unwrap();
    assert!(result.result.is_some() && result.log.is_some(), "{result:?}");
    payer.adds_up(before, &mut lease, &done).await;
}

/// Signs a tick while the agent hears nothing, and waits until the gateway's copy of the voucher is on disk.
async fn tick_unheard(world: &World, payer: &Payer<'_>, lease: &OpenLease) -> VoucherRow {
    world.agent.as_ref().unwrap().freeze(true);
    let due = lease.charged + cost(lease.paid_s + u64::from(TICK)) - cost(lease.paid_s);
    let (client, mut unheard) = (payer.client.clone(), lease.clone());
    // Its answer is lost with the gateway.
    tokio::spawn(async move { client.tick(&mut unheard, TICK).await });
    kept(world, payer, lease, due).await
}

/// The gateway's copy of a voucher over this total.
async fn kept(world: &World, payer: &Payer<'_>, lease: &OpenLease, total: u128) -> VoucherRow {
    let config = StoreConfig::sqlite(&world.path("index.sqlite")).unwrap();
    let rows = Store::open(&config).await.unwrap();
    let id = lease.config.id_at(world.market.chain.id(), payer.channels.address());
    let row = eventually(LIMIT, async || {
        let (_, row) = rows.channel(id).await.unwrap()?;
        row.filter(|row| row.signed_max == total)
    })
    .await;
    rows.close().await.unwrap();
    row
}

/// The same again until it is taken.
async fn tick_until_taken(payer: &Payer<'_>, lease: &mut OpenLease) -> LeaseJson {
    eventually(LIMIT, async || match payer.client.tick(lease, TICK).await {
        Ok(told) => Some(told),
        Err(RenterError::Gateway { retryable: true, .. }) => None,
        Err(other) => panic!("{other}"),
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_around_a_voucher_charges_it_once_and_loses_none() {
    if world::engine_missing().await {
        return;
    }
    let mut world = shop().await;
    let (before, mut lease, mut body) = {
        let payer = Payer::new(&world, FOREVER).await;
        let before = payer.balance().await;
        let (_, mut lease) = payer.open().await;
        payer.until(&lease, LeasePhase::Ready).await;
        payer.client.tick(&mut lease, 300).await.unwrap();
        payer.said(&lease, "3").await;
        (before, lease, payer.body)
    };
    // Killed between persist and relay: the agent never hears of it, and the gateway's copy stays.
    // Killed while the agent serves it: the agent takes it, and its answer is lost.
    for is_heard in [false, true] {
        let payer = Payer { body, ..Payer::new(&world, "true").await };
        let row = tick_unheard(&world, &payer, &lease).await;
        assert_eq!(row.charged, lease.charged, "signed, and not yet charged");
        body = payer.body;
        world.kill_gateway().await;
        if is_heard {
            world.agent.as_ref().unwrap().freeze(false);
        } else {
            world.kill_agent().await;
        }
        world.start_gateway().await;
        if !is_heard {
            world.spawn_agent();
        }
        let payer = Payer { body, ..Payer::new(&world, "true").await };
        assert_eq!(kept(&world, &payer, &lease, row.signed_max).await.signature, row.signature, "the copy is there");
        let (paid, charged) = (lease.paid_s, lease.charged);
        let told = tick_until_taken(&payer, &mut lease).await;
        assert_eq!(told.paid_s, paid + u64::from(TICK), "once (heard: {is_heard})");
        assert_eq!(told.charged.amount, (SETUP + cost(told.paid_s)).to_string());
        assert_eq!(lease.charged, charged + cost(told.paid_s) - cost(paid));
        assert_eq!(running(&world).await, 1, "and the program never stopped");
        body = payer.body;
    }
    let payer = Payer { body, ..Payer::new(&world, "true").await };
    payer.client.stop(&lease).await.unwrap();
    let done = payer.until(&lease, LeasePhase::Done).await;
    assert!(done.served_s < done.paid_s, "{done:?}");
    payer.adds_up(before, &mut lease, &done).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verb_previews_pays_shows_stops_and_takes_the_rest_back() {
    if world::engine_missing().await {
        return;
    }
    // Long ticks: who is away for as long as a gateway takes to restart has not stopped paying.
    let mut world = World::x402(&["--tick", "15"]).await;
    let run = ["lease", "run", BUSYBOX, "--memory", "64", "--disk", "64", "--max-duration", "600"];
    let before = world.balances().await.0.0;
    let looked = world.verb(&[&run[..], &["--dry-run"]].concat()).await.with_code(0);
    assert_eq!((looked.units("setup"), looked.units("deposit")), (SETUP, 360_000));
    assert_eq!(looked.units("pricePerHour"), PRICE.0);
    let refused = world.verb(&run).await.with_code(4);
    assert!(refused.text.contains("add -y"), "{}", refused.text);
    assert_eq!(world.balances().await.0.0, before, "looking costs nothing");

    let script = ["-y", "--", "/busybox", "sh", "-c", "echo begun; sleep 4; echo ended"];
    let ended = world.verb(&[&run[..], &script[..]].concat()).await.with_code(0);
    assert!(ended.text.contains("│ begun") && ended.text.contains("│ ended"), "{}", ended.text);
    let (lease, refund) = (&ended.answer["lease"], &ended.answer["refund"]);
    assert_eq!(ended.answer["result"]["exitCode"], 0);
    let units = |value: &serde_json::Value| value.as_str().unwrap().parse::<u128>().unwrap();
    let earned = units(&lease["earned"]["amount"]);
    let served = lease["servedS"].as_u64().unwrap();
    assert!(served >= 3, "{}", ended.text);
    assert_eq!(earned, SETUP + cost(served), "what was not served is not earned: {}", ended.text);
    assert_eq!(units(&refund["amount"]) + earned, 360_000);
    let left = world.balances().await.0.0;
    assert_eq!(before - left, earned);

    // Another is stopped from elsewhere, though the gateway was killed meanwhile.
    let mut command = world.bourse();
    command.args(run).args(["-y", "--", "/busybox", "sh", "-c", "while true; do echo on; sleep 1; done"]);
    let mut second = world::Process::spawn(command);
    second.says("│ on").await;
    world.kill_gateway().await;
    second.says("trying on").await;
    world.start_gateway().await;
    let text = second.text();
    let id = text.lines().find_map(|line| line.split("leased").nth(1)).unwrap();
    let id = id.trim().split(' ').next().unwrap().to_owned();
    let shown = eventually(LIMIT, async || {
        let shown = world.verb(&["lease", "status", &id[..10]]).await;
        (shown.code == 0).then_some(shown)
    })
    .await;
    assert_eq!(shown.answer["status"], "running", "{}", shown.text);
    let stopped = world.verb(&["lease", "stop", &id]).await.with_code(0);
    assert_eq!(stopped.answer["lease"]["status"], "done", "{}", stopped.text);
    let ended = second.ended().await.with_code(3);
    let earned = units(&ended.answer["lease"]["earned"]["amount"]);
    assert_eq!(left - world.balances().await.0.0, earned, "{}", ended.text);
    assert_eq!(running(&world).await, 0);
}
