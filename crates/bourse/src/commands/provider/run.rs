//! `bourse provider run`.

use std::process::ExitCode;

use crate::{failure::Failure, settings::Settings, signals, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    offer: super::Offer,
}

pub(crate) async fn run(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (file, market) = settings.market().await?;
    let gateway = Settings::gateway(&file).ok();
    if gateway.is_none() {
        ui.warn(
            "the market description names no gateway: renters see no logs and must fetch results from this machine",
        );
    }
    let config = super::config(&args.offer, &settings.home(), settings, (&file, &market), gateway)?;
    let leases = super::leases(&args.offer, &file, &market).await?;
    let config = agent::AgentConfig { leases, ..config };
    ui.note(format_args!("provider {} serves market {} until Ctrl-C", config.agent.address(), market.address()));
    agent::run(config, signals::shutdown()?).await?;
    ui.note("stopped; containers that run go on and are taken over by the next `bourse provider run`");
    Ok(ExitCode::SUCCESS)
}
