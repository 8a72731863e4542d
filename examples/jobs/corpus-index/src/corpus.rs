//! The archive into documents, in the order of their paths.
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::Error;
use crate::progress::{Progress, READING};

/// The largest archive: all text is held in memory, and jobs of this kind are granted 2 GiB.
const ARCHIVE_BYTES_MAX: u64 = 512 << 20;
/// The largest single document; beyond it stand generated tables, which are skipped and counted.
const DOCUMENT_BYTES_MAX: u64 = 8 << 20;
/// The most documents: their numbers have 32 bits, and an archive of more is a mistake.
const DOCUMENTS_MAX: usize = 1 << 20;
/// A tar ends with two blocks of zeros; an archive that was cut off has none.
const END_MARKER_BYTES: usize = 1024;

/// One text file of the archive.
pub(crate) struct Document {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All text files, sorted by path, and how many files were not text.
pub(crate) struct Corpus {
    pub(crate) documents: Vec<Document>,
    pub(crate) skipped: usize,
}

/// Reads the archive at `path`. A path that comes twice counts once, with its last content, as
/// unpacking would have it.
pub(crate) fn read(path: &Path, progress: &Progress) -> Result<Corpus, Error> {
    let input = |source| Error::Input { path: path.into(), source };
    let archive = |why: String| Error::Archive { path: path.into(), why };
    let mut file = File::open(path).map_err(input)?;
    let length = file.metadata().map_err(input)?.len();
    if length > ARCHIVE_BYTES_MAX {
        return Err(archive(format!("{length} bytes, the limit is {ARCHIVE_BYTES_MAX}")));
    }
    if !ends_with_marker(&mut file, length).map_err(input)? {
        return Err(archive("the end marker is missing, so it is cut off or no tar".into()));
    }
    let mib = |bytes: u64| usize::try_from(bytes >> 20).unwrap_or(usize::MAX);
    progress.begin(READING, mib(length));
    let (mut documents, mut skipped, mut seen) = (BTreeMap::new(), 0, 0);
    let mut tar = tar::Archive::new(BufReader::new(file));
    for entry in tar.entries().map_err(|error| archive(error.to_string()))? {
        let entry = entry.map_err(|error| archive(error.to_string()))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let end = entry.raw_file_position() + entry.size();
        progress.advance(READING, mib(end).saturating_sub(seen), mib(length));
        seen = seen.max(mib(end));
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match read_text(entry).map_err(|error| archive(format!("{name}: {error}")))? {
            Some(text) => documents.insert(name, text),
            None => {
                skipped += 1;
                None
            }
        };
        if documents.len() > DOCUMENTS_MAX {
            return Err(archive(format!("more than {DOCUMENTS_MAX} files")));
        }
    }
    if documents.is_empty() {
        return Err(archive("there is no text file in it".into()));
    }
    let documents = documents.into_iter().map(|(path, text)| Document { path, text }).collect();
    Ok(Corpus { documents, skipped })
}

fn ends_with_marker(file: &mut File, length: u64) -> std::io::Result<bool> {
    if length < END_MARKER_BYTES as u64 {
        return Ok(false);
    }
    let mut end = [1; END_MARKER_BYTES];
    file.seek(SeekFrom::Start(length - END_MARKER_BYTES as u64))?;
    file.read_exact(&mut end)?;
    file.rewind()?;
    Ok(end.iter().all(|&byte| byte == 0))
}

/// The text of an entry, or nothing where it is binary, not UTF-8 or too big to be written by hand.
fn read_text(mut entry: tar::Entry<impl Read>) -> std::io::Result<Option<String>> {
    if entry.size() > DOCUMENT_BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let size = entry.size();
    entry.read_to_end(&mut bytes)?;
    if bytes.len() as u64 != size {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')))
}
