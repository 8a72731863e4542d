//! A log of lines, each with its own checksum, so that a torn end costs only the last of them.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::segment::sync_dir;
use crate::error::{Error, Result};

/// A log is written anew once it has this many lines more than it needs.
const SPARE_LINES: usize = 1024;

#[derive(Debug)]
pub(super) struct Log {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    length: u64,
    lines: usize,
    /// Lines that the disk had no room for; they go before the next ones.
    owed: Vec<String>,
}

fn line(body: &str) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(body.as_bytes());
    format!("{:08x} {body}\n", crc.sum())
}

impl Log {
    /// Opens the log `name`, making it where there is none, cuts off a torn end, and gives every whole line to `take`,
    /// which says whether it understands it. The second value says whether it did and all were whole; what is not costs
    /// only itself and goes when the log is written anew.
    pub(super) fn open(dir: &Path, name: &str, take: &mut dyn FnMut(&str) -> bool) -> Result<(Log, bool)> {
        let path = dir.join(name);
        let options = || OpenOptions::new().append(true).create(true).open(&path);
        let is_new = !path.exists();
        let file = options().map_err(Error::io(&path))?;
        if is_new {
            sync_dir(dir)?;
        }
        let mut bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            bytes.truncate(whole);
            file.set_len(whole as u64).map_err(Error::io(&path))?;
        }
        let text = String::from_utf8_lossy(&bytes);
        let (mut is_clean, mut lines) = (true, 0);
        for text in text.lines() {
            lines += 1;
            let body = text.split_once(' ').map(|(_, body)| body);
            let body = body.filter(|body| line(body).trim_end_matches('\n') == text);
            is_clean &= body.is_some_and(&mut *take);
        }
        Ok((Log { dir: dir.to_owned(), path, file, length: bytes.len() as u64, lines, owed: Vec::new() }, is_clean))
    }

    /// Adds lines durably, with one sync. On failure the log is as it was.
    pub(super) fn append<'a>(&mut self, bodies: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let (mut text, mut count) = (String::new(), 0);
        for body in self.owed.iter().map(String::as_str) {
            text.push_str(&line(body));
            count += 1;
        }
        for body in bodies {
            text.push_str(&line(body));
            count += 1;
        }
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            drop(self.file.set_len(self.length));
            return Err(Error::io(&self.path)(source));
        }
        self.length += text.len() as u64;
        self.lines += count;
        self.owed.clear();
        Ok(())
    }

    /// [`append`](Self::append) for a line that may wait where the disk is full: what it says helps to make room.
    pub(super) fn append_or_owe(&mut self, body: &str) -> Result<()> {
        match self.append([body]) {
            Err(Error::DiskFull { .. }) => {
                self.owed.push(body.to_owned());
                Ok(())
            }
            done => done,
        }
    }

    /// Writes the lines that waited for room.
    pub(super) fn settle(&mut self) -> Result<()> {
        if self.owed.is_empty() { Ok(()) } else { self.append([]) }
    }

    /// Puts these lines in the place of all.
    fn rewrite(&mut self, bodies: impl Iterator<Item = String>) -> Result<()> {
        let mut lines = 0;
        let text: String = bodies.inspect(|_| lines += 1).map(|body| line(&body)).collect();
        let io = Error::io;
        let mut fresh = tempfile::NamedTempFile::new_in(&self.dir).map_err(io(&self.path))?;
        fresh.write_all(text.as_bytes()).and_then(|()| fresh.as_file().sync_all()).map_err(io(&self.path))?;
        fresh.persist(&self.path).map_err(|error| io(&self.path)(error.error))?;
        sync_dir(&self.dir)?;
        self.file = OpenOptions::new().append(true).open(&self.path).map_err(io(&self.path))?;
        self.length = text.len() as u64;
        self.lines = lines;
        self.owed.clear();
        Ok(())
    }

    /// Puts these lines in the place of all where too many of the log's are out of date. A failure costs room only.
    pub(super) fn shorten(&mut self, needed: usize, is_clean: bool, bodies: impl Iterator<Item = String>) {
        if is_clean && self.lines <= needed + SPARE_LINES {
            return;
        }
        if let Err(error) = self.rewrite(bodies) {
            tracing::warn!(path = %self.path.display(), %error, "a log could not be shortened");
        }
    }
}
