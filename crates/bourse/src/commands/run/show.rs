//! A job as it happens, for whoever watches the terminal.

use indicatif::ProgressBar;
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
    fetching: Option<(String, ProgressBar)>,
    progress: ProgressBar,
    percent: Option<u8>,
}

/// How a program's line of progress begins.
const PROGRESS: &str = "progress ";

impl<'a> Screen<'a> {
    pub(crate) fn new(ui: &'a Ui, token: Token) -> Self {
        Self { ui, token, fetching: None, progress: ui.percent_bar(), percent: None }
    }

    pub(crate) fn update(&mut self, update: Update) {
        if !matches!(update, Update::Fetch { .. }) {
            self.fetched();
        }
        if matches!(update, Update::Ended(_)) {
            self.progress.finish_and_clear();
        }
        match update {
            Update::Phase(phase) => self.phase(phase),
            Update::Fetch { what, bytes, total_bytes } => self.fetch(what, bytes, total_bytes),
            Update::Accepted { tx } => {
                self.ui.step("accepted", format_args!("by the provider (tx {})", answer::short(&tx)));
            }
            Update::Ready(record) => {
                self.ui.step(
                    "ready",
                    format_args!("container {} waits; letting the clock start", answer::short(&record.container_id)),
                );
            }
            Update::Started { tx, .. } => {
                self.ui.step("started", format_args!("the clock runs (tx {})", answer::short(&tx)));
            }
            // Lines of progress come a second time as what they mean.
            Update::Log { line, .. } if line.starts_with(PROGRESS) => {}
            Update::Log { line, .. } => self.progress.suspend(|| self.ui.log(&line)),
            Update::Progress { percent, message } => self.percent(percent, message),
            Update::Paid { amount } => {
                self.ui.step("paid", format_args!("{} to the provider", self.token.show(amount)));
            }
            Update::Ended(outcome) => self.ui.step("ended", status::outcome(outcome)),
            Update::Note(note) => self.ui.note(note),
        }
    }

    fn phase(&self, phase: Phase) {
        match phase {
            Phase::Preparing => self.ui.step("verified", "image and inputs, block by block, at the provider"),
            Phase::Collecting => self.ui.note("the program ended; its output is stored"),
            _ => {}
        }
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
    fn percent(&mut self, percent: u8, message: String) {
        if self.percent.is_some_and(|before| percent <= before) {
            return;
        }
        self.percent = Some(percent);
        if self.progress.is_hidden() {
            self.ui.log(&format!("{percent:>3} % {message}"));
        } else {
            self.progress.set_position(percent.into());
            self.progress.set_message(message);
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
