//! The only place that writes to the terminal: answers to standard output, everything else to standard error.

use std::{
    fmt::Display,
    io::{IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
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

    /// A line of a job's output: as it came for programs, tamed for a terminal.
    pub(crate) fn output(&self, line: &str) {
        let mut stdout = std::io::stdout().lock();
        if stdout.is_terminal() {
            write_line(&mut stdout, &tame(line));
        } else {
            write_line(&mut stdout, line);
        }
    }

    /// A step that was taken.
    pub(crate) fn step(&self, what: &str, detail: impl Display) {
        self.show(format_args!("{} {what:<9} {}", self.paint("32", "✔"), tame(&detail.to_string())));
    }

    /// Something that goes on.
    pub(crate) fn note(&self, detail: impl Display) {
        self.show(format_args!("{} {}", self.paint("33", "•"), tame(&detail.to_string())));
    }

    /// Something that a person must not overlook.
    pub(crate) fn warn(&self, detail: impl Display) {
        self.show(format_args!("{} {}", self.paint("31", "!"), tame(&detail.to_string())));
    }

    /// A line of a job's output while it is watched.
    pub(crate) fn log(&self, line: &str) {
        self.show(format_args!("  {} {}", self.paint("2", "│"), tame(line)));
    }

    /// Plain words.
    pub(crate) fn say(&self, line: impl Display) {
        self.show(tame(&line.to_string()));
    }

    /// A line that may hold colours of ours, and nothing of a stranger's that was not tamed.
    fn show(&self, line: impl Display) {
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

    /// A sign of life while something is waited for.
    pub(crate) fn spinner(&self, what: &'static str) -> ProgressBar {
        let target = if self.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// A clock that runs, with what `tell` makes of its time.
    pub(crate) fn clock_bar(
        &self,
        elapsed: Duration,
        tell: impl Fn(Duration) -> String + Clone + Send + Sync + 'static,
    ) -> ProgressBar {
        let target = if self.terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(100), target).with_elapsed(elapsed);
        if let Ok(style) = ProgressStyle::with_template("  {spinner:.green} {clock}") {
            let clock = move |state: &ProgressState, to: &mut dyn std::fmt::Write| {
                // What cannot be drawn is drawn next time.
                let _ = to.write_str(&tell(state.elapsed()));
            };
            bar.set_style(style.with_key("clock", clock).progress_chars("━╸─"));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// Has a clock show a program's progress too.
    pub(crate) fn with_percent(&self, bar: &ProgressBar) {
        let template = "  {bar:30.green/dim} {percent:>3} % {msg} ({clock})";
        if let Ok(style) = bar.style().template(template) {
            bar.set_style(style);
        }
    }

    /// A bar for progress in percent.
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
        self.show(format_args!("{} {}", self.paint("31", "✘"), tame(&failure.to_string())));
        failure.code()
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.terminal { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Makes what strangers wrote (names, reasons, log lines) harmless for a terminal: a control character could move the
/// cursor over a price, hide text or fill the clipboard. Shown as `\u{1b}` instead.
pub(crate) fn tame(text: &str) -> String {
    let is_wild = |c: char| {
        c.is_control() && c != '\t' && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut tamed, c| {
        if is_wild(c) {
            tamed.extend(c.escape_unicode());
        } else {
            tamed.push(c);
        }
        tamed
    })
}

/// A closed pipe is the reader's wish, not an error.
fn write_line(to: &mut impl Write, line: &str) {
    let _ = writeln!(to, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_words_cannot_steer_the_terminal() {
        assert_eq!(tame("H100\x1b[8m \x07\u{202e}evil\r"), "H100\\u{1b}[8m \\u{7}\\u{202e}evil\\u{d}");
        assert_eq!(tame("plain, ünïcode\tand lines\n"), "plain, ünïcode\tand lines\n");
    }
}
