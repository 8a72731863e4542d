//! A job as it happens, for whoever watches the terminal.

use indicatif::ProgressBar;
use market::{Seconds, Stream};
use renter::Update;
use wire::feed::Phase;

use crate::{
    answer::{self, Token},
    commands::status,
    ui::Ui,
};

/// What is drawn while a job is followed.
pub(crate) struct Screen<'a> {
    ui: &'a Ui,
    token: Token,
    /// What a second costs.
    stream: Stream,
    fetching: Option<(String, ProgressBar)>,
    /// The clock while it runs, and the program's own progress where it tells some.
    progress: ProgressBar,
    percent: Option<u8>,
}

/// How a program's line of progress begins.
const PROGRESS: &str = "progress ";

impl<'a> Screen<'a> {
    pub(crate) fn new(ui: &'a Ui, token: Token, stream: Stream) -> Self {
        Self { ui, token, stream, fetching: None, progress: ProgressBar::hidden(), percent: None }
    }

    pub(crate) fn update(&mut self, update: Update) {
        if !matches!(update, Update::Fetch { .. }) {
            self.fetched();
        }
        if matches!(update, Update::Ended(_)) {
            self.progress.finish_and_clear();
        }
        let (ui, bar) = (self.ui, self.progress.clone());
        let step = |what: &str, detail: std::fmt::Arguments<'_>| bar.suspend(|| ui.step(what, detail));
        match update {
            Update::Phase(phase) => self.phase(phase),
            Update::Fetch { what, bytes, total_bytes } => self.fetch(what, bytes, total_bytes),
            Update::Accepted { tx } => {
                step("accepted", format_args!("by the provider (tx {})", answer::short(&tx)));
            }
            Update::Ready(record) => {
                step(
                    "ready",
                    format_args!("container {} waits for the clock to start", answer::short(&record.container_id)),
                );
            }
            Update::Started { tx, at } => {
                step("started", format_args!("the clock runs (tx {})", answer::short(&tx)));
                self.clock(at.0);
            }
            // Lines of progress come a second time as what they mean.
            Update::Log { line, .. } if line.starts_with(PROGRESS) => {}
            Update::Log { line, .. } => self.progress.suspend(|| self.ui.log(&line)),
            Update::Progress { percent, message } => self.percent(percent, &message),
            Update::Paid { amount } => {
                step("paid", format_args!("{} to the provider", self.token.show(amount)));
            }
            Update::Ended(outcome) => step("ended", format_args!("{}", status::outcome(outcome))),
            Update::Note(note) => bar.suspend(|| ui.note(note)),
        }
    }

    fn phase(&self, phase: Phase) {
        self.progress.suspend(|| match phase {
            Phase::Preparing => self.ui.step("verified", "image and inputs, block by block, at the provider"),
            Phase::Collecting => self.ui.note("the program ended; its output is stored"),
            _ => {}
        });
    }

    /// Draws the clock and what it costs so far, as this machine counts it; the chain has the last word.
    fn clock(&mut self, started: u64) {
        let ran = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(started).saturating_sub(started);
        let (stream, token) = (self.stream, self.token.clone());
        let cost = move |elapsed: std::time::Duration| {
            let seconds = Seconds(elapsed.as_secs()).min(stream.duration);
            format!("{seconds} of {}, {} so far", stream.duration, token.show(stream.earned(seconds)))
        };
        self.progress = self.ui.clock_bar(std::time::Duration::from_secs(ran), cost);
    }

    fn fetch(&mut self, what: String, bytes: u64, total_bytes: Option<u64>) {
        if self.fetching.as_ref().is_some_and(|(before, _)| *before != what) {
            self.fetched();
        }
        let ui = self.ui;
        let (_, bar) = self.fetching.get_or_insert_with(|| (what, ui.bar("provider fetches")));
        bar.set_length(total_bytes.unwrap_or(bytes));
        bar.set_position(bytes);
    }

    /// A bar where one can be drawn, else a line for each step.
    fn percent(&mut self, percent: u8, message: &str) {
        if self.percent.is_some_and(|before| percent <= before) {
            return;
        }
        self.percent = Some(percent);
        if self.progress.is_hidden() {
            self.ui.log(&format!("{percent:>3} % {message}"));
        } else {
            self.ui.with_percent(&self.progress);
            self.progress.set_position(percent.into());
            self.progress.set_message(crate::ui::tame(message));
        }
    }

    fn fetched(&mut self) {
        if let Some((what, bar)) = self.fetching.take() {
            let bytes = bar.position();
            bar.finish_and_clear();
            self.ui.step("fetched", format_args!("{what} by the provider ({})", answer::bytes(bytes)));
        }
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
        self.fetched();
    }
}
