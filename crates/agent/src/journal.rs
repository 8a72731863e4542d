//! A job's news on disk: one JSON line each, numbered without gaps, appended only. A torn last line is cut off.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use wire::feed::{LogStream, Phase};
use wire::{JobEvent, JobNews};

use crate::AgentError;
use crate::limits::{LOG_KEPT_BYTES_MAX, LOG_LINE_OVERHEAD_BYTES};

/// The news of one job; clones share the file.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    inner: Arc<Mutex<Inner>>,
    /// The number of the last event.
    last: Arc<AtomicU64>,
    /// Woken with each event.
    wake: Arc<Notify>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: File,
    /// Where each event begins; one more for the end.
    offsets: Vec<u64>,
    kept: Kept,
}

/// What the journal holds, as far as later events depend on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Log bytes with their overhead.
    pub(crate) log_bytes: u64,
    /// Of standard output and standard error: the engine's time of the last line, and how many lines of that stream
    /// have that very time.
    pub(crate) last_log: [Option<(Timestamp, usize)>; 2],
    /// The highest progress told.
    pub(crate) percent: Option<u8>,
    /// The last phase told.
    pub(crate) phase: Option<Phase>,
    /// The readiness record was published, and how often.
    pub(crate) ready: usize,
    /// The end was told.
    pub(crate) ended: bool,
}

impl Kept {
    /// No further line is kept.
    pub(crate) fn log_is_full(&self) -> bool {
        self.log_bytes > LOG_KEPT_BYTES_MAX
    }

    fn add(&mut self, event: &JobEvent) {
        match &event.news {
            JobNews::JobLog { stream, line } => {
                self.log_bytes += line.len() as u64 + LOG_LINE_OVERHEAD_BYTES;
                let last = &mut self.last_log[usize::from(*stream == LogStream::Stderr)];
                let same = match *last {
                    Some((at, count)) if at == event.at => count + 1,
                    _ => 1,
                };
                *last = Some((event.at, same));
            }
            JobNews::JobProgress { percent, .. } => self.percent = self.percent.max(Some(*percent)),
            JobNews::JobStatusChanged { phase } => self.phase = Some(*phase),
            JobNews::JobReady { .. } => self.ready += 1,
            JobNews::JobCompleted { .. } | JobNews::JobDeclined { .. } => self.ended = true,
            JobNews::JobFetch { .. } | JobNews::JobBeat { .. } => {}
        }
    }
}

