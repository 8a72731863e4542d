//! `bourse logs JOB`: a job's output, as its agent relays it.

use std::process::ExitCode;

use renter::FeedItem;
use wire::{JobEvent, JobNews, feed::Phase};

use crate::{answer, failure::Failure, settings::Settings, signals, ui::Ui};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The job's id, or its first digits.
    #[arg(value_parser = answer::typed)]
    job: String,
    /// Go on until the job is done.
    #[arg(short, long)]
    follow: bool,
}

pub(crate) async fn logs(args: &Args, settings: &Settings, ui: &Ui) -> Result<ExitCode, Failure> {
    let (renter, _) = super::run::reader(settings).await?;
    let job = renter.jobs().find(&args.job)?;
    let stop = signals::shutdown()?;
    let mut feed = renter.feed(&job, 0)?;
    while let Some(Some(item)) = stop.run_until_cancelled(feed.next()).await {
        match item {
            FeedItem::News(event) => {
                if show(&event, settings.json, ui) {
                    break;
                }
            }
            FeedItem::Down(reason) => ui.note(format_args!("lost the gateway ({reason}); trying again")),
            FeedItem::Resync => ui.note("older lines are no longer kept at the gateway"),
            FeedItem::Current if !args.follow => break,
            FeedItem::Up | FeedItem::Current => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows one piece of news, or with --json every piece as a line; true when nothing comes after it.
fn show(event: &JobEvent, json: bool, ui: &Ui) -> bool {
    if json {
        ui.answer(event, String::new);
    } else {
        match &event.news {
            JobNews::JobLog { line, .. } => ui.output(line),
            JobNews::JobDeclined { reason } => ui.warn(format_args!("declined: {reason}")),
            _ => {}
        }
    }
    matches!(event.news, JobNews::JobStatusChanged { phase: Phase::Done })
}
