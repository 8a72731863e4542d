//! Making an image from files, without a container engine. The same files give the same image: times are
//! zero, owners are root, names are sorted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Seek, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::import::{StoredLayer, compose, host_architecture};
use super::{Image, check::Budget, layer, oci, oci::Compression, oci_digest};
use crate::block::Sha256;
use crate::config::{ImageLimits, ImportConfig};
use crate::error::{Error, Result};
use crate::store::BlockStore;
use crate::unixfs::file::FileBuilder;
use crate::unixfs::sink::{Sink, into_store};

/// Permission bits that a file keeps.
const MODE_BITS: u32 = 0o7777;

/// How the image's program is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageConfig {
    /// Program and first arguments.
    pub entrypoint: Vec<String>,
    /// Arguments that a job may replace.
    pub command: Vec<String>,
    /// Variables as `NAME=value`.
    pub env: Vec<String>,
    /// Folder it starts in; empty is the root.
    pub workdir: String,
    /// User it runs as, `uid[:gid]`; empty is root.
    pub user: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Processor, in Go's names.
    pub architecture: String,
}

impl Default for ImageConfig {
    fn default() -> Self {
        Self {
            entrypoint: Vec::new(),
            command: Vec::new(),
            env: Vec::new(),
            workdir: String::new(),
            user: String::new(),
            labels: BTreeMap::new(),
            architecture: host_architecture().to_owned(),
        }
    }
}

/// One file to be put into an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// Where it is now.
    pub source: PathBuf,
    /// Where it is to be in the image, without the leading slash.
    pub path: String,
    /// Its permission bits.
    pub mode: u32,
}

/// What a layer is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerSource {
    /// A tar, taken byte for byte.
    Tar(PathBuf),
    /// A root file system as a tar, written anew in order, without times and owners.
    RootFs(PathBuf),
    /// Everything in a folder.
    Folder(PathBuf),
    /// Single files, such as one static binary.
    Files(Vec<ImageFile>),
}

/// Makes an image of these layers, the lowest first.
pub fn build_image(
    store: &BlockStore,
    layers: &[LayerSource],
    config: &ImageConfig,
    limits: &ImageLimits,
) -> Result<Image> {
    let root = into_store(store, |sink| {
        let mut budget = Budget::new(limits);
        let stored = layers.iter().map(|source| build_layer(source, &mut budget, sink)).collect::<Result<Vec<_>>>()?;
        compose(&config_document(config, &stored)?, &stored, sink)
    })?;
    // What was written is held to the same rules as what strangers send.
    Image::verify(store, &root.cid, limits)
}

/// Makes an image of one layer from a root file system in a tar.
pub fn image_from_root_fs(store: &BlockStore, tar: &Path, config: &ImageConfig, limits: &ImageLimits) -> Result<Image> {
    build_image(store, &[LayerSource::RootFs(tar.to_owned())], config, limits)
}

/// Makes an image of nothing but one static program, which stands in the root under its own name.
pub fn image_of_program(store: &BlockStore, program: &Path, limits: &ImageLimits) -> Result<Image> {
    let name = program.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Error::image("the program's file has no readable name"))?.to_owned();
    let config = ImageConfig { entrypoint: vec![format!("/{name}")], ..ImageConfig::default() };
    let file = ImageFile { source: program.to_owned(), path: name, mode: 0o755 };
    build_image(store, &[LayerSource::Files(vec![file])], &config, limits)
}

