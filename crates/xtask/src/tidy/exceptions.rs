//! Files and functions over their limit, each with its size and its reason. The list only shrinks:
//! an entry that is larger than needed, or no longer needed, is a finding.

/// Something that may be longer than the limit.
pub(super) struct Exception {
    pub(super) path: &'static str,
    /// The function, or nothing for the file as a whole.
    pub(super) function: Option<&'static str>,
    pub(super) lines: usize,
    #[expect(dead_code, reason = "written for the reader of the list")]
    pub(super) reason: &'static str,
}

/// All exceptions.
pub(super) const EXCEPTIONS: &[Exception] = &[];
