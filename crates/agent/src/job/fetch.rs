//! What a job needs, fetched from sources that are not trusted: spec, image, inputs.

use std::sync::Arc;

use cid::Cid;
use content::{BlockStore, ExportLimits, FetchLimits, OutsideLinks, Progress};
use market::{Choice, Offer, PerHour};
use tokio::sync::watch;
use wire::{Document, JobNews, JobSpec, Terms, spec};

use super::budget::Budget;
use super::state::Folder;
use crate::host::Host;
use crate::journal::Journal;
use crate::limits::FETCH_NEWS_EVERY;
use crate::{AgentError, disk, egress};

/// Files of one input; their names are held while they are written.
const INPUT_ENTRIES_MAX: u64 = 1_000_000;
/// What the smallest file takes of a disk.
const ENTRY_BYTES: u64 = 4096;
/// Deepest folder of an input.
const INPUT_DEPTH_MAX: usize = 128;

/// Fetches the spec and checks that this machine can and may run it.
pub(crate) async fn job_spec(host: &Host, terms: &Terms) -> Result<JobSpec, AgentError> {
    let cid = Document::cid_of(terms.specDigest)?;
    let bytes_max = spec::JOB_SPEC_BYTES_MAX as u64;
    host.fetcher.fetch(&host.store, &cid, FetchLimits { bytes_max, blocks_max: 1 }, None).await?;
    let bytes = host.store.get_async(cid).await?.unwrap_or_default();
    let spec = JobSpec::parse(&bytes).map_err(|error| AgentError::refused(format!("spec invalid: {error}")))?;
    fits(host, terms, &spec)?;
    Ok(spec)
}

/// The reasons to refuse that need no content.
fn fits(host: &Host, terms: &Terms, spec: &JobSpec) -> Result<(), AgentError> {
    let price = PerHour(terms.pricePerHour.to());
    if price < host.config.price_per_hour {
        let (offered, asked) = (price.0, host.config.price_per_hour.0);
        return Err(AgentError::refused(format!("price too low: {offered} units an hour, this machine costs {asked}")));
    }
    if let Some(reason) = egress::refusal(&spec.network, host.config.network) {
        return Err(AgentError::refused(reason));
    }
    let offer =
        Offer { id: host.resource, hardware: host.machine.hardware.clone(), price, available: true, busy: false };
    // Whoever rented this resource saw that its card is simulated.
    let needs = market::Needs { simulated: true, ..spec.needs() };
    if let Choice::Nearest(_, obstacles) = market::choose(std::slice::from_ref(&offer), &needs) {
        let reasons: Vec<String> = obstacles.iter().map(ToString::to_string).collect();
        return Err(AgentError::refused(format!("does not fit this resource: {}", reasons.join("; "))));
    }
    Budget::of(host, spec.needs().disk).map(drop)
}

/// Fetches image and inputs within one budget and writes the inputs where the job will see them. Gives the bytes that
/// they take of the job's disk.
pub(crate) async fn image_and_inputs(
    host: Arc<Host>,
    spec: JobSpec,
    folder: Folder,
    journal: Journal,
) -> Result<u64, AgentError> {
    super::remove_tree(&folder.inputs())?;
    let mut budget = Budget::of(&host, spec.needs().disk)?;
    let image = spec::cid("image", &spec.image)?;
    let bytes_max = budget.image_max(here(&host, image).await?);
    budget.stored(one(&host, &journal, "image", &image, bytes_max).await?);
    let inputs: Vec<(Cid, &str)> = spec
        .inputs
        .iter()
        .map(|input| Ok((spec::cid("inputs", &input.cid)?, input.path.as_str())))
        .collect::<Result<_, AgentError>>()?;
    for (cid, _) in &inputs {
        let bytes_max = budget.input_max(here(&host, *cid).await?);
        budget.stored(one(&host, &journal, "inputs", cid, bytes_max).await?);
    }
    std::fs::create_dir_all(folder.inputs()).map_err(AgentError::io(&folder.inputs()))?;
    let mut taken = 0;
    for (cid, path) in inputs {
        export(host.store.clone(), cid, folder.inputs().join(path), budget.disk() - taken).await?;
        let all = folder.inputs();
        taken = tokio::task::spawn_blocking(move || disk::size(&all)).await.map_err(|_| AgentError::ShuttingDown)?;
        if taken > budget.disk() {
            let asked = spec.resources.disk_mib;
            return Err(AgentError::refused(format!("the inputs take more than the {asked} MiB of disk of the job")));
        }
    }
    Ok(taken)
}

/// Bytes of a DAG that are stored already.
async fn here(host: &Host, root: Cid) -> Result<u64, AgentError> {
    let store = host.store.clone();
    let count = tokio::task::spawn_blocking(move || {
        let blocks = content::blocks_of(&store, &root)?;
        Ok::<_, AgentError>(blocks.iter().filter_map(|cid| store.block_len(cid)).sum())
    });
    count.await.map_err(|_| AgentError::ShuttingDown)?
}

async fn export(store: Arc<BlockStore>, cid: Cid, place: std::path::PathBuf, bytes_max: u64) -> Result<(), AgentError> {
    let limits = ExportLimits {
        bytes_max,
        entries_max: (bytes_max / ENTRY_BYTES).min(INPUT_ENTRIES_MAX),
        depth_max: INPUT_DEPTH_MAX,
        // Seen from the container, a link that leads out leads into the container.
        outside_links: OutsideLinks::Keep,
    };
    let work = tokio::task::spawn_blocking(move || {
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent).map_err(AgentError::io(parent))?;
        }
        content::export(&store, &cid, &place, &limits).map(drop).map_err(AgentError::from)
    });
    work.await.map_err(|_| AgentError::ShuttingDown)?
}

/// Fetches one DAG and tells how far it is; gives the bytes that were not here before.
async fn one(host: &Host, journal: &Journal, what: &str, cid: &Cid, bytes_max: u64) -> Result<u64, AgentError> {
    let (progress, mut seen) = watch::channel(Progress::default());
    let limits = FetchLimits { bytes_max, ..FetchLimits::default() };
    let tell = |progress: &Progress| {
        let (bytes, total_bytes) = (progress.bytes, progress.total_bytes);
        journal.add(JobNews::JobFetch { what: what.to_owned(), bytes, total_bytes })
    };
    let mut fetch = std::pin::pin!(host.fetcher.fetch(&host.store, cid, limits, Some(&progress)));
    let mut ticks = tokio::time::interval(FETCH_NEWS_EVERY);
    ticks.tick().await;
    loop {
        tokio::select! {
            fetched = &mut fetch => {
                let fetched = fetched?;
                let last = *seen.borrow();
                tell(&last)?;
                return Ok(fetched.bytes);
            }
            _ = ticks.tick() => {
                if seen.has_changed().unwrap_or_default() {
                    let now = *seen.borrow_and_update();
                    tell(&now)?;
                }
            }
        }
    }
}
