//! A chain computed on a card: what the host does around `kernel.wgsl`.
//!
//! Matrices never leave the card. What comes back are the hashes of the columns, and later the few columns that an audit
//! opens.

mod pipelines;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use proof::{Columns, Hash, Key, ProofError, Shape, TILE, Tree};
use wgpu::{Buffer, BufferUsages, CommandEncoderDescriptor, MapMode, PollType};

use crate::{Adapter, GpuConfig, GpuError};
use pipelines::{Pipelines, Step};

/// Products that are handed to the card at once. Drivers give up on work that takes seconds; this takes a slow card tenths.
const PRODUCTS_AT_ONCE: u64 = 1 << 33;
/// A leaf's bytes.
const LEAF_BYTES: u64 = 32;
const WORD_BYTES: u64 = 4;

/// A card that was opened.
#[derive(Debug)]
pub struct Device {
    name: String,
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipelines: Pipelines,
    /// The first thing that the driver complained about.
    complaint: Arc<Mutex<Option<String>>>,
    limit: u64,
    answer_within: Duration,
}

/// A chain that lies on a card.
#[derive(Debug)]
pub struct Computed<'a> {
    device: &'a Device,
    shape: Shape,
    results: Vec<Buffer>,
    leaves: Vec<Hash>,
}

