//! Reading one layer: decompressed, hashed, checked, and on the way into the store.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::Hashed;
use super::check::{Budget, Look, check_tar};
use super::oci::Compression;
use crate::block::Digest;
use crate::config::ImportConfig;
use crate::error::{Error, Result};
use crate::unixfs::file::{Added, FileBuilder};
use crate::unixfs::sink::Sink;

/// How much is read at a time.
const READ_BYTES: usize = 256 << 10;
/// The largest window of zstd, as a power of two: what the `zstd` program accepts unasked, 128 MiB of memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// The bytes of a tar, whatever it is wrapped in. What follows the first gzip member or zstd frame belongs to it too.
pub(super) fn plain<'a>(blob: impl BufRead + 'a, compression: Compression) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match compression {
        Compression::None => Box::new(blob),
        Compression::Gzip => Box::new(MultiGzDecoder::new(blob)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(blob)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    })
}

/// A layer that has been read and found in order.
#[derive(Debug)]
pub(super) struct Layered {
    /// Digest of the blob as it was stored.
    pub(super) blob: Digest,
    /// Digest of the tar in it.
    pub(super) tar: Digest,
    /// Bytes of the tar.
    pub(super) bytes: u64,
    /// The tar as a file in the store, where it was to be stored.
    pub(super) added: Option<Added>,
}

/// Passes a tar on to the store while it is checked.
struct Intake<'a, R> {
    inner: R,
    most: u64,
    is_over: bool,
    target: Option<(FileBuilder, &'a mut dyn Sink)>,
    /// Why the store did not take it; the tar reader would bury it.
    failed: Option<Error>,
}

impl<R: Read> Read for Intake<'_, Hashed<R>> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        if self.inner.bytes > self.most {
            self.is_over = true;
            return Err(io::Error::other("too large"));
        }
        if let Some((builder, sink)) = &mut self.target
            && let Err(error) = builder.write(&out[..read], *sink)
        {
            self.failed = Some(error);
            return Err(io::Error::other("not stored"));
        }
        Ok(read)
    }
}

/// Reads the layer in `blob`, which takes `stored` bytes; with a sink its tar is stored too. `looker` sees each entry.
pub(super) fn read(
    blob: impl Read,
    stored: u64,
    compression: Compression,
    budget: &mut Budget,
    sink: Option<&mut dyn Sink>,
    looker: &mut dyn Look,
) -> Result<Layered> {
    let mut blob = BufReader::with_capacity(READ_BYTES, Hashed::new(blob));
    let mut read = read_tar(plain(&mut blob, compression)?, stored, budget, sink, looker)?;
    // What stands behind the compressed tar belongs to the blob.
    io::copy(&mut blob, &mut io::sink())?;
    let blob = blob.into_inner();
    if blob.bytes != stored {
        return Err(Error::image("a layer has another size than it should"));
    }
    read.blob = blob.hash.finish();
    Ok(read)
}

fn read_tar(
    tar: impl Read,
    stored: u64,
    budget: &mut Budget,
    sink: Option<&mut dyn Sink>,
    looker: &mut dyn Look,
) -> Result<Layered> {
    let target = sink.map(|sink| (FileBuilder::new(ImportConfig::CHUNK_1_MIB), sink));
    let most = budget.layer_bytes_max(stored);
    let intake = Intake { inner: Hashed::new(tar), most, is_over: false, target, failed: None };
    let mut archive = tar::Archive::new(BufReader::with_capacity(READ_BYTES, intake));
    let checked = check_tar(&mut archive, budget, looker);
    let mut rest = archive.into_inner();
    let drained = match &checked {
        Ok(()) => io::copy(&mut rest, &mut io::sink()).map(drop),
        Err(_) => Ok(()),
    };
    let intake = rest.into_inner();
    if intake.is_over {
        return Err(budget.too_large(stored));
    }
    if let Some(error) = intake.failed {
        return Err(error);
    }
    checked?;
    drained.map_err(|error| match Error::from(error) {
        Error::Stream { source } => Error::image(format!("a layer is broken: {source}")),
        other => other,
    })?;
    budget.take_bytes(intake.inner.bytes);
    let added = intake.target.map(|(builder, sink)| builder.finish(sink)).transpose()?;
    let bytes = intake.inner.bytes;
    Ok(Layered { blob: [0; 32], tar: intake.inner.hash.finish(), bytes, added })
}