fn config_document(config: &ImageConfig, layers: &[StoredLayer]) -> Result<Vec<u8>> {
    const BEGINNING: &str = "1970-01-01T00:00:00Z";
    let mut run = serde_json::Map::new();
    let mut set = |name: &str, value: serde_json::Value, is_empty: bool| {
        if !is_empty {
            run.insert(name.to_owned(), value);
        }
    };
    set("Cmd", json!(config.command), config.command.is_empty());
    set("Entrypoint", json!(config.entrypoint), config.entrypoint.is_empty());
    set("Env", json!(config.env), config.env.is_empty());
    set("Labels", json!(config.labels), config.labels.is_empty());
    set("User", json!(config.user), config.user.is_empty());
    set("WorkingDir", json!(config.workdir), config.workdir.is_empty());
    let history: Vec<_> = layers.iter().map(|_| json!({ "created": BEGINNING, "created_by": "bourse" })).collect();
    let diff_ids: Vec<_> = layers.iter().map(|layer| oci_digest(&layer.diff_id)).collect();
    oci::write(&json!({
        "architecture": config.architecture,
        "config": run,
        "created": BEGINNING,
        "history": history,
        "os": "linux",
        "rootfs": { "diff_ids": diff_ids, "type": "layers" },
    }))
}

fn build_layer(source: &LayerSource, budget: &mut Budget, sink: &mut dyn Sink) -> Result<StoredLayer> {
    if let LayerSource::Tar(path) = source {
        let file = File::open(path).map_err(Error::io(path))?;
        let size = file.metadata().map_err(Error::io(path))?.len();
        let read = layer::read(file, size, Compression::None, budget, Some(sink), &mut ())?;
        let file = read.added.ok_or(Error::Interrupted)?;
        return Ok(StoredLayer { diff_id: read.tar, bytes: read.bytes, file });
    }
    let out =
        LayerWriter { builder: FileBuilder::new(ImportConfig::CHUNK_1_MIB), hash: Sha256::default(), bytes: 0, sink };
    let mut tar = Builder::new(out);
    match source {
        LayerSource::Folder(path) => add_folder(&mut tar, path, &mut PathBuf::new())?,
        LayerSource::RootFs(path) => add_root_fs(&mut tar, path)?,
        LayerSource::Files(files) => add_files(&mut tar, files)?,
        LayerSource::Tar(_) => {}
    }
    let out = tar.into_inner().map_err(Error::from)?;
    let file = out.builder.finish(out.sink)?;
    Ok(StoredLayer { diff_id: out.hash.finish(), bytes: out.bytes, file })
}

/// Takes a tar as it is written into the store.
struct LayerWriter<'a> {
    builder: FileBuilder,
    hash: Sha256,
    bytes: u64,
    sink: &'a mut dyn Sink,
}

