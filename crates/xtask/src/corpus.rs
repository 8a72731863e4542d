//! Real input for the example job: the sources of the workspace's own dependencies, packed so that
//! the same lock file gives the same bytes.
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, Package};

use crate::context::Context;
use crate::error::Error;
use crate::process::{command, output_of};
use crate::ui;

/// Enough text to keep two cores busy for some seconds; packages after it are left out.
const BYTES_WANTED: u64 = 96 << 20;
/// With less the job would say nothing about real work.
const BYTES_MIN: u64 = 50 << 20;
/// A larger file is generated data, not source.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// What is text in a package.
const EXTENSIONS: [&str; 3] = ["rs", "md", "toml"];

/// Packs the archive and gives its path.
pub(crate) fn pack(context: &Context, out: &Path) -> Result<PathBuf, Error> {
    let out = context.path(out);
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    }
    let file = File::create(&out).map_err(Error::file("create", &out))?;
    let mut tar = tar::Builder::new(BufWriter::new(file));
    let (mut files, mut bytes) = (0, 0);
    for (prefix, folder) in packages(context)? {
        let mut sources = Vec::new();
        collect(&folder, &mut sources)?;
        sources.sort();
        for source in sources {
            if bytes < BYTES_WANTED {
                bytes += append(&mut tar, &prefix, &folder, &source)?;
                files += 1;
            }
        }
    }
    // A buffered writer that is dropped swallows its last error.
    let buffer = tar.into_inner().map_err(Error::file("write", &out))?;
    buffer.into_inner().map_err(|error| Error::File {
        what: "write",
        path: out.clone(),
        source: error.into_error(),
    })?;
    if bytes < BYTES_MIN {
        return Err(Error::Missing {
            what: format!("enough source text ({bytes} bytes found, {BYTES_MIN} wanted)"),
            remedy: "run `cargo fetch`, which unpacks the workspace's dependencies".into(),
        });
    }
    let (shown, mib) = (out.display(), bytes >> 20);
    ui::note(&format!("corpus: {files} source files, {mib} MiB of text, in {shown}"));
    Ok(out)
}

/// The registry packages that this machine builds, as archive prefix and folder, in name order.
fn packages(context: &Context) -> Result<Vec<(String, PathBuf)>, Error> {
    let platform = host_triple(context)?;
    let mut metadata = MetadataCommand::new();
    metadata.current_dir(&context.root);
    metadata.other_options(["--filter-platform".into(), platform]);
    let from_registry =
        |package: &Package| package.source.as_ref().is_some_and(|source| source.repr.starts_with("registry+"));
    let mut packages: Vec<_> = metadata
        .exec()?
        .packages
        .into_iter()
        .filter(from_registry)
        .filter_map(|package| {
            let folder = package.manifest_path.parent()?.as_std_path().to_path_buf();
            Some((format!("{}-{}", package.name, package.version), folder))
        })
        .collect();
    packages.sort();
    Ok(packages)
}

/// The machine that rustc builds for by default, as `x86_64-unknown-linux-gnu`.
pub(crate) fn host_triple(context: &Context) -> Result<String, Error> {
    let said = output_of(command("rustc", &context.root).arg("-vV")).unwrap_or_default();
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(String::from).ok_or(Error::Unexpected { what: "rustc -vV".into(), said })
}

/// All source files below a folder. Links are not followed: they could lead out of the package.
fn collect(folder: &Path, sources: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).map_err(Error::file("read", folder))? {
        let entry = entry.map_err(Error::file("read", folder))?;
        let path = entry.path();
        let facts = entry.metadata().map_err(Error::file("read", &path))?;
        if facts.is_dir() {
            collect(&path, sources)?;
        } else if facts.is_file() && facts.len() <= FILE_BYTES_MAX && is_source(&path) {
            sources.push(path);
        }
    }
    Ok(())
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
}

/// Appends a file without anything of this machine: no times, owners or modes of its own.
fn append(
    tar: &mut tar::Builder<impl std::io::Write>,
    prefix: &str,
    folder: &Path,
    source: &Path,
) -> Result<u64, Error> {
    let text = std::fs::read(source).map_err(Error::file("read", source))?;
    let name = Path::new(prefix).join(source.strip_prefix(folder).unwrap_or(source));
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, name, text.as_slice()).map_err(Error::file("pack", source))?;
    Ok(text.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_sources_give_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        for (name, text) in [("src/lib.rs", "code"), ("README.md", "words"), ("logo.png", "x")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let packed = || {
            let mut sources = Vec::new();
            collect(folder.path(), &mut sources).unwrap();
            sources.sort();
            let mut tar = tar::Builder::new(Vec::new());
            for source in &sources {
                append(&mut tar, "package-1.0.0", folder.path(), source).unwrap();
            }
            tar.into_inner().unwrap()
        };
        let first = packed();
        let file = File::open(folder.path().join("README.md")).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        assert!(first == packed());
        let mut archive = tar::Archive::new(first.as_slice());
        let names = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned());
        let expected = ["package-1.0.0/README.md", "package-1.0.0/src/lib.rs"].map(PathBuf::from);
        assert_eq!(names.collect::<Vec<_>>(), expected);
    }
}
