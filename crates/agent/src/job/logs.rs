//! The program's output: from the engine's log into the journal, each line once, over any number of interruptions.
//!
//! A line keeps the engine's own time of it, which never falls within one stream. The last line of each stream in the
//! journal therefore says where to go on: lines that are older, or as old and already counted, are passed over.

use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use market::JobId;
use wire::JobNews;
use wire::feed::{LOG_LINE_BYTES_MAX, LogStream};

use crate::AgentError;
use crate::backoff::Backoff;
use crate::engine::{LogPiece, State};
use crate::host::Host;
use crate::journal::{Journal, Kept};

/// Lines of the two streams may stand this much out of order in the engine's log.
const OUT_OF_ORDER: std::time::Duration = std::time::Duration::from_secs(2);

/// Follows a job's output until its program is over and everything it said is kept.
pub(crate) async fn follow(host: Arc<Host>, job: JobId, journal: Journal) {
    let mut backoff = Backoff::default();
    loop {
        // Asked before reading: what a program that is over has said is complete.
        let was_over = matches!(host.engine.state(job).await, Ok(State::Exited { .. } | State::Missing));
        match read(&host, job, &journal).await {
            Ok(()) if was_over => return,
            Ok(()) => backoff = Backoff::default(),
            Err(error) => tracing::warn!(job = %job.short(), %error, "the log broke off; going on where it was"),
        }
        backoff.wait().await;
    }
}

async fn read(host: &Host, job: JobId, journal: &Journal) -> Result<(), AgentError> {
    let mut lines = Lines::after(&journal.kept());
    // From the stream that is further behind on; between the two the engine's order is not exact.
    let lasts = journal.kept().last_log.into_iter().flatten().map(|(at, _)| at);
    let since = lasts.min().and_then(|at| at.checked_sub(OUT_OF_ORDER).ok());
    let pieces = host.engine.logs(job, since).await?;
    keep(journal, &mut lines, pieces).await
}

async fn keep(
    journal: &Journal,
    lines: &mut Lines,
    pieces: impl Stream<Item = Result<LogPiece, AgentError>>,
) -> Result<(), AgentError> {
    let mut pieces = std::pin::pin!(pieces);
    while let Some(piece) = pieces.next().await {
        let Some((stream, at, line)) = lines.take(&piece?) else { continue };
        let kept = journal.kept();
        if let Some(news) = progress(&line, kept.percent) {
            journal.add_at(at, news)?;
        }
        if kept.log_is_full() {
            continue;
        }
        journal.add_at(at, JobNews::JobLog { stream, line })?;
        if journal.kept().log_is_full() {
            let line = "log truncated: the rest of the output is not kept".to_owned();
            journal.add_at(at, JobNews::JobLog { stream: LogStream::Stderr, line })?;
        }
    }
    Ok(())
}

/// Makes lines of pieces and passes over those that are kept already.
#[derive(Debug, Default)]
struct Lines {
    /// Of each stream: the time of the last kept line and how many lines of that time are kept.
    last: [Option<(Timestamp, usize)>; 2],
    /// Streams in the middle of a line that is longer than one piece: its rest is cut.
    inside: [bool; 2],
}

impl Lines {
    fn after(kept: &Kept) -> Self {
        Self { last: kept.last_log, inside: [false; 2] }
    }

    fn take(&mut self, piece: &LogPiece) -> Option<(LogStream, Timestamp, String)> {
        let stream = usize::from(piece.stream == LogStream::Stderr);
        let inside = &mut self.inside[stream];
        let is_rest = std::mem::replace(inside, !piece.text.ends_with(b"\n"));
        if is_rest {
            return None;
        }
        match &mut self.last[stream] {
            Some((last, _)) if piece.at < *last => return None,
            Some((last, count)) if piece.at == *last && *count > 0 => {
                *count -= 1;
                return None;
            }
            _ => {}
        }
        let text = String::from_utf8_lossy(&piece.text);
        Some((piece.stream, piece.at, cut(text.trim_end_matches(['\n', '\r'])).to_owned()))
    }
}

