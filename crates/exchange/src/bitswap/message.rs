//! Bitswap messages, version 1.2: what is wanted, what is here, and blocks.
//!
//! Nothing that a message says about a block is believed; its hash decides which one it is.

use bytes::{Bytes, BytesMut};
use content::Cid;

use super::proto::{Fields, Value, put_bytes, put_head, put_number, put_varint};

/// The longest message that is read: the 4 MiB that every implementation must accept, and what stands around them.
pub const MESSAGE_BYTES_MAX: usize = (4 << 20) + (64 << 10);
/// The most blocks, wishes or answers in one message. Kubo keeps 1,024 wishes of a peer, and cancels as many.
pub const ENTRIES_MAX: usize = 16 << 10;

const WANTLIST: u64 = 1;
const OLD_BLOCK: u64 = 2;
const BLOCK: u64 = 3;
const PRESENCE: u64 = 4;

/// One message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// What its sender wants, or no longer wants.
    pub wants: Vec<Want>,
    /// Whether the wishes replace all earlier ones.
    pub full: bool,
    /// Blocks.
    pub blocks: Vec<Payload>,
    /// Whether blocks are here.
    pub presences: Vec<Presence>,
}

/// A wish for a block, or the end of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The block.
    pub cid: Cid,
    /// What is wanted of it.
    pub kind: WantKind,
    /// Whether the wish is over.
    pub cancel: bool,
    /// Whether absence is to be answered as well.
    pub send_dont_have: bool,
}

/// What is wanted of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WantKind {
    /// Its bytes.
    #[default]
    Block,
    /// Whether it is here.
    Have,
}

/// A block on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Its CID without the digest, as its sender says.
    pub prefix: Bytes,
    /// Its bytes.
    pub data: Bytes,
}

/// Whether a block is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The block.
    pub cid: Cid,
    /// Whether it is.
    pub is_here: bool,
}

/// A message as it is written: its pieces, so that blocks are not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame(pub(super) Vec<Bytes>);

impl Want {
    /// A wish for the bytes of a block, absence to be answered.
    pub fn block(cid: Cid) -> Self {
        Self { cid, kind: WantKind::Block, cancel: false, send_dont_have: true }
    }

    /// A question whether a block is there.
    pub fn have(cid: Cid) -> Self {
        Self { kind: WantKind::Have, ..Self::block(cid) }
    }

    /// The end of a wish.
    pub fn cancel(cid: Cid) -> Self {
        Self { cid, kind: WantKind::Block, cancel: true, send_dont_have: false }
    }
}

impl Payload {
    /// The block of a CID.
    pub fn new(cid: &Cid, data: Bytes) -> Self {
        let mut prefix = BytesMut::new();
        for number in [u64::from(cid.version()), cid.codec(), cid.hash().code(), u64::from(cid.hash().size())] {
            put_varint(&mut prefix, number);
        }
        Self { prefix: prefix.freeze(), data }
    }
}

impl Message {
    /// Reads a message without the length before it. The answer says in words what is wrong.
    pub fn decode(bytes: Bytes) -> Result<Self, &'static str> {
        let mut message = Message::default();
        let mut fields = Fields::new(bytes);
        while let Some((field, value)) = fields.next()? {
            match (field, value) {
                (WANTLIST, Value::Bytes(list)) => message.read_wantlist(list)?,
                (OLD_BLOCK, Value::Bytes(data)) => message.blocks.push(Payload { prefix: Bytes::new(), data }),
                (BLOCK, Value::Bytes(block)) => message.blocks.push(read_payload(block)?),
                (PRESENCE, Value::Bytes(presence)) => message.presences.extend(read_presence(presence)?),
                _ => {}
            }
            if message.wants.len().max(message.blocks.len()).max(message.presences.len()) > ENTRIES_MAX {
                return Err("too many entries");
            }
        }
        Ok(message)
    }

    fn read_wantlist(&mut self, list: Bytes) -> Result<(), &'static str> {
        let mut fields = Fields::new(list);
        while let Some((field, value)) = fields.next()? {
            match (field, value) {
                (1, Value::Bytes(entry)) => self.wants.extend(read_want(entry)?),
                (2, Value::Number(full)) => self.full = full != 0,
                _ => {}
            }
            if self.wants.len() > ENTRIES_MAX {
                return Err("too many entries");
            }
        }
        Ok(())
    }

    /// The message with its length before it.
    pub(super) fn frame(&self) -> Frame {
        let mut pieces = Vec::with_capacity(2 * self.blocks.len() + 2);
        let mut small = BytesMut::new();
        if self.full || !self.wants.is_empty() {
            put_bytes(&mut small, WANTLIST, &self.wantlist());
        }
        for presence in &self.presences {
            let mut entry = BytesMut::new();
            put_bytes(&mut entry, 1, &presence.cid.to_bytes());
            put_number(&mut entry, 2, u64::from(!presence.is_here));
            put_bytes(&mut small, PRESENCE, &entry);
        }
        for block in &self.blocks {
            let mut head = BytesMut::new();
            put_bytes(&mut head, 1, &block.prefix);
            put_head(&mut head, 2, block.data.len());
            put_head(&mut small, BLOCK, head.len() + block.data.len());
            small.extend_from_slice(&head);
            pieces.push(small.split().freeze());
            pieces.push(block.data.clone());
        }
        pieces.push(small.freeze());
        let length: usize = pieces.iter().map(Bytes::len).sum();
        // The length and the first piece go out as one.
        let mut first = BytesMut::new();
        put_varint(&mut first, length as u64);
        first.extend_from_slice(&pieces[0]);
        pieces[0] = first.freeze();
        Frame(pieces)
    }

    fn wantlist(&self) -> BytesMut {
        let mut list = BytesMut::new();
        for (place, want) in self.wants.iter().enumerate() {
            let mut entry = BytesMut::new();
            put_bytes(&mut entry, 1, &want.cid.to_bytes());
            // The first wish is the most urgent: that is the order in which they are answered.
            put_number(&mut entry, 2, (ENTRIES_MAX - place.min(ENTRIES_MAX - 1)) as u64);
            put_number(&mut entry, 3, u64::from(want.cancel));
            put_number(&mut entry, 4, u64::from(want.kind == WantKind::Have));
            put_number(&mut entry, 5, u64::from(want.send_dont_have));
            put_bytes(&mut list, 1, &entry);
        }
        put_number(&mut list, 2, u64::from(self.full));
        list
    }
}

