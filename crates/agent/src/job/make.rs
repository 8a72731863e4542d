//! A container for what somebody pays for: image, room and plan, whoever asks and however he pays.

use std::path::PathBuf;

use alloy_primitives::B256;
use market::{Hardware, JobId, Mebibytes};
use wire::record::ReadyRecord;
use wire::{JobSpec, Network, spec};

use super::{Folder, budget};
use crate::engine::{Plan, walls};
use crate::host::Host;
use crate::scratch::Room;
use crate::{AgentError, image, probe};

/// A container that has never run, and the image it is made of, both as the engine names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    image_id: String,
    container_id: String,
}

/// Loads the image, makes the room of at most `limit`, or takes over the one that is named, and makes the container.
pub(crate) async fn container(
    host: &Host,
    id: JobId,
    spec: &JobSpec,
    folder: &Folder,
    (limit, former): (Mebibytes, Option<PathBuf>),
) -> Result<Made, AgentError> {
    let root = spec::cid("image", &spec.image)?;
    let described = image::describe(&host.store, root).await?;
    let room_path = folder.room();
    let made = tokio::task::spawn_blocking(move || match former {
        None => Room::make(&room_path, limit),
        Some(former) => Room::take_over(&former, &room_path, limit),
    });
    let room = made.await.map_err(|_| AgentError::ShuttingDown)??;
    // A mounted room has its disk already.
    let promised = if room.is_watched() { limit } else { Mebibytes(0) };
    let archive = image::archive(&host.store, root, budget::unpacked_max(host, promised), &host.config.known_bad);
    let facts = host.images.ensure(&host.engine, &described, archive).await?;
    let walls = match spec.network {
        Network::Allow(_) => Some(walls::image(&host.engine, &host.images, &host.store).await?),
        Network::None | Network::Full => None,
    };
    let plan = Plan {
        job: id,
        image: facts.id.clone(),
        image_user: facts.user,
        image_volumes: facts.volumes,
        command: spec.command.clone(),
        args: spec.args.clone(),
        env: spec.env.clone().into_iter().collect(),
        cpus: spec.resources.cpus,
        memory: spec.needs().memory,
        network: spec.network.clone(),
        walls,
        gpus: host.machine.gpus.iter().take(usize::from(spec.resources.gpus)).cloned().collect(),
        inputs: folder.inputs(),
        outputs: room.outputs(),
        scratch: room.scratch(),
        open_files: probe::open_files(),
        agent_user: crate::scratch::agent_user(folder.path()),
    };
    let container_id = host.engine.create(&plan).await?;
    Ok(Made { image_id: facts.id, container_id })
}

/// What stands ready, to be signed.
pub(crate) fn record(host: &Host, id: JobId, spec: &JobSpec, made: Made) -> ReadyRecord {
    ReadyRecord {
        job_id: B256::from(id.0),
        image: spec.image.clone(),
        image_id: made.image_id,
        inputs: spec.inputs.iter().map(|input| input.cid.clone()).collect(),
        container_id: made.container_id,
        hardware: (&granted(&host.machine.hardware, spec)).into(),
    }
}

/// What of the machine the job will see: its share.
fn granted(machine: &Hardware, spec: &JobSpec) -> Hardware {
    let needs = spec.needs();
    Hardware { gpus: needs.gpus, cpus: needs.cpus, memory: needs.memory, disk: needs.disk, ..machine.clone() }
}