impl Write for LayerWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.builder.write(bytes, self.sink)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn plain_header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode & MODE_BITS);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn append_file(tar: &mut Builder<LayerWriter<'_>>, name: &Path, source: &Path, mode: u32) -> Result<()> {
    let file = File::open(source).map_err(Error::io(source))?;
    let size = file.metadata().map_err(Error::io(source))?.len();
    let mut header = plain_header(EntryType::Regular, mode, size);
    let mut exact = io::Read::take(file, size);
    tar.append_data(&mut header, name, BufReader::new(&mut exact)).map_err(Error::from)?;
    if exact.limit() > 0 {
        return Err(Error::io(source)(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}

fn append_folder(tar: &mut Builder<LayerWriter<'_>>, name: &Path, mode: u32) -> Result<()> {
    tar.append_data(&mut plain_header(EntryType::Directory, mode, 0), name, io::empty()).map_err(Error::from)
}

fn append_link(tar: &mut Builder<LayerWriter<'_>>, kind: EntryType, name: &Path, target: &Path) -> Result<()> {
    tar.append_link(&mut plain_header(kind, 0o777, 0), name, target).map_err(Error::from)
}

fn add_folder(tar: &mut Builder<LayerWriter<'_>>, root: &Path, inside: &mut PathBuf) -> Result<()> {
    let folder = root.join(&*inside);
    let entries = std::fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = entries.map_err(Error::io(&folder))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let metadata = entry.metadata().map_err(Error::io(&path))?;
        let mode = metadata.permissions().mode();
        inside.push(entry.file_name());
        if metadata.is_dir() {
            append_folder(tar, inside, mode)?;
            add_folder(tar, root, inside)?;
        } else if metadata.is_symlink() {
            let target = std::fs::read_link(&path).map_err(Error::io(&path))?;
            append_link(tar, EntryType::Symlink, inside, &target)?;
        } else if metadata.is_file() {
            append_file(tar, inside, &path, mode)?;
        } else {
            return Err(Error::UnsafePath {
                path: path.display().to_string(),
                reason: "it is neither file, folder nor link",
            });
        }
        inside.pop();
    }
    Ok(())
}

fn add_files(tar: &mut Builder<LayerWriter<'_>>, files: &[ImageFile]) -> Result<()> {
    let sorted: BTreeMap<&Path, &ImageFile> = files.iter().map(|file| (Path::new(&file.path), file)).collect();
    let mut folders = std::collections::BTreeSet::new();
    for path in sorted.keys() {
        folders.extend(path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()));
    }
    for folder in folders {
        append_folder(tar, folder, 0o755)?;
    }
    for (path, file) in sorted {
        append_file(tar, path, &file.source, file.mode)?;
    }
    Ok(())
}

/// Where an entry of a tar is, and what it is.
struct Found {
    kind: EntryType,
    mode: u32,
    link: PathBuf,
    offset: u64,
    size: u64,
}

/// Writes a tar anew: each path once, sorted, hard links behind everything that they may point at.
fn add_root_fs(tar: &mut Builder<LayerWriter<'_>>, path: &Path) -> Result<()> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let not_a_tar = |error: io::Error| Error::image(format!("{} is not a tar: {error}", path.display()));
    let mut found: BTreeMap<PathBuf, Found> = BTreeMap::new();
    let mut archive = tar::Archive::new(&file);
    for entry in archive.entries_with_seek().map_err(not_a_tar)? {
        let entry = entry.map_err(not_a_tar)?;
        let name: PathBuf = entry
            .path()
            .map_err(not_a_tar)?
            .components()
            .filter(|part| *part != std::path::Component::CurDir)
            .collect();
        if name.as_os_str().is_empty() || entry.header().entry_type().is_pax_global_extensions() {
            continue;
        }
        let mode = entry.header().mode().map_err(not_a_tar)?;
        let link = entry.link_name().map_err(not_a_tar)?.map(std::borrow::Cow::into_owned).unwrap_or_default();
        let (offset, size) = (entry.raw_file_position(), entry.size());
        found.insert(name, Found { kind: entry.header().entry_type(), mode, link, offset, size });
    }
    file.rewind().map_err(Error::io(path))?;
    for (name, entry) in &found {
        match entry.kind {
            EntryType::Directory => append_folder(tar, name, entry.mode)?,
            EntryType::Symlink => append_link(tar, EntryType::Symlink, name, &entry.link)?,
            EntryType::Link => {}
            EntryType::Regular | EntryType::Continuous => {
                let mut header = plain_header(EntryType::Regular, entry.mode, entry.size);
                tar.append_data(&mut header, name, FileSlice { file: &file, offset: entry.offset, left: entry.size })
                    .map_err(Error::from)?;
            }
            _ => {
                return Err(Error::UnsafePath {
                    path: name.display().to_string(),
                    reason: "images hold files, folders and links only",
                });
            }
        }
    }
    for (name, entry) in found.iter().filter(|(_, entry)| entry.kind == EntryType::Link) {
        let target: PathBuf = entry.link.components().filter(|part| *part != std::path::Component::CurDir).collect();
        append_link(tar, EntryType::Link, name, &target)?;
    }
    Ok(())
}

struct FileSlice<'a> {
    file: &'a File,
    offset: u64,
    left: u64,
}

impl io::Read for FileSlice<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.file.read_at(&mut out[..most], self.offset)?;
        self.offset += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}