/// A wish; `None` where its CID is of a kind that is not known here: nobody could answer it.
fn read_want(entry: Bytes) -> Result<Option<Want>, &'static str> {
    let mut cid = None;
    let mut want = Want { send_dont_have: false, ..Want::block(Cid::default()) };
    let mut fields = Fields::new(entry);
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, Value::Bytes(bytes)) => cid = Cid::try_from(bytes.as_ref()).ok(),
            (3, Value::Number(cancel)) => want.cancel = cancel != 0,
            (4, Value::Number(kind)) => want.kind = if kind == 1 { WantKind::Have } else { WantKind::Block },
            (5, Value::Number(answer)) => want.send_dont_have = answer != 0,
            _ => {}
        }
    }
    Ok(cid.map(|cid| Want { cid, ..want }))
}

fn read_payload(block: Bytes) -> Result<Payload, &'static str> {
    let mut payload = Payload { prefix: Bytes::new(), data: Bytes::new() };
    let mut fields = Fields::new(block);
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, Value::Bytes(prefix)) => payload.prefix = prefix,
            (2, Value::Bytes(data)) => payload.data = data,
            _ => {}
        }
    }
    Ok(payload)
}

fn read_presence(entry: Bytes) -> Result<Option<Presence>, &'static str> {
    let mut cid = None;
    let mut is_here = true;
    let mut fields = Fields::new(entry);
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, Value::Bytes(bytes)) => cid = Cid::try_from(bytes.as_ref()).ok(),
            (2, Value::Number(kind)) => is_here = kind == 0,
            _ => {}
        }
    }
    Ok(cid.map(|cid| Presence { cid, is_here }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use content::{Block, RAW};
    use proptest::prelude::*;

    fn cid(text: &str) -> Cid {
        *Block::new(RAW, text.to_owned()).unwrap().cid()
    }

    /// Everything behind the length.
    fn body(message: &Message) -> Bytes {
        let all: Vec<u8> = message.frame().0.concat();
        let (length, rest) = unsigned_varint::decode::usize(&all).unwrap();
        assert_eq!(length, rest.len());
        Bytes::copy_from_slice(rest)
    }

    #[test]
    fn what_is_written_is_read() {
        let message = Message {
            wants: vec![Want::block(cid("a")), Want::have(cid("b")), Want::cancel(cid("c"))],
            full: true,
            blocks: vec![Payload::new(&cid("d"), "d".into()), Payload::new(&cid(""), Bytes::new())],
            presences: [true, false].map(|is_here| Presence { cid: cid("e"), is_here }).to_vec(),
        };
        assert_eq!(Message::decode(body(&message)), Ok(message));
        assert_eq!(Message::decode(body(&Message::default())), Ok(Message::default()));
    }

    #[test]
    fn a_wish_has_the_bytes_that_others_write() {
        // Written by hand after the message's schema: wantlist { entry { cid, priority 16384, dont-have }, full 0 }.
        let mut expected = vec![0x0a, 0x2c, 0x0a, 0x2a, 0x0a, 0x24];
        expected.extend(cid("a").to_bytes());
        expected.extend([0x10, 0x80, 0x80, 0x01, 0x28, 0x01]);
        expected[1] = u8::try_from(expected.len() - 2).unwrap();
        expected[3] = u8::try_from(expected.len() - 4).unwrap();
        assert_eq!(body(&Message { wants: vec![Want::block(cid("a"))], ..Message::default() }), expected);
    }

    #[test]
    fn blocks_are_not_copied() {
        let data = Bytes::from(vec![7; 1 << 20]);
        let message = Message { blocks: vec![Payload::new(&cid("x"), data.clone())], ..Message::default() };
        assert!(message.frame().0.iter().any(|piece| piece.as_ptr() == data.as_ptr()));
        let body = body(&message);
        let read = Message::decode(body.clone()).unwrap();
        assert!(body.as_ptr_range().contains(&read.blocks[0].data.as_ptr()));
    }

    #[test]
    fn wishes_of_unknown_kinds_are_passed_over_and_floods_refused() {
        let odd = [0x0a, 0x05, 0x0a, 0x03, 0x0a, 0x01, 0xff];
        assert_eq!(Message::decode(Bytes::copy_from_slice(&odd)), Ok(Message::default()));
        let many = Message { wants: vec![Want::have(cid("a")); ENTRIES_MAX + 1], ..Message::default() };
        assert_eq!(Message::decode(body(&many)), Err("too many entries"));
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Message::decode(bytes.into()));
        }
    }
}
