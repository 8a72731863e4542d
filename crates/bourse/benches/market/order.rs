//! From the broadcast of an order to a container that stands ready: cached image, one block a second.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chain::{Account, Chain, ChainConfig, Market, SendConfig};
use content::{BlockStore, StoreConfig};
use market::Seconds;
use renter::{Controller, FeedItem, FollowConfig, Order, Renter, RenterConfig};
use wire::{JobNews, JobSpec, MarketFile};

use crate::{Outcome, bench, up::Up};

const JOBS: usize = 60;
const READY_WITHIN: Duration = Duration::from_secs(60);
const PROGRAM: &str = "/bin/busybox";

pub(crate) async fn measure(up: &Up) -> Outcome<()> {
    let renter = renter(up.home()).await?;
    let store = Arc::new(BlockStore::open(up.home().join("renter/content"), StoreConfig::default())?);
    let image = content::image::image_of_program(&store, Path::new(PROGRAM), &content::ImageLimits::default())?.root;
    let text = format!(
        r#"{{"version":1,"image":"{image}","command":["/busybox","true"],"resources":{{"cpus":1,"memoryMib":64,"diskMib":64}}}}"#
    );
    let spec = JobSpec::parse(text.as_bytes())?;
    let named = Renter::publishable(&store, &spec)?;
    for root in [image, named] {
        renter.push(&store, &root, |_| {}).await?;
    }
    one(&renter, &spec).await?;
    let mut waits = Vec::new();
    for _ in 0..JOBS {
        waits.push(one(&renter, &spec).await?);
    }
    waits.sort_by(f64::total_cmp);
    bench("job.order_to_ready_ms_p50", waits[JOBS / 2], "ms");
    bench("job.order_to_ready_ms_p95", waits[JOBS * 95 / 100], "ms");
    Ok(())
}

async fn renter(home: &Path) -> Outcome<Renter> {
    let file: MarketFile = serde_json::from_slice(&std::fs::read(home.join("market.json"))?)?;
    let password = std::fs::read_to_string(home.join("password"))?;
    let wallet = chain::keystore::load(&home.join("keys/renter.json"), password.trim())?;
    let market = Market::open(Chain::connect(ChainConfig::local(file.rpc.parse()?)).await?, file.market).await?;
    let gateway = file.gateway.ok_or("no gateway")?.parse()?;
    let jobs_dir = home.join("renter/jobs");
    let config = RenterConfig { jobs_dir, gateway, deployed_at: file.deployed_at, follow: FollowConfig::default() };
    Ok(Renter::new(Account::new(market, wallet, SendConfig::default()), config)?)
}

/// One order until its container stands ready, in milliseconds; it is cancelled and cleaned up before the next.
async fn one(renter: &Renter, spec: &JobSpec) -> Outcome<f64> {
    let quote = loop {
        match renter.quote(&spec.needs(), Seconds(600)).await {
            Ok(quote) => break quote,
            // The job before is being cleaned up.
            Err(renter::RenterError::NoMatch { .. }) => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(err) => return Err(err.into()),
        }
    };
    let begun = Instant::now();
    let placed = renter.create(&Order { quote, spec: spec.clone(), controller: Controller::Session }).await?;
    let mut feed = renter.feed(&placed.job, 0)?;
    let ready = async {
        while let Some(item) = feed.next().await {
            match item {
                FeedItem::News(event) if matches!(event.news, JobNews::JobReady { .. }) => return Ok(begun.elapsed()),
                FeedItem::News(event) if matches!(event.news, JobNews::JobDeclined { .. }) => {
                    return Err(format!("declined: {:?}", event.news));
                }
                _ => {}
            }
        }
        Err("the feed ended".to_owned())
    };
    let waited = tokio::time::timeout(READY_WITHIN, ready).await??;
    renter.stop(&placed.job).await?;
    Ok(waited.as_secs_f64() * 1e3)
}
