//! Settings, as plain values: whoever composes the program fills them in.

/// Postings of one transaction. A disk syncs once for all of them; beyond some hundred the first would wait longer for
/// the others than it saves.
pub const POSTINGS_MAX: usize = 256;
/// Postings that wait for the writer. A caller beyond them waits himself.
pub const WAITING_MAX: usize = 1024;
/// How often a batch is tried while the database is busy or away. The same batch again does no harm: what it says is
/// posted once.
pub const TRIES: u32 = 5;

const _: () = assert!(POSTINGS_MAX <= WAITING_MAX, "a whole batch must be able to wait");
