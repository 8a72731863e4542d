//! As much of protobuf as bitswap needs: fields read without copying, and written in order.

use bytes::{BufMut, Bytes, BytesMut};

/// Wire type of a variable-length integer.
const VARINT: u64 = 0;
/// Wire type of eight bytes.
const FIXED64: u64 = 1;
/// Wire type of bytes with their length before them.
const BYTES: u64 = 2;
/// Wire type of four bytes.
const FIXED32: u64 = 5;

/// The value of a field.
#[derive(Debug)]
pub(super) enum Value {
    /// An integer, a flag or a member of an enumeration.
    Number(u64),
    /// Bytes, text or a message.
    Bytes(Bytes),
}

/// Reads the fields of a message one after the other.
pub(super) struct Fields(Bytes);

impl Fields {
    pub(super) fn new(message: Bytes) -> Self {
        Self(message)
    }

    /// The next field with its number; `None` at the end. Kinds that bitswap does not use are passed over.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value)>, &'static str> {
        while !self.0.is_empty() {
            let key = self.varint()?;
            match key & 7 {
                VARINT => return Ok(Some((key >> 3, Value::Number(self.varint()?)))),
                BYTES => {
                    let length = self.varint()?;
                    return Ok(Some((key >> 3, Value::Bytes(self.take(length)?))));
                }
                FIXED64 => drop(self.take(8)?),
                FIXED32 => drop(self.take(4)?),
                _ => return Err("a field of unknown kind"),
            }
        }
        Ok(None)
    }

    fn varint(&mut self) -> Result<u64, &'static str> {
        let (number, rest) = unsigned_varint::decode::u64(&self.0).map_err(|_| "a broken number")?;
        let used = self.0.len() - rest.len();
        drop(self.0.split_to(used));
        Ok(number)
    }

    fn take(&mut self, length: u64) -> Result<Bytes, &'static str> {
        match usize::try_from(length) {
            Ok(length) if length <= self.0.len() => Ok(self.0.split_to(length)),
            _ => Err("a field longer than its message"),
        }
    }
}

/// Writes a field with a number; zero is what an absent field means.
pub(super) fn put_number(out: &mut BytesMut, field: u64, number: u64) {
    if number != 0 {
        put_varint(out, field << 3 | VARINT);
        put_varint(out, number);
    }
}

/// Writes a field with bytes.
pub(super) fn put_bytes(out: &mut BytesMut, field: u64, bytes: &[u8]) {
    put_head(out, field, bytes.len());
    out.put_slice(bytes);
}

/// Writes what stands before the bytes of a field.
pub(super) fn put_head(out: &mut BytesMut, field: u64, length: usize) {
    put_varint(out, field << 3 | BYTES);
    put_varint(out, length as u64);
}

/// Writes a variable-length integer.
pub(super) fn put_varint(out: &mut BytesMut, number: u64) {
    out.put_slice(unsigned_varint::encode::u64(number, &mut unsigned_varint::encode::u64_buffer()));
}
