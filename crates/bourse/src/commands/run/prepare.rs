//! A job put together from its file and the flags, and its content brought into blocks.

use std::{path::Path, sync::Arc};

use content::{BlockStore, Cid, image};
use market::{Amount, PerHour};
use renter::JobTemplate;
use wire::{
    Network,
    spec::{Input, JOB_SPEC_BYTES_MAX},
};

use super::{Args, local};
use crate::{
    answer::{self, Token},
    failure::Failure,
    ui::Ui,
};

/// What a program gets that says nothing.
const CPUS: u16 = 1;
const MEMORY_MIB: u64 = 512;
const DISK_MIB: u64 = 1024;

/// A template whose content has names, and the roots to publish.
pub(crate) struct Prepared {
    pub(crate) template: JobTemplate,
    pub(crate) roots: Vec<(&'static str, Cid)>,
}

/// The job as the person wrote it. Everything that can be wrong without content is found here.
pub(crate) fn template(args: &Args) -> Result<JobTemplate, Failure> {
    let mut job = match &args.spec {
        Some(path) => {
            let size = std::fs::metadata(path).map_err(Failure::file(path))?.len();
            if size > JOB_SPEC_BYTES_MAX as u64 {
                let limit = JOB_SPEC_BYTES_MAX;
                return Err(Failure::Usage(format!(
                    "{} has {size} bytes; a job file has at most {limit}",
                    path.display()
                )));
            }
            JobTemplate::parse(&std::fs::read(path).map_err(Failure::file(path))?)?
        }
        None => {
            let text = format!(
                r#"{{"version":1,"outputs":true,"resources":{{"cpus":{CPUS},"memoryMib":{MEMORY_MIB},"diskMib":{DISK_MIB}}}}}"#
            );
            JobTemplate::parse(text.as_bytes())?
        }
    };
    if args.image.is_none() && job.image.is_none() {
        return Err(Failure::Usage(
            "no image: name a CID, an image archive or a static binary, as in `bourse run IMAGE`".into(),
        ));
    }
    let resources = &mut job.resources;
    resources.gpu = args.gpu.clone().or(resources.gpu.take());
    resources.gpus = args.gpus.unwrap_or(resources.gpus.max(u16::from(resources.gpu.is_some())));
    resources.cpus = args.cpus.unwrap_or(resources.cpus);
    resources.memory_mib = args.memory.unwrap_or(resources.memory_mib);
    resources.disk_mib = args.disk.unwrap_or(resources.disk_mib);
    if args.network {
        job.network = Network::Full;
    } else if !args.allow.is_empty() {
        job.network = Network::Allow(args.allow.clone());
    }
    job.max_duration_seconds = args.max_duration.unwrap_or(job.max_duration_seconds);
    if let Some((command, rest)) = args.command.split_first() {
        job.command = vec![command.clone()];
        job.args = rest.to_vec();
    }
    job.check()?;
    local::check(args)?;
    Ok(job)
}

/// What the market must offer.
pub(crate) fn needs(job: &JobTemplate, max_price: Option<PerHour>, simulated: bool) -> market::Needs {
    market::Needs {
        model: job.resources.gpu.clone(),
        gpus: job.resources.gpus,
        vram: market::Mebibytes(job.resources.vram_mib),
        cpus: job.resources.cpus,
        memory: market::Mebibytes(job.resources.memory_mib),
        disk: market::Mebibytes(job.resources.disk_mib),
        max_price,
        simulated,
        id: None,
    }
}

/// Whole tokens as smallest units.
pub(crate) fn tokens(text: &str, token: &Token) -> Result<Amount, Failure> {
    Amount::from_tokens(text, token.decimals).ok_or_else(|| {
        Failure::Usage(format!("{text:?} is no amount of {}: write whole tokens, such as 0.5", token.symbol))
    })
}

/// Brings image and inputs into blocks and names them in the template.
pub(crate) async fn content(
    args: &Args,
    mut template: JobTemplate,
    store: &Arc<BlockStore>,
    ui: &Ui,
) -> Result<Prepared, Failure> {
    let mut roots = Vec::new();
    if let Some(image) = &args.image {
        let root = match image.parse::<Cid>() {
            Ok(cid) => cid,
            Err(_) => {
                let root = import(Path::new(image), store, ui).await?;
                roots.push(("image", root));
                root
            }
        };
        template.image = Some(root.to_string());
    }
    for input in &args.input {
        let (name, from) = local::split(input)?;
        let cid = match from.parse::<Cid>() {
            Ok(cid) => cid,
            Err(_) => {
                let root = add(Path::new(from), store).await?;
                roots.push(("input", root));
                root
            }
        };
        template.inputs.push(Input { cid: cid.to_string(), path: name.to_owned() });
    }
    Ok(Prepared { template, roots })
}

/// Brings an image into blocks: a program becomes an image of itself, an archive or layout is taken as it is.
pub(crate) async fn import(path: &Path, store: &Arc<BlockStore>, ui: &Ui) -> Result<Cid, Failure> {
    let is_program = local::is_program(path);
    let (from, store) = (path.to_owned(), store.clone());
    let imported = blocking(move || {
        let import = if is_program { image::image_of_program } else { image::import_image };
        import(&store, &from, &content::ImageLimits::default())
    })
    .await
    .map_err(|err| Failure::Usage(format!("{} cannot be taken as an image: {err}", path.display())))?;
    let layers = answer::count(imported.layers.len() as u64, "layer");
    ui.note(format_args!("{} is an image of {layers}", path.display()));
    Ok(imported.root)
}

/// Brings a file or a folder into blocks.
pub(crate) async fn add(path: &Path, store: &Arc<BlockStore>) -> Result<Cid, Failure> {
    let (path, store) = (path.to_owned(), store.clone());
    let added = blocking(move || {
        let config = content::ImportConfig::default();
        if path.is_dir() {
            content::add_tree(&store, &path, &config)
        } else {
            content::add_file(&store, &path, &config)
        }
    })
    .await?;
    Ok(added.cid)
}

/// Runs disk work where it holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, content::Error> + Send + 'static,
) -> Result<T, Failure> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)??)
}
