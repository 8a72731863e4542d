//! The three programs of the kernel, and how each is called.

use proof::TILE;
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, BufferUsages, CommandEncoder, ComputePassDescriptor,
    ComputePipeline, ComputePipelineDescriptor, Device, ShaderModuleDescriptor, ShaderSource,
};

use crate::KERNEL;

/// Lines of a stream that a workgroup makes.
const EXPAND_LINES: u32 = 16;

/// What the kernel calls a `Job`.
pub(super) struct Step {
    pub(super) key: [u32; 8],
    pub(super) size: u32,
    pub(super) round: u32,
    pub(super) first: u32,
}

impl Step {
    fn bytes(&self) -> Vec<u8> {
        let rest = [self.size, self.round, self.first, 0];
        self.key.iter().chain(&rest).flat_map(|word| word.to_le_bytes()).collect()
    }
}

/// The programs, compiled for one card.
#[derive(Debug)]
pub(super) struct Pipelines {
    expand: ComputePipeline,
    multiply: ComputePipeline,
    digest: ComputePipeline,
}

impl Pipelines {
    pub(super) fn new(device: &Device) -> Self {
        let source = ShaderSource::Wgsl(KERNEL.into());
        let module = device.create_shader_module(ShaderModuleDescriptor { label: Some("proof of GPU"), source });
        let compile = |entry_point| {
            device.create_compute_pipeline(&ComputePipelineDescriptor {
                label: Some(entry_point),
                layout: None,
                module: &module,
                entry_point: Some(entry_point),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
        };
        Self { expand: compile("expand"), multiply: compile("multiply"), digest: compile("digest") }
    }
}

/// Commands that are being written.
pub(super) struct Run<'a> {
    pub(super) device: &'a Device,
    pub(super) pipelines: &'a Pipelines,
    pub(super) encoder: &'a mut CommandEncoder,
}

impl Run<'_> {
    /// Fills a matrix with the stream of its round.
    pub(super) fn expand(&mut self, step: &Step, matrix: &Buffer) {
        let pipeline = &self.pipelines.expand;
        let bound = self.bind(pipeline, step, &[(3, matrix)]);
        self.dispatch(pipeline, &bound, [step.size / TILE, step.size / EXPAND_LINES]);
    }

    /// Computes `tiles` rows of tiles of a product, from the step's first on: of a factor and a matrix into a result.
    pub(super) fn multiply(&mut self, step: &Step, tiles: u32, [factor, before, result]: [&Buffer; 3]) {
        let pipeline = &self.pipelines.multiply;
        let bound = self.bind(pipeline, step, &[(1, factor), (2, before), (3, result)]);
        self.dispatch(pipeline, &bound, [step.size / TILE, tiles]);
    }

    /// Hashes every column of a result.
    pub(super) fn digest(&mut self, step: &Step, result: &Buffer, leaves: &Buffer) {
        let pipeline = &self.pipelines.digest;
        let bound = self.bind(pipeline, step, &[(2, result), (3, leaves)]);
        self.dispatch(pipeline, &bound, [step.size / TILE, 1]);
    }

    fn bind(&self, pipeline: &ComputePipeline, step: &Step, buffers: &[(u32, &Buffer)]) -> BindGroup {
        let bytes = step.bytes();
        let job = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes.len() as u64,
            usage: BufferUsages::UNIFORM,
            mapped_at_creation: true,
        });
        // A buffer that could not be made has no range; the driver's complaint is heard where the work is waited for.
        if let Ok(mut range) = job.get_mapped_range_mut(..) {
            range.copy_from_slice(&bytes);
        }
        job.unmap();
        let first = std::iter::once((0, &job));
        let entries = first.chain(buffers.iter().copied());
        let entries: Vec<_> =
            entries.map(|(binding, buffer)| BindGroupEntry { binding, resource: buffer.as_entire_binding() }).collect();
        let layout = pipeline.get_bind_group_layout(0);
        self.device.create_bind_group(&BindGroupDescriptor { label: None, layout: &layout, entries: &entries })
    }

    fn dispatch(&mut self, pipeline: &ComputePipeline, bound: &BindGroup, [x, y]: [u32; 2]) {
        let mut pass = self.encoder.begin_compute_pass(&ComputePassDescriptor::default());
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, bound, &[]);
        pass.dispatch_workgroups(x, y, 1);
    }
}
