//! Variable-length integers (LEB128) and strings that share a prefix with the one before.

/// Appends `value`, seven bits a byte, least significant first.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends `text` as the length of the prefix shared with `before`, and the rest.
pub(crate) fn put_after(out: &mut Vec<u8>, before: &str, text: &str) {
    let shared = before.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    put(out, shared as u64);
    put(out, (text.len() - shared) as u64);
    out.extend_from_slice(&text.as_bytes()[shared..]);
}

/// Reads what `put` wrote; every method gives `None` at the end or on nonsense.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next integer.
    pub(crate) fn int(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            let low = u64::from(byte & 0x7f);
            if (low << shift) >> shift != low {
                return None;
            }
            value |= low << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// The next integer, where only 32 bits make sense.
    pub(crate) fn int32(&mut self) -> Option<u32> {
        self.int()?.try_into().ok()
    }

    /// The next `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(taken)
    }

    /// Replaces `before` by the string that follows it. Bytes, because a shared prefix may end
    /// inside a character.
    pub(crate) fn text_after(&mut self, before: &mut Vec<u8>) -> Option<()> {
        let shared = usize::try_from(self.int()?).ok()?;
        let rest = usize::try_from(self.int()?).ok()?;
        let rest = self.take(rest)?;
        if shared > before.len() {
            return None;
        }
        before.truncate(shared);
        before.extend_from_slice(rest);
        Some(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back() {
        let values = [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX];
        let mut bytes = Vec::new();
        values.iter().for_each(|&value| put(&mut bytes, value));
        let mut reader = Reader::new(&bytes);
        assert_eq!(values.map(|_| reader.int().unwrap()), values);
        assert!(reader.is_empty() && reader.int().is_none());
    }

    #[test]
    fn strings_come_back_even_when_a_character_is_split() {
        let texts = ["straße", "straßen", "strasse", "ő", "ű", ""];
        let (mut bytes, mut before) = (Vec::new(), "");
        for text in texts {
            put_after(&mut bytes, before, text);
            before = text;
        }
        let (mut reader, mut current) = (Reader::new(&bytes), Vec::new());
        for text in texts {
            reader.text_after(&mut current).unwrap();
            assert_eq!(current, text.as_bytes());
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Reader::new(&[0x80; 11]).int().is_none());
        assert!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).int().is_none());
        assert!(Reader::new(&[5, 1, b'a']).text_after(&mut vec![b'x']).is_none());
        assert!(Reader::new(&[0, 9, b'a']).text_after(&mut Vec::new()).is_none());
    }
}
