//! dag-pb, the node format of UnixFS: links first, then data, one canonical encoding.
//!
//! Format: <https://ipld.io/specs/codecs/dag-pb/spec/>. Decoding refuses unknown fields, other orders and long varints.

use bytes::{Buf, Bytes};
use cid::Cid;

use crate::block::{BLOCK_BYTES_MAX, check_cid};
use crate::error::{Error, Result};

/// A named, sized pointer to another block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The block pointed at.
    pub cid: Cid,
    /// The name: empty within files, a file name within directories.
    pub name: Bytes,
    /// Bytes of all blocks below, counting shared ones each time; a claim of whoever made the node.
    pub tsize: u64,
}

/// A node: links to other blocks and bytes of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Links, in the order they are stored.
    pub links: Vec<Link>,
    /// Own bytes; UnixFS keeps its description here.
    pub data: Bytes,
}

/// Bytes of `value` as an unsigned varint.
pub(crate) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Appends `value` as an unsigned varint.
pub(crate) fn put_varint(out: &mut Vec<u8>, value: u64) {
    let mut buffer = unsigned_varint::encode::u64_buffer();
    out.extend_from_slice(unsigned_varint::encode::u64(value, &mut buffer));
}

/// Takes an unsigned varint from the front; only the shortest form, at most 10 bytes.
pub(crate) fn take_varint(input: &mut Bytes, what: &'static str) -> Result<u64> {
    let (value, used) = match unsigned_varint::decode::u64(input) {
        Ok((value, rest)) => (value, input.len() - rest.len()),
        Err(error) => return Err(Error::malformed(what, format!("varint: {error}"))),
    };
    input.advance(used);
    Ok(value)
}

/// Takes a length and that many bytes from the front.
pub(crate) fn take_bytes(input: &mut Bytes, what: &'static str) -> Result<Bytes> {
    let length = take_varint(input, what)?;
    match usize::try_from(length) {
        Ok(length) if length <= input.len() => Ok(input.split_to(length)),
        _ => Err(Error::malformed(what, "a field is longer than its node")),
    }
}

impl Link {
    fn body_len(&self) -> usize {
        let cid = self.cid.encoded_len();
        let name = self.name.len();
        1 + varint_len(cid as u64) + cid + 1 + varint_len(name as u64) + name + 1 + varint_len(self.tsize)
    }

    /// Bytes this link takes within an encoded node.
    pub(crate) fn encoded_len(&self) -> usize {
        let body = self.body_len();
        1 + varint_len(body as u64) + body
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let cid = self.cid.to_bytes();
        out.push(0x12);
        put_varint(out, self.body_len() as u64);
        out.push(0x0a);
        put_varint(out, cid.len() as u64);
        out.extend_from_slice(&cid);
        out.push(0x12);
        put_varint(out, self.name.len() as u64);
        out.extend_from_slice(&self.name);
        out.push(0x18);
        put_varint(out, self.tsize);
    }

    fn decode(mut input: Bytes) -> Result<Link> {
        const WHAT: &str = "dag-pb link";
        expect(&mut input, 0x0a, WHAT)?;
        let cid = take_bytes(&mut input, WHAT)?;
        let cid = Cid::try_from(cid.as_ref()).map_err(|error| Error::malformed(WHAT, error.to_string()))?;
        check_cid(&cid)?;
        let mut name = Bytes::new();
        if input.first() == Some(&0x12) {
            input.advance(1);
            name = take_bytes(&mut input, WHAT)?;
        }
        let mut tsize = 0;
        if input.first() == Some(&0x18) {
            input.advance(1);
            tsize = take_varint(&mut input, WHAT)?;
        }
        if !input.is_empty() {
            return Err(Error::malformed(WHAT, "bytes after its end"));
        }
        Ok(Link { cid, name, tsize })
    }
}

fn expect(input: &mut Bytes, tag: u8, what: &'static str) -> Result<()> {
    if input.first() != Some(&tag) {
        return Err(Error::malformed(what, format!("field {tag:#x} is missing or out of order")));
    }
    input.advance(1);
    Ok(())
}

impl Node {
    /// Bytes of the encoded node.
    pub fn encoded_len(&self) -> usize {
        let data = if self.data.is_empty() { 0 } else { 1 + varint_len(self.data.len() as u64) + self.data.len() };
        self.links.iter().map(Link::encoded_len).sum::<usize>() + data
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        for link in &self.links {
            link.encode(&mut out);
        }
        if !self.data.is_empty() {
            out.push(0x0a);
            put_varint(&mut out, self.data.len() as u64);
            out.extend_from_slice(&self.data);
        }
        out
    }

    /// Reads a node; shares memory with `input`.
    pub fn decode(input: &Bytes) -> Result<Node> {
        const WHAT: &str = "dag-pb node";
        if input.len() > BLOCK_BYTES_MAX {
            return Err(Error::TooLarge { what: WHAT, limit: BLOCK_BYTES_MAX as u64 });
        }
        let mut input = input.clone();
        let mut node = Node::default();
        while input.first() == Some(&0x12) {
            input.advance(1);
            node.links.push(Link::decode(take_bytes(&mut input, WHAT)?)?);
        }
        if !input.is_empty() {
            expect(&mut input, 0x0a, WHAT)?;
            node.data = take_bytes(&mut input, WHAT)?;
        }
        if !input.is_empty() {
            return Err(Error::malformed(WHAT, "bytes after its end"));
        }
        Ok(node)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::block::{Block, RAW};

    fn link(name: &str, tsize: u64) -> Link {
        Link {
            cid: *Block::new(RAW, name.to_owned()).unwrap().cid(),
            name: Bytes::copy_from_slice(name.as_bytes()),
            tsize,
        }
    }

    #[test]
    fn broken_nodes_are_refused() {
        let good = Node { links: vec![link("a", 1)], data: Bytes::from_static(b"xy") }.encode();
        assert!(Node::decode(&Bytes::from(good.clone())).is_ok());
        for end in 1..good.len() {
            let cut = Node::decode(&Bytes::copy_from_slice(&good[..end]));
            let is_whole_prefix = end == good.len() - 4;
            assert_eq!(cut.is_ok(), is_whole_prefix, "cut at {end}");
        }
        let mut data_first = vec![0x0a, 2, b'x', b'y'];
        data_first.extend_from_slice(&good[..good.len() - 4]);
        assert!(Node::decode(&data_first.into()).is_err(), "links come first");
        assert!(Node::decode(&Bytes::from_static(&[0x0a, 0x80, 0x00])).is_err(), "longer varint than needed");
        assert!(
            Node::decode(&Bytes::from_static(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]))
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(names in proptest::collection::vec("[a-z]{0,20}", 0..20), tsize: u64, data: Vec<u8>) {
            let node = Node { links: names.iter().map(|name| link(name, tsize)).collect(), data: data.into() };
            let bytes = node.encode();
            prop_assert_eq!(bytes.len(), node.encoded_len());
            prop_assert_eq!(Node::decode(&bytes.into()).unwrap(), node);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            if let Ok(node) = Node::decode(&bytes.into()) {
                prop_assert_eq!(&Node::decode(&node.encode().into()).unwrap(), &node);
            }
        }
    }
}