impl Device {
    /// Opens a card and compiles the kernel for it.
    pub fn open(adapter: &Adapter, config: &GpuConfig) -> Result<Self, GpuError> {
        let name = adapter.record.model.clone();
        // A card's own limits, not the common ones: 128 MiB are no matrix for a large card.
        let limits = adapter.adapter.limits();
        let limit = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        let descriptor = wgpu::DeviceDescriptor { required_limits: limits, ..Default::default() };
        let opened = pollster::block_on(adapter.adapter.request_device(&descriptor));
        let (device, queue) =
            opened.map_err(|error| GpuError::Open { card: name.clone(), reason: error.to_string() })?;
        let complaint = Arc::new(Mutex::new(None));
        let heard = Arc::clone(&complaint);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| note(&heard, error.to_string())));
        let heard = Arc::clone(&complaint);
        device.set_device_lost_callback(move |reason, message| {
            // Dropping a device loses it too; nobody is left to hear that.
            note(&heard, format!("the device was lost ({reason:?}): {message}"));
        });
        let pipelines = Pipelines::new(&device);
        let opened = Self { name, device, queue, pipelines, complaint, limit, answer_within: config.answer_within };
        opened.complain()?;
        Ok(opened)
    }

    /// The card's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The largest matrix that it takes.
    #[must_use]
    pub fn matrix_bytes_max(&self) -> u64 {
        self.limit
    }

    /// Computes a challenge's chain, and waits until it is there.
    pub fn compute(&self, key: &Key, shape: Shape) -> Result<Computed<'_>, GpuError> {
        let size = shape.size();
        let matrix_bytes = u64::from(size) * u64::from(size) * WORD_BYTES;
        if matrix_bytes > self.limit {
            return Err(GpuError::TooLarge { card: self.name.clone(), needed: matrix_bytes, limit: self.limit });
        }
        let columns = u64::from(size) * u64::from(shape.rounds());
        let leaves = self.buffer(columns * LEAF_BYTES, BufferUsages::STORAGE | BufferUsages::COPY_SRC);
        let factor = self.buffer(matrix_bytes, BufferUsages::STORAGE);
        let first = self.buffer(matrix_bytes, BufferUsages::STORAGE);
        let job = |round, first| Step { key: key.words(), size, round, first };
        self.submit(|run| run.expand(&job(0, 0), &first));
        let mut results: Vec<Buffer> = Vec::new();
        for round in 1..=shape.rounds() {
            let result = self.buffer(matrix_bytes, BufferUsages::STORAGE | BufferUsages::COPY_SRC);
            let before = results.last().unwrap_or(&first);
            self.submit(|run| run.expand(&job(round, 0), &factor));
            let per_tile = u64::from(TILE) * u64::from(size) * u64::from(size);
            let at_once = u32::try_from(PRODUCTS_AT_ONCE / per_tile).unwrap_or(u32::MAX).max(1);
            let tiles = size / TILE;
            for tile in (0..tiles).step_by(at_once as usize) {
                let count = at_once.min(tiles - tile);
                self.submit(|run| run.multiply(&job(round, tile), count, [&factor, before, &result]));
            }
            self.submit(|run| run.digest(&job(round, 0), &result, &leaves));
            results.push(result);
            self.complain()?;
        }
        let bytes = self.read(&leaves, 0, columns * LEAF_BYTES)?;
        let leaves = bytes.chunks_exact(LEAF_BYTES as usize).map(hash);
        Ok(Computed { device: self, shape, leaves: leaves.collect(), results })
    }

    fn submit(&self, record: impl FnOnce(&mut pipelines::Run<'_>)) {
        let mut encoder = self.device.create_command_encoder(&CommandEncoderDescriptor::default());
        record(&mut pipelines::Run { device: &self.device, pipelines: &self.pipelines, encoder: &mut encoder });
        self.queue.submit([encoder.finish()]);
    }

    fn buffer(&self, size: u64, usage: BufferUsages) -> Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    }

    /// Copies bytes off the card, when all that was submitted before is done.
    fn read(&self, from: &Buffer, offset: u64, size: u64) -> Result<Vec<u8>, GpuError> {
        let landing = self.buffer(size, BufferUsages::MAP_READ | BufferUsages::COPY_DST);
        let mut encoder = self.device.create_command_encoder(&CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(from, offset, &landing, 0, size);
        self.queue.submit([encoder.finish()]);
        let heard = Arc::clone(&self.complaint);
        landing.map_async(MapMode::Read, .., move |mapped| {
            if let Err(error) = mapped {
                note(&heard, error.to_string());
            }
        });
        let wait = PollType::Wait { submission_index: None, timeout: Some(self.answer_within) };
        match self.device.poll(wait) {
            Err(wgpu::PollError::Timeout) => {
                return Err(GpuError::Hangs { card: self.name.clone(), within: self.answer_within });
            }
            Err(error) => note(&self.complaint, error.to_string()),
            Ok(_) => {}
        }
        self.complain()?;
        let view = landing.get_mapped_range(..);
        let view = view.map_err(|error| GpuError::Failed { card: self.name.clone(), reason: error.to_string() })?;
        Ok(view.to_vec())
    }

    /// Says what the driver complained about, if it did.
    fn complain(&self) -> Result<(), GpuError> {
        let complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner).clone();
        complaint.map_or(Ok(()), |reason| Err(GpuError::Failed { card: self.name.clone(), reason }))
    }
}

impl Computed<'_> {
    /// The tree over all columns.
    #[must_use]
    pub fn tree(&self) -> Tree {
        Tree::new(self.leaves.clone())
    }
}

impl Columns for Computed<'_> {
    fn column(&mut self, round: u32, column: u32) -> Result<Vec<u32>, ProofError> {
        let size = u64::from(self.shape.size());
        let result = round.checked_sub(1).and_then(|at| self.results.get(at as usize));
        let Some(result) = result.filter(|_| u64::from(column) < size) else { return Err(ProofError::Audit) };
        let bytes = size * WORD_BYTES;
        let read = self.device.read(result, u64::from(column) * bytes, bytes)?;
        Ok(read.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect())
    }
}

/// SHA-256's words are written big-endian; the card has them as numbers.
fn hash(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    for (to, from) in hash.chunks_exact_mut(4).zip(bytes.chunks_exact(4)) {
        to.copy_from_slice(&[from[3], from[2], from[1], from[0]]);
    }
    hash
}

fn note(complaint: &Mutex<Option<String>>, what: String) {
    complaint.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
}
