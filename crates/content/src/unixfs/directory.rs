//! Directories: sorted links in one block, or shards where that block would be too large.

use bytes::Bytes;

use super::file::{Added, put_node};
use super::sink::Sink;
use super::{DIRECTORY_BLOCK_BYTES_MAX, Message, SYMLINK_BYTES_MAX, Type, check_name, hamt};
use crate::dagpb::{Link, Node};
use crate::error::{Error, Result};

/// Collects the entries of one directory.
#[derive(Default)]
pub(crate) struct DirectoryBuilder {
    links: Vec<Link>,
    size: u64,
}

impl DirectoryBuilder {
    /// Adds an entry.
    pub(crate) fn add(&mut self, name: &str, entry: &Added) -> Result<()> {
        check_name(name.as_bytes())?;
        self.size += entry.size;
        self.links.push(Link { cid: entry.cid, name: Bytes::copy_from_slice(name.as_bytes()), tsize: entry.dag_size });
        Ok(())
    }

    /// Closes the directory.
    pub(crate) fn finish(mut self, sink: &mut dyn Sink) -> Result<Added> {
        self.links.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(pair) = self.links.windows(2).find(|pair| pair[0].name == pair[1].name) {
            let path = String::from_utf8_lossy(&pair[0].name).into_owned();
            return Err(Error::UnsafePath { path, reason: "the name stands twice in one directory" });
        }
        let node = Node { links: self.links, data: Message::new(Type::Directory).encode().into() };
        if node.encoded_len() > DIRECTORY_BLOCK_BYTES_MAX {
            return hamt::build(node.links, self.size, sink);
        }
        put_node(&node, self.size, sink)
    }
}

/// A symbolic link.
pub(crate) fn add_symlink(target: &[u8], sink: &mut dyn Sink) -> Result<Added> {
    if target.is_empty() || target.len() > SYMLINK_BYTES_MAX {
        return Err(Error::TooLarge { what: "the target of a symbolic link", limit: SYMLINK_BYTES_MAX as u64 });
    }
    let mut message = Message::new(Type::Symlink);
    message.data = Some(Bytes::copy_from_slice(target));
    put_node(&Node { links: Vec::new(), data: message.encode().into() }, 0, sink)
}
