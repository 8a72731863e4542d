//! What can be wrong on this machine, found before anybody is asked for anything.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use content::Cid;

use super::Args;
use crate::failure::Failure;

/// How a program of Linux begins.
const ELF: &[u8; 4] = b"\x7fELF";
/// The program header that names a loader (System V ABI, chapter 5).
const PT_INTERP: u32 = 3;

/// Looks whether everything that the call names is there, and nothing that it would write.
pub(crate) fn check(args: &Args) -> Result<(), Failure> {
    if let Some(image) = &args.image {
        named(image, "the image")?;
        needs_no_loader(Path::new(image))?;
    }
    for input in &args.input {
        named(split(input)?.1, "the input")?;
    }
    if let Some(output) = &args.output
        && output.read_dir().is_ok_and(|mut entries| entries.next().is_some())
    {
        return Err(Failure::Usage(format!("{} is not empty: name another place with --output", output.display())));
    }
    match &args.expect_output {
        Some(expected) if !expected.is_dir() => {
            Err(Failure::Usage(format!("{} is no folder to compare with", expected.display())))
        }
        _ => Ok(()),
    }
}

/// An input's name and where it comes from.
pub(super) fn split(input: &str) -> Result<(&str, &str), Failure> {
    let parts = input.split_once('=').filter(|(name, from)| !name.is_empty() && !from.is_empty());
    parts.ok_or_else(|| Failure::Usage(format!("--input {input:?}: write NAME=PATH or NAME=CID")))
}

fn named(what: &str, role: &str) -> Result<(), Failure> {
    if Path::new(what).exists() || what.parse::<Cid>().is_ok() {
        return Ok(());
    }
    let hint = if what.starts_with("baf") || what.starts_with("Qm") {
        "it looks like a CID, but is none"
    } else {
        "no such file"
    };
    Err(Failure::Usage(format!("{role} {what:?} is not to be had: {hint}")))
}

/// Whether a file is a program.
pub(crate) fn is_program(path: &Path) -> bool {
    let mut magic = [0; 4];
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *ELF
}

/// A program alone in its image finds no loader there: it would be paid for and never start.
fn needs_no_loader(path: &Path) -> Result<(), Failure> {
    if is_program(path) && has_loader(path).map_err(Failure::file(path))? {
        return Err(Failure::Usage(format!(
            "{} is linked dynamically and would not start alone in an image: build it statically, or name an image",
            path.display()
        )));
    }
    Ok(())
}

/// Whether a 64-bit little-endian program names a loader; others are left to the provider.
fn has_loader(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    let mut head = [0; 64];
    file.read_exact(&mut head)?;
    if head[4..6] != [2, 1] {
        return Ok(false);
    }
    let u16_at = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let mut offset = [0; 8];
    offset.copy_from_slice(&head[0x20..0x28]);
    let (offset, size, count) = (u64::from_le_bytes(offset), u16_at(0x36), u16_at(0x38));
    for index in 0..count {
        let mut kind = [0; 4];
        file.seek(SeekFrom::Start(offset + u64::from(index) * u64::from(size)))?;
        file.read_exact(&mut kind)?;
        if u32::from_le_bytes(kind) == PT_INTERP {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_needs_a_loader_is_told_from_one_that_does_not() {
        // The test itself is linked dynamically wherever it is built for glibc.
        assert!(has_loader(&std::env::current_exe().unwrap()).unwrap());
        if Path::new("/bin/busybox").exists() {
            assert!(!has_loader(Path::new("/bin/busybox")).unwrap());
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        named("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e", "the image").unwrap();
        assert!(named("./nofile", "the image").unwrap_err().to_string().contains("no such file"));
        assert!(named("bafkreifz", "the image").unwrap_err().to_string().contains("but is none"));
    }
}
