//! `bourse provider check`: each finding with what is there, what should be, what for and what to do.

use std::{path::PathBuf, process::ExitCode};

use agent::{CheckConfig, Finding, Severity};
use chain::ChainConfig;
use serde_json::json;

use crate::{failure::Failure, settings::Settings, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Socket of the container engine.
    #[arg(long, value_name = "FILE", default_value = "/var/run/docker.sock")]
    docker: PathBuf,
}

pub(crate) async fn check(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let file = settings.market_file().ok();
    let chain = file.as_ref().and_then(|file| Some((ChainConfig::new(file.rpc.parse().ok()?), file.market)));
    let gateway = file.as_ref().and_then(|file| Settings::gateway(file).ok());
    if file.is_none() {
        ui.note("no market is known here, so chain and gateway are not looked at");
    }
    let config = CheckConfig { state_dir: settings.home().join("agent"), docker: args.docker.clone(), chain, gateway };
    let findings = agent::check(&config).await;
    for finding in &findings {
        show(finding, ui);
    }
    let worst = findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Good);
    let items: Vec<_> = findings.iter().map(as_json).collect();
    ui.answer(&json!({ "canProvide": worst < Severity::Blocking, "findings": items }), || {
        match worst {
            Severity::Good => "this machine can provide",
            Severity::Warning => "this machine can provide, with the losses named above",
            Severity::Blocking => "this machine cannot provide yet; see above",
        }
        .into()
    });
    Ok(if worst == Severity::Blocking { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(finding: &Finding, ui: &Ui) {
    if finding.severity == Severity::Good {
        ui.step("good", format_args!("{}: {}", finding.title, finding.actual));
        return;
    }
    let word = if finding.severity == Severity::Blocking { "missing" } else { "warning" };
    ui.warn(format_args!("{word:<9} {}: {}", finding.title, finding.actual));
    ui.say(format_args!("            required  {}", finding.required));
    ui.say(format_args!("            purpose   {}", finding.purpose));
    ui.say(format_args!("            remedy    {}", finding.remedy));
}

fn as_json(finding: &Finding) -> serde_json::Value {
    json!({
        "id": finding.id,
        "title": finding.title,
        "actual": finding.actual,
        "required": finding.required,
        "purpose": finding.purpose,
        "remedy": finding.remedy,
        "severity": match finding.severity {
            Severity::Good => "good",
            Severity::Warning => "warning",
            Severity::Blocking => "blocking",
        },
    })
}
