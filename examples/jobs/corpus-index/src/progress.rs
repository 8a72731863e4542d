//! Progress lines that a person and a program can read: `progress 37 indexing 1234/5678 files`.
use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;

/// A stretch of the whole work, in percent, and what is counted in it.
#[derive(Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

pub(crate) const READING: Phase = Phase { name: "reading", unit: "MiB", from: 0, to: 5 };
pub(crate) const INDEXING: Phase = Phase { name: "indexing", unit: "files", from: 5, to: 50 };
pub(crate) const MERGING: Phase = Phase { name: "merging", unit: "term ranges", from: 50, to: 55 };
pub(crate) const COMPARING: Phase = Phase { name: "comparing", unit: "pairs", from: 55, to: 60 };
pub(crate) const SEARCHING: Phase = Phase { name: "searching", unit: "parts for repeated passages", from: 60, to: 97 };
pub(crate) const WRITING: Phase = Phase { name: "writing", unit: "result files", from: 97, to: 100 };

/// Prints each percentage at most once, never a smaller one after a larger one.
pub(crate) struct Progress {
    state: Mutex<State>,
    started: Instant,
}

struct State {
    out: Box<dyn Write + Send>,
    printed: Option<u32>,
    done: usize,
}

impl Progress {
    pub(crate) fn new(out: impl Write + Send + 'static) -> Self {
        let state = State { out: Box::new(out), printed: None, done: 0 };
        Self { state: Mutex::new(state), started: Instant::now() }
    }

    /// Begins counting a phase from zero.
    pub(crate) fn begin(&self, phase: Phase, total: usize) {
        self.update(|state| {
            state.done = 0;
            state.report(phase, total);
        });
    }

    /// Counts `more` pieces of the phase as done.
    pub(crate) fn advance(&self, phase: Phase, more: usize, total: usize) {
        self.update(|state| {
            state.done = (state.done + more).min(total);
            state.report(phase, total);
        });
    }

    /// Writes one readable line, with the time since the start.
    pub(crate) fn log(&self, message: &str) {
        let elapsed = self.started.elapsed().as_secs_f32();
        self.update(|state| {
            // A reader that has gone away must not cost the renter the result.
            let _ = writeln!(state.out, "[{elapsed:7.2} s] {message}");
        });
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut state);
    }
}

impl State {
    fn report(&mut self, phase: Phase, total: usize) {
        let span = u64::from(phase.to - phase.from);
        let share = span * self.done as u64 / (total as u64).max(1);
        let percent = phase.from + u32::try_from(share).unwrap_or(0);
        if self.printed.is_none_or(|printed| percent > printed) {
            self.printed = Some(percent);
            let Phase { name, unit, .. } = phase;
            let _ = writeln!(self.out, "progress {percent} {name} {}/{total} {unit}", self.done);
            let _ = self.out.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn percentages_only_grow() {
        let out = Shared::default();
        let progress = Progress::new(out.clone());
        progress.begin(INDEXING, 200);
        for _ in 0..200 {
            progress.advance(INDEXING, 1, 200);
        }
        progress.begin(MERGING, 0);
        progress.advance(WRITING, 4, 4);
        progress.begin(READING, 9);
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let percents: Vec<u32> = text.lines().map(|line| line.split(' ').nth(1).unwrap().parse().unwrap()).collect();
        assert!(percents.is_sorted_by(|a, b| a < b), "{percents:?}");
        assert_eq!((percents[0], percents.last()), (5, Some(&100)));
        assert!(text.starts_with("progress 5 indexing 0/200 files\n"), "{text}");
    }
}
