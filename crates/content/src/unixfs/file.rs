//! Files: fixed chunks as raw leaves under a balanced tree of width 1024.

use std::io::Read;

use bytes::Bytes;
use cid::Cid;

use super::sink::Sink;
use super::{FILE_WIDTH, Message, Type};
use crate::block::{Block, DAG_PB, RAW};
use crate::dagpb::{Link, Node};
use crate::error::{Error, Result};

/// A finished DAG: its root and how large it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// The root.
    pub cid: Cid,
    /// Bytes of content: of the file, or of all files of the tree.
    pub size: u64,
    /// Bytes of all blocks, shared ones counted each time: the link size of dag-pb.
    pub dag_size: u64,
}

/// Builds a file from bytes pushed into it; holds one chunk and the open nodes, never the file.
pub(crate) struct FileBuilder {
    chunk_bytes: usize,
    chunk: Vec<u8>,
    /// Children waiting for their parent; level 0 are leaves. A full level is folded only when one more
    /// child comes, so that a file of exactly 1024 chunks has one parent.
    levels: Vec<Vec<Added>>,
}

impl FileBuilder {
    pub(crate) fn new(chunk_bytes: usize) -> Self {
        Self { chunk_bytes: chunk_bytes.max(1), chunk: Vec::new(), levels: Vec::new() }
    }

    /// Appends bytes.
    pub(crate) fn write(&mut self, mut bytes: &[u8], sink: &mut dyn Sink) -> Result<()> {
        while !bytes.is_empty() {
            if self.chunk.capacity() == 0 {
                self.chunk.reserve_exact(self.chunk_bytes);
            }
            let taken = bytes.len().min(self.chunk_bytes - self.chunk.len());
            self.chunk.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if self.chunk.len() == self.chunk_bytes {
                let full = std::mem::take(&mut self.chunk);
                self.leaf(full.into(), sink)?;
            }
        }
        Ok(())
    }

    fn leaf(&mut self, data: Bytes, sink: &mut dyn Sink) -> Result<()> {
        let size = data.len() as u64;
        let block = Block::new(RAW, data)?;
        let child = Added { cid: *block.cid(), size, dag_size: size };
        sink.put(block)?;
        self.push(0, child, sink)
    }

    fn push(&mut self, level: usize, child: Added, sink: &mut dyn Sink) -> Result<()> {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        if self.levels[level].len() == FILE_WIDTH {
            let full = std::mem::take(&mut self.levels[level]);
            let parent = parent(&full, sink)?;
            self.push(level + 1, parent, sink)?;
        }
        self.levels[level].push(child);
        Ok(())
    }

    /// Closes the file.
    pub(crate) fn finish(mut self, sink: &mut dyn Sink) -> Result<Added> {
        if !self.chunk.is_empty() || self.levels.is_empty() {
            let last = std::mem::take(&mut self.chunk);
            self.leaf(last.into(), sink)?;
        }
        let mut level = 0;
        loop {
            let children = std::mem::take(&mut self.levels[level]);
            if let ([only], true) = (children.as_slice(), level + 1 == self.levels.len()) {
                return Ok(*only);
            }
            let parent = parent(&children, sink)?;
            level += 1;
            self.push(level, parent, sink)?;
        }
    }
}

fn parent(children: &[Added], sink: &mut dyn Sink) -> Result<Added> {
    let mut message = Message::new(Type::File);
    message.block_sizes = children.iter().map(|child| child.size).collect();
    let size = children.iter().map(|child| child.size).sum();
    message.file_size = Some(size);
    let links = children.iter().map(|child| Link { cid: child.cid, name: Bytes::new(), tsize: child.dag_size });
    put_node(&Node { links: links.collect(), data: message.encode().into() }, size, sink)
}

/// Puts a dag-pb node and says how large the DAG under it is.
pub(crate) fn put_node(node: &Node, size: u64, sink: &mut dyn Sink) -> Result<Added> {
    let below: u64 = node.links.iter().map(|link| link.tsize).sum();
    let block = Block::new(DAG_PB, node.encode())?;
    let made = Added { cid: *block.cid(), size, dag_size: below + block.data().len() as u64 };
    sink.put(block)?;
    Ok(made)
}

/// Reads a file to its end, at most `bytes_max` bytes.
pub(crate) fn add_reader(mut reader: impl Read, chunk_bytes: usize, sink: &mut dyn Sink) -> Result<Added> {
    let mut builder = FileBuilder::new(chunk_bytes);
    loop {
        let mut chunk = Vec::with_capacity(chunk_bytes);
        let read = reader.by_ref().take(chunk_bytes as u64).read_to_end(&mut chunk).map_err(Error::from)?;
        if read < chunk_bytes {
            chunk.shrink_to_fit();
            builder.write(&chunk, sink)?;
            return builder.finish(sink);
        }
        builder.leaf(chunk.into(), sink)?;
    }
}
