//! The market wallet from real processes: an account without a key deposits, rents and withdraws, and the ledger adds up to
//! what the chain has.

use market::{Amount, JobId, Seconds};
use renter::{GatewayClient, Session};
use serde_json::Value;
use store::{AssetRow, Store, StoreConfig};
use testkit::eventually;
use wire::{
    JobSpec, Network,
    http::{CreateJobBody, CreatedJobJson, StatusJson},
};

use crate::world::{self, BUSYBOX, LIMIT, World};

const PASSWORD: &str = "correct horse battery\n";
/// What is deposited and withdrawn, in smallest units of six places.
const IN: u128 = 10_000_000;
const OUT: u128 = 2_000_000;
/// Seconds that are bought.
const BOUGHT: u32 = 600;

struct Person {
    world: World,
    client: GatewayClient,
    store: Store,
}

impl Person {
    async fn new(world: World) -> Self {
        std::fs::write(world.path("ann"), PASSWORD).unwrap();
        let args = ["login", "--email", "ann@example.com", "--password-from", "ann", "--sign-up"];
        world.verb(&args).await.with_code(0);
        let args = ["login", "--email", "ann@example.com", "--password-from", "ann"];
        world.verb(&args).await.with_code(0);
        let session = Session::load(&world.path("session.json")).unwrap().unwrap();
        let client = GatewayClient::new(world.gateway_url().parse().unwrap()).unwrap().with_session(&session);
        let config = StoreConfig::sqlite(&world.path("index.sqlite")).unwrap();
        let store = Store::open(&config).await.unwrap();
        Self { world, client, store }
    }

    /// Waits until so much may be spent and so much is set aside.
    async fn has(&self, available: u128, held: u128) {
        let expected = (available.to_string(), held.to_string());
        eventually(LIMIT, async || {
            let wallet = self.client.wallet().await.ok()?;
            let balance = &wallet.balances[0];
            ((&balance.available.amount, &balance.held.amount) == (&expected.0, &expected.1)).then_some(())
        })
        .await;
    }

    async fn order(&self, script: &str) -> CreatedJobJson {
        let pushed = self.world.verb(&["image", "push", BUSYBOX]).await.with_code(0);
        let spec = JobSpec {
            version: wire::spec::VERSION,
            image: pushed.answer["cid"].as_str().unwrap().to_owned(),
            command: vec!["/busybox".into()],
            args: ["sh", "-c", script].map(String::from).to_vec(),
            env: std::collections::BTreeMap::new(),
            inputs: Vec::new(),
            outputs: true,
            resources: wire::spec::Needs { gpu: None, gpus: 0, vram_mib: 0, cpus: 1, memory_mib: 64, disk_mib: 64 },
            network: Network::None,
        };
        let wish = CreateJobBody {
            spec: Some(spec),
            max_duration_s: Some(BOUGHT),
            resource_id: None,
            max_price: None,
            simulated: true,
            controller: None,
            terms: None,
            authorization: None,
        };
        let priced = self.client.order(&wish).await.unwrap();
        assert!(priced.sign.is_none() && priced.transaction.is_none());
        let order = CreateJobBody { spec: None, max_duration_s: None, terms: Some(priced.terms), ..wish };
        self.client.order(&order).await.unwrap()
    }

    async fn status(&self, job: JobId) -> Option<StatusJson> {
        self.client.job(job).await.ok().map(|job| job.status)
    }

    async fn asset(&self) -> AssetRow {
        self.store.assets().await.unwrap().remove(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_key_deposits_rents_and_withdraws_and_all_of_it_adds_up() {
    if world::engine_missing().await {
        return;
    }
    let ann = Box::pin(Person::new(World::start().await)).await;
    let town = &ann.world.market;
    let (market, treasury) = (&town.market, town.deployer.address());
    let before = market.token_balance(treasury).await.unwrap().0;

    let shown = ann.world.verb(&["wallet", "deposit", "10", "--dry-run"]).await.with_code(0);
    assert_eq!(shown.answer["amount"]["amount"], IN.to_string());
    assert_eq!(market.token_balance(treasury).await.unwrap().0, before, "nothing was sent");
    ann.world.verb(&["wallet", "deposit", "10", "-y"]).await.with_code(0);
    ann.has(IN, 0).await;

    let made = ann.order("echo done > /outputs/done").await;
    let (job, price): (_, u128) = (JobId(made.job_id.0), made.estimated_cost.amount.parse().unwrap());
    ann.has(IN - price, price).await;
    eventually(LIMIT, async || (ann.status(job).await? == StatusJson::Ended).then_some(())).await;
    // Whoever disputes has an hour; then the watcher settles for good.
    town.advance(Seconds(3700)).await.unwrap();
    eventually(LIMIT, async || (ann.status(job).await? == StatusJson::Final).then_some(())).await;
    let done = ann.client.job(job).await.unwrap();
    let figure = |money: Option<wire::http::Money>| money.map_or(0, |money| money.amount.parse::<u128>().unwrap());
    let spent = figure(Some(done.paid.clone())) + figure(done.fee.clone());
    assert!(spent > 0 && spent < price, "{spent} of {price}");
    ann.has(IN - spent, 0).await;

    let to = alloy_primitives::Address::repeat_byte(0xaa);
    let to_text = to.to_string();
    let args = ["wallet", "withdraw", "2", "--to", &to_text];
    let shown = ann.world.verb(&[&args[..], &["--dry-run"]].concat()).await.with_code(0);
    assert_eq!(shown.answer["after"]["amount"], (IN - spent - OUT).to_string());
    let args = [&args[..], &["-y", "--key", "once"]].concat();
    ann.world.verb(&args).await.with_code(0);
    ann.world.verb(&args).await.with_code(0);
    eventually(LIMIT, async || (market.token_balance(to).await.ok()? == Amount(OUT)).then_some(())).await;
    // Final in the ledger, too: nothing is on its way any more.
    let totals = eventually(LIMIT, async || {
        let totals = ann.asset().await.totals;
        (totals.withdrawing == 0 && totals.locks == 0).then_some(totals)
    })
    .await;
    let units = |amount: i64| u128::try_from(amount).unwrap();
    assert_eq!(units(totals.available + totals.held + totals.fees + totals.suspense), units(totals.treasury));
    assert_eq!(units(totals.available), IN - spent - OUT);
    // What the treasury had before anybody deposited belongs to nobody known.
    assert_eq!(units(totals.suspense), before);
    let after = market.token_balance(treasury).await.unwrap().0;
    assert_eq!(after, units(totals.treasury), "what the ledger says is what the chain has");
    assert!(ann.store.audit_ledger().await.unwrap().is_empty());
    assert_eq!(market.token_balance(to).await.unwrap(), Amount(OUT), "paid once");

    let history = ann.world.verb(&["wallet", "history"]).await.with_code(0).answer;
    let kinds: Vec<_> = history["items"].as_array().unwrap().iter().map(|entry| entry["type"].clone()).collect();
    for kind in ["deposit", "hold", "jobSettled", "withdrawal"] {
        assert!(kinds.contains(&Value::from(kind)), "{kind}: {kinds:?}");
    }
    let lines = ann.world.verb(&["wallet", "analytics", "--by", "month"]).await.with_code(0).answer;
    assert_eq!(lines["items"][0]["spent"]["amount"], spent.to_string());
}
