//! Cards as they are described, and the kernel on whatever this machine computes with.

#![expect(clippy::unwrap_used, reason = "a test fails where a step does")]

mod joining;
mod proving;
mod sysfs;
