//! UnixFS: files, folders and symbolic links as DAGs of blocks.
//!
//! Format: <https://specs.ipfs.tech/unixfs/>. What is written follows the profile `unixfs-v1-2025` (IPIP-0499).

pub(crate) mod directory;
pub(crate) mod export;
pub(crate) mod file;
pub(crate) mod hamt;
pub(crate) mod import;
pub(crate) mod read;
pub(crate) mod sink;

use bytes::{Buf, Bytes};
use cid::Cid;

use crate::block::{DAG_PB, RAW};
use crate::dagpb::{Link, Node, put_varint, take_bytes, take_varint};
use crate::error::{Error, Result};

/// Children of one node within a file.
pub const FILE_WIDTH: usize = 1024;
/// A directory whose block would be larger than this is sharded.
pub const DIRECTORY_BLOCK_BYTES_MAX: usize = 262_144;
/// Longest name within a directory: what Linux allows.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest target of a symbolic link: what Linux allows.
pub const SYMLINK_BYTES_MAX: usize = 4096;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes.
    File,
    /// Names.
    Directory,
    /// A symbolic link.
    Symlink,
}

/// The type field of a UnixFS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Raw,
    Directory,
    File,
    Symlink,
    Shard,
}

/// The description within a UnixFS node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: Type,
    pub(crate) data: Option<Bytes>,
    pub(crate) file_size: Option<u64>,
    pub(crate) block_sizes: Vec<u64>,
    pub(crate) hash_type: Option<u64>,
    pub(crate) fanout: Option<u64>,
}

const WHAT: &str = "UnixFS node";

impl Message {
    pub(crate) fn new(kind: Type) -> Self {
        Self { kind, data: None, file_size: None, block_sizes: Vec::new(), hash_type: None, fanout: None }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let kind = match self.kind {
            Type::Raw => 0,
            Type::Directory => 1,
            Type::File => 2,
            Type::Symlink => 4,
            Type::Shard => 5,
        };
        let mut out = vec![0x08, kind];
        if let Some(data) = &self.data {
            out.push(0x12);
            put_varint(&mut out, data.len() as u64);
            out.extend_from_slice(data);
        }
        let numbers = self.file_size.map(|size| (0x18, size)).into_iter();
        let numbers = numbers.chain(self.block_sizes.iter().map(|&size| (0x20, size)));
        let numbers = numbers.chain(self.hash_type.map(|value| (0x28, value)));
        for (tag, value) in numbers.chain(self.fanout.map(|value| (0x30, value))) {
            out.push(tag);
            put_varint(&mut out, value);
        }
        out
    }

    /// Reads a description; mode and time are allowed and passed over.
    pub(crate) fn decode(mut input: Bytes) -> Result<Message> {
        let mut kind = None;
        let mut message = Message::new(Type::Raw);
        while input.has_remaining() {
            let tag = take_varint(&mut input, WHAT)?;
            match tag {
                0x08 => {
                    kind = Some(match take_varint(&mut input, WHAT)? {
                        0 => Type::Raw,
                        1 => Type::Directory,
                        2 => Type::File,
                        4 => Type::Symlink,
                        5 => Type::Shard,
                        other => return Err(Error::malformed(WHAT, format!("type {other}"))),
                    });
                }
                0x12 => message.data = Some(take_bytes(&mut input, WHAT)?),
                0x18 => message.file_size = Some(take_varint(&mut input, WHAT)?),
                0x20 => message.block_sizes.push(take_varint(&mut input, WHAT)?),
                0x22 => {
                    let mut packed = take_bytes(&mut input, WHAT)?;
                    while packed.has_remaining() {
                        message.block_sizes.push(take_varint(&mut packed, WHAT)?);
                    }
                }
                0x28 => message.hash_type = Some(take_varint(&mut input, WHAT)?),
                0x30 => message.fanout = Some(take_varint(&mut input, WHAT)?),
                0x38 => drop(take_varint(&mut input, WHAT)?),
                0x42 => drop(take_bytes(&mut input, WHAT)?),
                other => return Err(Error::malformed(WHAT, format!("field {other:#x}"))),
            }
        }
        message.kind = kind.ok_or_else(|| Error::malformed(WHAT, "it has no type"))?;
        Ok(message)
    }
}

/// A decoded node of a UnixFS DAG.
#[derive(Clone, Debug)]
pub(crate) enum Decoded {
    /// A leaf of a file, or a whole small file.
    Leaf(Bytes),
    /// A file of several blocks: each child with its size.
    Inner { size: u64, children: Vec<(Cid, u64)> },
    /// A directory within one block.
    Directory(Vec<Link>),
    /// A part of a sharded directory.
    Shard(Vec<Link>),
    /// A symbolic link and its target.
    Symlink(Bytes),
}

/// Decodes the verified bytes of `cid`.
pub(crate) fn decode(cid: &Cid, bytes: &Bytes) -> Result<Decoded> {
    match cid.codec() {
        RAW => return Ok(Decoded::Leaf(bytes.clone())),
        DAG_PB => {}
        codec => return Err(Error::BadCid { reason: format!("codec {codec:#x} is neither raw nor dag-pb") }),
    }
    let node = Node::decode(bytes)?;
    let message = Message::decode(node.data)?;
    Ok(match message.kind {
        Type::Directory => Decoded::Directory(node.links),
        Type::Shard => {
            if message.fanout != Some(hamt::FANOUT as u64) || message.hash_type != Some(hamt::HASH_MURMUR3_X64_64) {
                return Err(Error::malformed(WHAT, "a sharded directory with another fanout or hash than ours"));
            }
            Decoded::Shard(node.links)
        }
        Type::Symlink => {
            let target = message.data.unwrap_or_default();
            if target.is_empty() || target.len() > SYMLINK_BYTES_MAX {
                return Err(Error::malformed(WHAT, "a symbolic link with no target or one longer than 4096 bytes"));
            }
            Decoded::Symlink(target)
        }
        Type::Raw | Type::File if node.links.is_empty() => {
            let data = message.data.unwrap_or_default();
            if message.file_size.is_some_and(|size| size != data.len() as u64) {
                return Err(Error::malformed(WHAT, "a leaf of another size than it says"));
            }
            Decoded::Leaf(data)
        }
        Type::Raw | Type::File => {
            if message.data.is_some_and(|data| !data.is_empty()) || message.block_sizes.len() != node.links.len() {
                return Err(Error::malformed(WHAT, "a file whose links and sizes do not match"));
            }
            let size = message.block_sizes.iter().try_fold(0u64, |sum, &size| sum.checked_add(size));
            let size = size.filter(|&size| message.file_size.unwrap_or(size) == size);
            let size = size.ok_or_else(|| Error::malformed(WHAT, "a file whose sizes do not add up"))?;
            let children = node.links.iter().map(|link| link.cid).zip(message.block_sizes).collect();
            Decoded::Inner { size, children }
        }
    })
}

/// Refuses names that mean something else than a file within the folder.
pub(crate) fn check_name(name: &[u8]) -> Result<&str> {
    let unsafe_name = |reason| Error::UnsafePath { path: String::from_utf8_lossy(name).into_owned(), reason };
    let text = std::str::from_utf8(name).map_err(|_| unsafe_name("it is not UTF-8"))?;
    match text {
        "" | "." | ".." => Err(unsafe_name("it names no file")),
        _ if text.len() > NAME_BYTES_MAX => Err(unsafe_name("it is longer than 255 bytes")),
        _ if text.contains(['/', '\0']) => Err(unsafe_name("it holds a slash or a zero byte")),
        _ => Ok(text),
    }
}
