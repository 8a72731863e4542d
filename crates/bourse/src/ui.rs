//! The only place that writes to the terminal: answers to standard output, everything else to standard error.

use std::{
    fmt::Display,
    io::{IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::failure::Failure;

/// How to talk to whoever called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    json: bool,
    terminal: bool,
}

impl Ui {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, terminal: std::io::stderr().is_terminal() }
    }

    /// The answer: one JSON line, or the text for people.
    pub(crate) fn answer(&self, answer: &impl Serialize, text: impl FnOnce() -> String) {
        let line = if self.json {
            serde_json::to_string(answer).unwrap_or_else(|err| format!(r#"{{"error":"{err}"}}"#))
        } else {
            text()
        };
        write_line(&mut std::io::stdout().lock(), &line);
    }

    /// A line of a job's output, as it came.
    pub(crate) fn output(&self, line: &str) {
        write_line(&mut std::io::stdout().lock(), line);
    }

    /// A step that was taken.
    pub(crate) fn step(&self, what: &str, detail: impl Display) {
        self.say(format_args!("{} {what:<9} {detail}", self.paint("32", "✔")));
    }

    /// Something that goes on.
    pub(crate) fn note(&self, detail: impl Display) {
        self.say(format_args!("{} {detail}", self.paint("33", "•")));
    }

    /// Something that a person must not overlook.
    pub(crate) fn warn(&self, detail: impl Display) {
        self.say(format_args!("{} {detail}", self.paint("31", "!")));
    }

    /// A line of a job's output while it is watched.
    pub(crate) fn log(&self, line: &str) {
        self.say(format_args!("  {} {line}", self.paint("2", "│")));
    }

    /// Plain words.
    pub(crate) fn say(&self, line: impl Display) {
        write_line(&mut std::io::stderr().lock(), &line.to_string());
    }

    /// A bar that is only drawn on a terminal.
    pub(crate) fn bar(&self, what: &'static str) -> ProgressBar {
        let style = ProgressStyle::with_template(
            "  {msg:<22} {bar:30.cyan/dim} {bytes:>10} / {total_bytes:<10} {bytes_per_sec}",
        );
        let target = if self.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target).with_message(what);
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// A bar for a program's own progress, drawn once there is some.
    pub(crate) fn percent_bar(&self) -> ProgressBar {
        let target = if self.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(100), target);
        if let Ok(style) = ProgressStyle::with_template("  {bar:30.green/dim} {percent:>3} % {msg}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar
    }

    /// Asks before money moves. Nobody to ask means no.
    pub(crate) fn confirm(&self, question: &str) -> Result<bool, Failure> {
        if !std::io::stdin().is_terminal() {
            return Err(Failure::Usage(format!("{question} Nobody can be asked here: add -y to go on, or --dry-run")));
        }
        let mut stderr = std::io::stderr().lock();
        write!(stderr, "{question} [y/N] ")?;
        stderr.flush()?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        Ok(matches!(line.trim(), "y" | "Y" | "yes"))
    }

    /// The last word of a failed call.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        if self.json {
            let answer = serde_json::json!({ "error": failure.to_string() });
            write_line(&mut std::io::stdout().lock(), &answer.to_string());
        }
        self.say(format_args!("{} {failure}", self.paint("31", "✘")));
        failure.code()
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.terminal { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A closed pipe is the reader's wish, not an error.
fn write_line(to: &mut impl Write, line: &str) {
    let _ = writeln!(to, "{line}");
}
