//! What one job may bring onto this machine before its clock runs and pays for it: image, inputs and its own disk
//! together fit what is free, or the job is refused.

use market::Mebibytes;

use crate::AgentError;
use crate::host::Host;
use crate::limits::{DISK_SPARE, STORE_SPARE};

/// What is left for one job, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    /// For the content store: what is stored for image and inputs takes from it.
    store: u64,
    /// Of the job's own disk: what the inputs take of it, the job cannot write any more.
    disk: u64,
}

impl Budget {
    /// The budget of a job that asks for `disk`, or the reason why there is none.
    pub(super) fn of(host: &Host, disk: Mebibytes) -> Result<Self, AgentError> {
        let free = crate::disk::free(&host.config.state_dir).unwrap_or(host.machine.hardware.disk);
        Self::from(free, store_left(host)?, disk)
    }

    fn from(free: Mebibytes, store_left: u64, disk: Mebibytes) -> Result<Self, AgentError> {
        let needed = disk.0.saturating_add(DISK_SPARE.0);
        let Some(beside) = free.0.checked_sub(needed) else {
            return Err(AgentError::refused(format!("disk full: {} MiB are free, {needed} MiB are needed", free.0)));
        };
        // Once for this job's own log and records, once for the next job's.
        let store = store_left.saturating_sub(2 * STORE_SPARE.bytes());
        Ok(Self { store: store.min(Mebibytes(beside).bytes()), disk: disk.bytes() })
    }

    /// The largest image of which `here` bytes are stored already.
    pub(super) fn image_max(&self, here: u64) -> u64 {
        self.store.saturating_add(here)
    }

    /// The largest input of which `here` bytes are stored already.
    pub(super) fn input_max(&self, here: u64) -> u64 {
        self.image_max(here).min(self.disk)
    }

    /// So much was stored.
    pub(super) fn stored(&mut self, bytes: u64) {
        self.store = self.store.saturating_sub(bytes);
    }

    /// What inputs may still take of the job's disk.
    pub(super) fn disk(&self) -> u64 {
        self.disk
    }
}

/// What the content store may still take, or the refusal of a job whose record would not fit any more.
pub(crate) fn store_left(host: &Host) -> Result<u64, AgentError> {
    let left = host.store.bytes_max().saturating_sub(host.store.bytes_on_disk());
    if left < STORE_SPARE.bytes() {
        let limit = host.store.bytes_max() >> 20;
        return Err(AgentError::refused(format!("store full: {} MiB are left of {limit} MiB", left >> 20)));
    }
    Ok(left)
}

/// The most that an image may take once the engine has unpacked it, when `promised` is still to be taken by the job.
pub(super) fn unpacked_max(host: &Host, promised: Mebibytes) -> u64 {
    let free = crate::disk::free(&host.config.state_dir).unwrap_or(host.machine.hardware.disk);
    Mebibytes(free.0.saturating_sub(DISK_SPARE.0.saturating_add(promised.0))).bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn image_inputs_and_disk_share_what_is_free() {
        let budget = |free, store, disk| Budget::from(Mebibytes(free), store * MIB, Mebibytes(disk));
        let refusal = budget(DISK_SPARE.0 + 99, 1000, 100).unwrap_err().to_string();
        assert!(refusal.starts_with("disk full: "), "{refusal}");
        let mut small_disk = budget(DISK_SPARE.0 + 150, 1000, 100).unwrap();
        assert_eq!(small_disk.image_max(0), 50 * MIB, "the job's own disk is set aside");
        small_disk.stored(30 * MIB);
        assert_eq!(small_disk.image_max(0), 20 * MIB, "what the image took is gone for the inputs");
        assert_eq!(small_disk.input_max(30 * MIB), 50 * MIB, "what is here already takes nothing");
        assert_eq!(small_disk.input_max(500 * MIB), 100 * MIB, "inputs lie on the job's disk");
        let small_store = budget(10_000, 2 * STORE_SPARE.0 + 7, 100).unwrap();
        assert_eq!(small_store.image_max(0), 7 * MIB);
    }
}
