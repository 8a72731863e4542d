//! A whole market on this machine, and the example jobs on it.
mod examples;
mod market;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::error::Error;
use crate::process::{cargo, run as run_command};
use crate::setup::{self, Purpose};
use crate::{corpus, ui};

use market::Market;

/// How often we look whether the market still serves.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The program that the workspace builds.
pub(crate) const BOURSE: &str = "target/debug/bourse";

/// Sets up, starts the market, runs both jobs, and serves until Ctrl-C unless `once`.
pub(crate) fn run(context: &Context, once: bool, state: Option<PathBuf>) -> Result<(), Error> {
    let started = Instant::now();
    let _lock = market::lock(context)?;
    setup::setup(context, Purpose::Run)?;
    ui::note("run: building bourse and the example job");
    run_command(context, cargo(context).args(["build", "--quiet", "-p", "bourse"]))?;
    let index = examples::Index::build(context)?;
    let sources = corpus::pack(context, "target/corpus/sources.tar".as_ref())?;
    let expected = index.run_outside(context, &sources)?;
    let shell = examples::Shell::prepare(context)?;

    ui::note("run: starting the market");
    let mut market = Market::start(context, state)?;
    index.run_job(context, &market, &sources, &expected)?;
    shell.run_job(context, &market)?;
    if once {
        market.stop();
        ui::answer(&format!("bench: run.once_s={:.1} s", started.elapsed().as_secs_f64()));
        return Ok(());
    }
    ui::note(&market.invitation());
    serve(context, &mut market)
}

/// Ctrl-C is how a served market ends; anything else is a failure.
fn serve(context: &Context, market: &mut Market) -> Result<(), Error> {
    while !context.is_interrupted() {
        market.check_alive()?;
        std::thread::sleep(LOOK_EVERY);
    }
    ui::note("run: stopping the market");
    market.stop();
    Ok(())
}
