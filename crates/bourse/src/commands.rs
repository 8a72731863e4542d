//! The verbs. One file each, named as they are typed.

mod content;
mod deploy;
mod dispute;
mod doctor;
mod finalize;
mod gateway;
mod image;
mod indexer;
mod job;
mod lease;
mod login;
mod logs;
mod proof;
mod provider;
mod ps;
mod receipt;
mod result;
mod run;
mod search;
mod status;
mod stop;
mod up;
mod wallet;
mod watch;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{failure::Failure, settings::Settings, ui::Ui};

/// What a person wants.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a whole market here: chain, contracts, gateway and one provider.
    Up(up::Args),
    /// Look whether everything that a renter needs is there and works.
    Doctor,
    /// Find a GPU: what is listed, for how much, and whether it is free.
    Search(search::Args),
    /// Rent a resource, run an image on it and fetch the result.
    Run(Box<run::Args>),
    /// List the jobs that were made here.
    Ps,
    /// Show one job as the chain knows it.
    Status(status::Args),
    /// Be there for a job that was left alone: count beats, settle, fetch the result. Ctrl-C leaves it again.
    Watch(watch::Args),
    /// Say how a job ended and fetch what it left.
    Result(result::Args),
    /// Show a job's output; with --json everything that happened to it, a line each.
    Logs(logs::Args),
    /// Stop a job: the clock stands at once, what is not earned comes back.
    Stop(stop::Args),
    /// Dispute what a job was paid for: open, show, settle; and, for a judge, resolve.
    #[command(subcommand)]
    Dispute(dispute::Command),
    /// Settle for good those of your jobs that nobody can dispute any more. `bourse run` does it too.
    Finalize,
    /// Jobs as the market's index knows them.
    #[command(subcommand)]
    Job(job::Command),
    /// Time bought by the tick: run for as long as it is paid for, without escrow.
    #[command(subcommand)]
    Lease(lease::Command),
    /// Receipts that nobody can forge: list, show, verify.
    #[command(subcommand)]
    Receipt(receipt::Command),
    /// Proofs of GPU: challenge a card, check a report.
    #[command(subcommand)]
    Proof(proof::Command),
    /// Sign in at the gateway with your wallet.
    Login(login::Args),
    /// End the session, here and at the gateway.
    Logout,
    /// Images as content.
    #[command(subcommand)]
    Image(image::Command),
    /// Files and folders as content.
    #[command(subcommand)]
    Content(content::Command),
    /// The provider's side.
    #[command(subcommand)]
    Provider(provider::Command),
    /// The wallet that pays.
    #[command(subcommand)]
    Wallet(wallet::Command),
    /// Run a market's gateway: index, API, relay, watcher and receipts, until Ctrl-C.
    Gateway(gateway::Args),
    /// The rows that come from the chain.
    #[command(subcommand)]
    Indexer(indexer::Command),
    /// Put a new market's contracts on a chain.
    Deploy(deploy::Args),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
        match self {
            Self::Up(args) => Box::pin(up::up(&args, settings, ui)).await,
            Self::Doctor => doctor::doctor(settings, ui).await,
            Self::Search(args) => search::search(&args, settings, ui).await,
            Self::Run(args) => Box::pin(run::run(*args, settings, ui)).await,
            Self::Ps => ps::ps(settings, ui).await,
            Self::Status(args) => status::status(&args, settings, ui).await,
            Self::Watch(args) => watch::watch(&args, settings, ui).await,
            Self::Result(args) => result::result(&args, settings, ui).await,
            Self::Logs(args) => logs::logs(&args, settings, ui).await,
            Self::Stop(args) => stop::stop(&args, settings, ui).await,
            Self::Dispute(command) => command.run(settings, ui).await,
            Self::Finalize => finalize::finalize(settings, ui).await,
            Self::Job(command) => command.run(settings, ui).await,
            Self::Lease(command) => command.run(settings, ui).await,
            Self::Receipt(command) => command.run(settings, ui).await,
            Self::Proof(command) => command.run(settings, ui).await,
            Self::Login(args) => login::login(&args, settings, ui).await,
            Self::Logout => login::logout(settings, ui).await,
            Self::Image(command) => command.run(settings, ui).await,
            Self::Content(command) => command.run(settings, ui).await,
            Self::Provider(command) => command.run(settings, ui).await,
            Self::Wallet(command) => command.run(settings, ui).await,
            Self::Gateway(args) => Box::pin(gateway::gateway(&args, settings, ui)).await,
            Self::Indexer(command) => command.run(settings, ui).await,
            Self::Deploy(args) => deploy::deploy(&args, settings, ui).await,
        }
    }
}
