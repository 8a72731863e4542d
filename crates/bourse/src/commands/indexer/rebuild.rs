//! `bourse indexer rebuild`.

use std::{process::ExitCode, time::Instant};

use indexer::{IndexerConfig, Rebuilt};
use serde_json::json;

use crate::{failure::Failure, operator::Database, settings::Settings, signals, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    database: Database,
}

pub(crate) async fn rebuild(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, market) = settings.market().await?;
    let store = args.database.open(&settings.home()).await?;
    // A name of its own: the lease of a gateway that runs must stop this.
    let holder = format!("rebuild-{:016x}", rand::random::<u64>());
    let began = Instant::now();
    let bar = ui.percent_bar();
    bar.set_message("of the blocks read");
    let told = |so_far: Rebuilt| {
        let done = so_far.head.map_or(0, |head| head.number.saturating_sub(file.deployed_at));
        let all = so_far.target.saturating_sub(file.deployed_at).max(1);
        bar.set_position(done.saturating_mul(100) / all);
    };
    let config = IndexerConfig::new(file.deployed_at, holder);
    let rebuilt = indexer::rebuild(config, market, store, signals::shutdown()?, told).await?;
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    let head = rebuilt.head.map(|head| head.number);
    ui.answer(&json!({ "blocks": rebuilt.blocks, "events": rebuilt.events, "head": head }), || {
        format!(
            "{} events of {} blocks in {seconds:.1} s; the index is at block {}",
            rebuilt.events,
            rebuilt.blocks,
            head.unwrap_or_default()
        )
    });
    Ok(ExitCode::SUCCESS)
}
