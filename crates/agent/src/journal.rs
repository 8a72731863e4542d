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
use crate::limits::{FEED_AHEAD_MAX, LOG_KEPT_BYTES_MAX, LOG_LINE_OVERHEAD_BYTES};

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
    file: Arc<File>,
    /// Where each event begins; one more for the end.
    offsets: Vec<u64>,
    /// The last event that a power cut leaves.
    synced: u64,
    /// The last event that may have left this machine: one that was here when the journal was opened, or was sent
    /// since.
    gone: u64,
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

impl Inner {
    /// The number of the last event.
    fn last(&self) -> u64 {
        self.offsets.len() as u64 - 1
    }

    /// Writes at `end`, where everything known ends.
    fn write(&self, end: u64, text: &[u8]) -> Result<(), AgentError> {
        let mut file = &*self.file;
        let written = file.seek(SeekFrom::Start(end)).and_then(|_| file.write_all(text));
        written.map_err(|error| {
            // What was half written is overwritten by the next event or cut at the next opening.
            drop(file.set_len(end));
            AgentError::io(&self.path)(error)
        })
    }

    fn after(&self, seq: u64, limit: usize) -> Result<Vec<JobEvent>, AgentError> {
        let first = usize::try_from(seq).unwrap_or(usize::MAX);
        let last = first.saturating_add(limit).min(self.offsets.len() - 1);
        if first >= last {
            return Ok(Vec::new());
        }
        let (from, to) = (self.offsets[first], self.offsets[last]);
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(from)).map_err(AgentError::io(&self.path))?;
        let mut text = String::new();
        file.take(to - from).read_to_string(&mut text).map_err(AgentError::io(&self.path))?;
        let read = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        read.map_err(|error| AgentError::BadState { path: self.path.clone(), reason: error.to_string() })
    }

    fn line(&self, event: &JobEvent) -> Result<Vec<u8>, AgentError> {
        let mut line = serde_json::to_vec(event)
            .map_err(|error| AgentError::BadState { path: self.path.clone(), reason: error.to_string() })?;
        line.push(b'\n');
        Ok(line)
    }

    /// Gives what never left this machine numbers from `seq + 1` on and fills the ones before.
    fn push_back(&mut self, seq: u64) -> Result<(), AgentError> {
        let floor = self.gone;
        let tail = self.after(floor, usize::MAX)?;
        let kept = usize::try_from(floor).unwrap_or(usize::MAX).saturating_add(1);
        let start = self.offsets[kept - 1];
        let phase = self.kept.phase.unwrap_or(Phase::Accepted);
        let filler = |seq| JobEvent { seq, at: Timestamp::now(), news: JobNews::JobStatusChanged { phase } };
        let moved = (seq + 1..).zip(tail).map(|(seq, event)| JobEvent { seq, ..event });
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        for event in (floor + 1..=seq).map(filler).chain(moved) {
            text.extend(self.line(&event)?);
            ends.push(start + text.len() as u64);
        }
        self.offsets.truncate(kept);
        self.synced = self.synced.min(floor);
        self.write(start, &text)?;
        self.offsets.extend(ends);
        self.kept.phase = Some(phase);
        self.gone = seq;
        Ok(())
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
        // The file's name must survive a power cut as its content does.
        let dir = path.parent().unwrap_or(Path::new("."));
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(AgentError::io(path))?;
        let gone = offsets.len() as u64 - 1;
        let last = AtomicU64::new(gone);
        let inner = Inner { path: path.to_owned(), file: Arc::new(file), offsets, synced: 0, gone, kept };
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
        let line = inner.line(&event)?;
        let end = inner.offsets.last().copied().unwrap_or_default();
        let inner = &mut *inner;
        inner.write(end, &line)?;
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
        self.inner().after(seq, limit)
    }

    /// Up to `limit` events after number `seq`, to be sent: a power cut takes none of them back. One sync for all.
    pub(crate) async fn outgoing(&self, seq: u64, limit: usize) -> Result<Vec<JobEvent>, AgentError> {
        let (events, here, unsynced) = {
            let mut inner = self.inner();
            let events = inner.after(seq, limit)?;
            let last = events.last().map_or(0, |event| event.seq);
            inner.gone = inner.gone.max(last);
            let unsynced = (inner.synced < last).then(|| (inner.file.clone(), inner.path.clone()));
            (events, inner.last(), unsynced)
        };
        if let Some((file, path)) = unsynced {
            let synced = tokio::task::spawn_blocking(move || file.sync_data()).await;
            synced.map_err(|_| AgentError::ShuttingDown)?.map_err(AgentError::io(&path))?;
            let mut inner = self.inner();
            inner.synced = inner.synced.max(here);
        }
        Ok(events)
    }

    /// The gateway says that it holds everything up to `seq`; gives up to where that is what is written here. A gateway
    /// that holds more remembers news which this machine lost, so what was written since then gets numbers after its;
    /// those between are filled, for another gateway wants them without gaps. `None` for a number past belief.
    pub(crate) fn align(&self, seq: u64) -> Result<Option<u64>, AgentError> {
        let mut inner = self.inner();
        let floor = inner.gone;
        if seq <= floor {
            return Ok(Some(seq));
        }
        if seq - floor > FEED_AHEAD_MAX {
            return Ok(None);
        }
        let moved = inner.push_back(seq);
        self.last.store(inner.last(), Ordering::Release);
        moved.map(|()| Some(floor))
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

    #[tokio::test]
    async fn a_gateway_that_is_ahead_is_told_what_is_new_after_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let journal = Journal::open(&path, Arc::default()).unwrap();
        for text in ["a", "b"] {
            journal.add(line(text)).unwrap();
        }
        drop(journal);
        // The power was cut: the gateway got five, two are here, and two more were written since.
        let journal = Journal::open(&path, Arc::default()).unwrap();
        assert_eq!(journal.align(1).unwrap(), Some(1), "a gateway that is behind is told the rest");
        for text in ["c", "d"] {
            journal.add(line(text)).unwrap();
        }
        assert_eq!(journal.align(FEED_AHEAD_MAX + 3).unwrap(), None, "a lie");
        assert_eq!(journal.align(5).unwrap(), Some(2), "what it holds beyond is not ours");
        let texts = |events: Vec<JobEvent>| -> Vec<(u64, JobNews)> {
            events.into_iter().map(|event| (event.seq, event.news)).collect()
        };
        assert_eq!(texts(journal.outgoing(5, 9).await.unwrap()), [(6, line("c")), (7, line("d"))]);
        assert_eq!(journal.align(7).unwrap(), Some(7), "what was sent is believed");
        journal.add(line("e")).unwrap();
        assert_eq!(journal.log_text().unwrap(), "a\nb\nc\nd\ne\n");
        drop(journal);
        let journal = Journal::open(&path, Arc::default()).unwrap();
        let seqs: Vec<u64> = journal.after(0, 99).unwrap().iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=8).collect::<Vec<_>>(), "without gaps, for another gateway");
    }

    #[tokio::test]
    async fn what_leaves_was_synced_and_one_sync_does_for_all() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(&dir.path().join("journal"), Arc::default()).unwrap();
        for text in ["a", "b", "c"] {
            journal.add(line(text)).unwrap();
        }
        let marks = || {
            let inner = journal.inner();
            (inner.synced, inner.gone)
        };
        assert_eq!(marks(), (0, 0));
        assert_eq!(journal.outgoing(0, 2).await.unwrap().len(), 2);
        assert_eq!(marks(), (3, 2));
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