impl Journal {
    /// Opens the journal at `path`, making it where there is none, and cuts off what a crash left unfinished.
    pub(crate) fn open(path: &Path, wake: Arc<Notify>) -> Result<Self, AgentError> {
        let mut options = OpenOptions::new();
        let mut file =
            options.create(true).truncate(false).read(true).write(true).open(path).map_err(AgentError::io(path))?;
        let (mut offsets, mut kept, mut end) = (vec![0], Kept::default(), 0);
        let mut reader = BufReader::new(&mut file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(AgentError::io(path))?;
            let event = serde_json::from_slice::<JobEvent>(&line).ok();
            let Some(event) = event.filter(|event| line.ends_with(b"\n") && event.seq == offsets.len() as u64) else {
                break;
            };
            kept.add(&event);
            end += read as u64;
            offsets.push(end);
        }
        drop(reader);
        file.set_len(end).map_err(AgentError::io(path))?;
        let last = AtomicU64::new(offsets.len() as u64 - 1);
        let inner = Inner { path: path.to_owned(), file, offsets, kept };
        Ok(Self { inner: Arc::new(Mutex::new(inner)), last: Arc::new(last), wake })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change under the lock is complete before anything in it can panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds news of this moment.
    pub(crate) fn add(&self, news: JobNews) -> Result<(), AgentError> {
        self.add_at(Timestamp::now(), news)
    }

    /// Adds news that happened `at`.
    pub(crate) fn add_at(&self, at: Timestamp, news: JobNews) -> Result<(), AgentError> {
        let mut inner = self.inner();
        let seq = inner.offsets.len() as u64;
        let event = JobEvent { seq, at, news };
        let mut line = serde_json::to_vec(&event)
            .map_err(|error| AgentError::BadState { path: inner.path.clone(), reason: error.to_string() })?;
        line.push(b'\n');
        let end = inner.offsets.last().copied().unwrap_or_default();
        let inner = &mut *inner;
        let written = inner.file.seek(SeekFrom::Start(end)).and_then(|_| inner.file.write_all(&line));
        if let Err(error) = written {
            // What was half written is overwritten by the next event or cut at the next opening.
            drop(inner.file.set_len(end));
            return Err(AgentError::io(&inner.path)(error));
        }
        inner.offsets.push(end + line.len() as u64);
        inner.kept.add(&event);
        self.last.store(seq, Ordering::Release);
        self.wake.notify_one();
        Ok(())
    }

    /// Tells a phase once.
    pub(crate) fn phase(&self, phase: Phase) -> Result<(), AgentError> {
        if self.kept().phase == Some(phase) {
            return Ok(());
        }
        self.add(JobNews::JobStatusChanged { phase })
    }

    /// What it holds.
    pub(crate) fn kept(&self) -> Kept {
        self.inner().kept.clone()
    }

    /// The number of the last event, 0 for none.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// Up to `limit` events after number `seq`.
    pub(crate) fn after(&self, seq: u64, limit: usize) -> Result<Vec<JobEvent>, AgentError> {
        let mut inner = self.inner();
        let first = usize::try_from(seq).unwrap_or(usize::MAX);
        let last = first.saturating_add(limit).min(inner.offsets.len() - 1);
        if first >= last {
            return Ok(Vec::new());
        }
        let (from, to) = (inner.offsets[first], inner.offsets[last]);
        let path = inner.path.clone();
        inner.file.seek(SeekFrom::Start(from)).map_err(AgentError::io(&path))?;
        let mut text = String::new();
        (&mut inner.file).take(to - from).read_to_string(&mut text).map_err(AgentError::io(&path))?;
        let read = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        read.map_err(|error| AgentError::BadState { path, reason: error.to_string() })
    }

    /// The complete log as text.
    pub(crate) fn log_text(&self) -> Result<String, AgentError> {
        let (mut text, mut seq) = (String::new(), 0);
        loop {
            let events = self.after(seq, crate::limits::LINK_BATCH)?;
            let Some(last) = events.last() else { return Ok(text) };
            seq = last.seq;
            for event in events {
                if let JobNews::JobLog { line, .. } = event.news {
                    text.push_str(&line);
                    text.push('\n');
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> JobNews {
        JobNews::JobLog { stream: LogStream::Stdout, line: text.into() }
    }

    #[test]
    fn numbers_go_on_after_a_torn_tail() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let journal = Journal::open(&path, Arc::default()).unwrap();
        let at = Timestamp::from_second(7).unwrap();
        for text in ["a", "b", &"c".repeat(100)] {
            journal.add_at(at, line(text)).unwrap();
        }
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let journal = Journal::open(&path, Arc::default()).unwrap();
            let kept = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(journal.last(), kept as u64);
            assert_eq!(journal.kept().last_log[0].map_or(0, |(_, count)| count), kept);
            journal.add(line("d")).unwrap();
            let events = journal.after(0, 10).unwrap();
            let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
            assert_eq!(seqs, (1..=kept as u64 + 1).collect::<Vec<_>>());
            assert!(journal.log_text().unwrap().ends_with("d\n"));
            assert!(
                std::fs::read(&path).unwrap().ends_with(b"\n"),
                "nothing of the torn line stays behind the new one"
            );
        }
    }

    #[test]
    fn a_phase_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(&dir.path().join("journal"), Arc::default()).unwrap();
        journal.phase(Phase::Accepted).unwrap();
        journal.phase(Phase::Accepted).unwrap();
        journal.phase(Phase::Fetching).unwrap();
        assert_eq!(journal.last(), 2);
    }
}
