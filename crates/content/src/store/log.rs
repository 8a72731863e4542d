//! A log of lines, each with its own checksum, so that a torn end costs only the last of them.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::segment::sync_dir;
use crate::error::{Error, Result};

/// A log is written anew once it has this many lines more than it needs.
pub(super) const SPARE_LINES: usize = 1024;

#[derive(Debug)]
pub(super) struct Log {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    length: u64,
    lines: usize,
}

fn line(body: &str) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(body.as_bytes());
    format!("{:08x} {body}\n", crc.sum())
}

impl Log {
    /// Opens the log `name`, making it where there is none, and gives every whole line to `take`, which says whether it
    /// understands it. The second value says whether all of them were whole and understood; if not, it is to be
    /// rewritten before anything is appended.
    pub(super) fn open(dir: &Path, name: &str, take: &mut dyn FnMut(&str) -> bool) -> Result<(Log, bool)> {
        let path = dir.join(name);
        let options = || OpenOptions::new().append(true).create(true).open(&path);
        let is_new = !path.exists();
        let file = options().map_err(Error::io(&path))?;
        if is_new {
            sync_dir(dir)?;
        }
        let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        let text = String::from_utf8_lossy(&bytes);
        let mut is_clean = text.is_empty() || text.ends_with('\n');
        let mut lines = 0;
        for text in text.lines() {
            lines += 1;
            let body = text.split_once(' ').map(|(_, body)| body);
            let body = body.filter(|body| line(body).trim_end_matches('\n') == text);
            is_clean &= body.is_some_and(&mut *take);
        }
        Ok((Log { dir: dir.to_owned(), path, file, length: bytes.len() as u64, lines }, is_clean))
    }

    /// Lines in it.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Adds lines durably, with one sync. On failure the log is as it was.
    pub(super) fn append<'a>(&mut self, bodies: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let (mut text, mut count) = (String::new(), 0);
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
        Ok(())
    }

    /// Puts these lines in the place of all.
    pub(super) fn rewrite(&mut self, bodies: impl Iterator<Item = String>) -> Result<()> {
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
        Ok(())
    }
}