/// The line as far as it may travel, cut between characters.
fn cut(line: &str) -> &str {
    let mut end = line.len().min(LOG_LINE_BYTES_MAX);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    &line[..end]
}

/// Reads `progress <0-100> message`; `None` for any other line and for progress that does not rise.
fn progress(line: &str, before: Option<u8>) -> Option<JobNews> {
    let rest = line.strip_prefix("progress ")?;
    let (percent, message) = rest.split_once(' ').unwrap_or((rest, ""));
    let percent: u8 = percent.trim_end_matches('%').parse().ok()?;
    if percent > 100 || before.is_some_and(|before| percent <= before) {
        return None;
    }
    Some(JobNews::JobProgress { percent, message: message.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(stream: LogStream, at: i64, text: &str) -> LogPiece {
        LogPiece { stream, at: Timestamp::from_second(at).unwrap(), text: text.to_owned().into() }
    }

    #[tokio::test]
    async fn whatever_the_interruption_each_line_is_kept_once() {
        let out = |at, text: &str| piece(LogStream::Stdout, at, text);
        // The error line was written to the engine's log after a later line of the output.
        let all = [out(1, "a\n"), out(5, "b\n"), out(5, "b\n"), piece(LogStream::Stderr, 4, "c\n"), out(6, "d\n")];
        for cut_at in 0..=all.len() {
            let dir = tempfile::tempdir().unwrap();
            let journal = Journal::open(&dir.path().join("journal"), Arc::default()).unwrap();
            // The engine replays from a little before the last line on.
            for end in [cut_at, all.len()] {
                let lasts = journal.kept().last_log.into_iter().flatten();
                let since = lasts.map(|(at, _)| at.as_second()).min().unwrap_or(0) - 2;
                let replay = all[..end].iter().filter(|piece| piece.at.as_second() >= since).cloned().map(Ok);
                let mut lines = Lines::after(&journal.kept());
                keep(&journal, &mut lines, futures_util::stream::iter(replay.collect::<Vec<_>>())).await.unwrap();
            }
            assert_eq!(journal.log_text().unwrap(), "a\nb\nb\nc\nd\n", "cut at {cut_at}");
        }
    }

    #[tokio::test]
    async fn long_lines_are_cut_and_long_logs_end_with_a_word() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(&dir.path().join("journal"), Arc::default()).unwrap();
        let long = "é".repeat(LOG_LINE_BYTES_MAX);
        let pieces = [piece(LogStream::Stdout, 1, &long[..LOG_LINE_BYTES_MAX]), piece(LogStream::Stdout, 1, "rest\n")];
        let mut lines = Lines::default();
        keep(&journal, &mut lines, futures_util::stream::iter(pieces.map(Ok))).await.unwrap();
        assert_eq!(journal.log_text().unwrap().len(), LOG_LINE_BYTES_MAX + 1);
        let flood = (0..2000).map(|at| Ok(piece(LogStream::Stdout, 10 + at, &format!("{}\n", "x".repeat(16_000)))));
        keep(&journal, &mut lines, futures_util::stream::iter(flood.collect::<Vec<_>>())).await.unwrap();
        let text = journal.log_text().unwrap();
        assert!(text.len() as u64 <= crate::limits::LOG_KEPT_BYTES_MAX + 2 * LOG_LINE_BYTES_MAX as u64);
        assert_eq!(text.matches("log truncated").count(), 1);
        assert!(text.trim_end().ends_with("is not kept"));
    }

    #[test]
    fn progress_never_falls() {
        let read = |line, before| match progress(line, before) {
            Some(JobNews::JobProgress { percent, message }) => Some((percent, message)),
            _ => None,
        };
        assert_eq!(read("progress 40 half way", None), Some((40, "half way".into())));
        assert_eq!(read("progress 0", None), Some((0, String::new())));
        assert_eq!(read("progress 41% x", Some(40)), Some((41, "x".into())));
        for line in
            ["progress 40 again", "progress 39 back", "progress 101 over", "progress -1", "progress", "in progress 50"]
        {
            assert_eq!(read(line, Some(40)), None, "{line}");
        }
    }
}
