//! The walls of a job that may reach something: a container that does nothing but hold a network without interfaces.
//! It stands before the program starts, so that the way out is open by then, and no program of the image runs in it.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bollard::query_parameters as query;
use content::image::{ImageConfig, ImageFile, LayerSource, build_image};
use content::{BlockStore, ImageLimits};
use market::JobId;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Engine, Images, REQUEST_WITHIN, policy};
use crate::{AgentError, image};

/// A program that waits for ever, for x86-64 Linux: an ELF header, one program header, and
/// `loop: mov eax, 34 (pause); syscall; jmp loop`.
const PAUSE: [u8; 129] = {
    let mut program = [0; 129];
    let parts: [(usize, &[u8]); 12] = [
        // Magic, 64 bits, little end first, version 1.
        (0, b"\x7fELF\x02\x01\x01"),
        // Executable, x86-64, version 1.
        (16, &[2, 0, 0x3e, 0, 1, 0, 0, 0]),
        // It begins at 0x400078, behind the headers.
        (24, &[0x78, 0, 0x40]),
        // The program header follows at once.
        (32, &[64]),
        // Sizes of both headers; there is one program header.
        (52, &[64, 0, 56, 0, 1]),
        // Loaded, read and executed.
        (64, &[1, 0, 0, 0, 5]),
        // From the file's first byte, to 0x400000.
        (80, &[0, 0, 0x40]),
        (88, &[0, 0, 0x40]),
        // So many bytes, in the file and in memory.
        (96, &[129]),
        (104, &[129]),
        // Aligned to a page.
        (113, &[0x10]),
        (120, &[0xb8, 34, 0, 0, 0, 0x0f, 5, 0xeb, 0xf7]),
    ];
    let mut part = 0;
    while part < parts.len() {
        let (at, bytes) = parts[part];
        let mut byte = 0;
        while byte < bytes.len() {
            program[at + byte] = bytes[byte];
            byte += 1;
        }
        part += 1;
    }
    program
};
const ENTER: &str = "enter the job's walls";
/// Where it lies in its image.
const PLACE: &str = "pause";
/// Under what name its blocks are kept.
const PIN: &str = "walls";

/// Makes sure that the engine has the image of walls, and says by which digest.
pub(crate) async fn image(engine: &Engine, images: &Images, store: &Arc<BlockStore>) -> Result<String, AgentError> {
    let blocks = store.clone();
    let built = tokio::task::spawn_blocking(move || build(&blocks)).await.map_err(|_| AgentError::ShuttingDown)??;
    let described = image::describe(store, built).await?;
    let none = HashSet::new();
    let archive = image::archive(store, built, u64::MAX, &none);
    Ok(images.ensure(engine, &described, archive).await?.id)
}

fn build(store: &BlockStore) -> Result<cid::Cid, AgentError> {
    let folder = tempfile::tempdir().map_err(AgentError::io(Path::new("a folder for a while")))?;
    let source = folder.path().join(PLACE);
    std::fs::write(&source, PAUSE).map_err(AgentError::io(&source))?;
    let file = ImageFile { source, path: PLACE.into(), mode: 0o755 };
    let config = ImageConfig { entrypoint: vec![format!("/{PLACE}")], ..ImageConfig::default() };
    let built = build_image(store, &[LayerSource::Files(vec![file])], &config, &ImageLimits::default())?;
    store.pin(PIN, &built.root)?;
    Ok(built.root)
}

impl Engine {
    /// The name of a job's walls.
    pub(super) fn walls_name(job: JobId) -> String {
        format!("{}-walls", Self::name(job))
    }

    /// Raises the walls of a job; those that stand are left as they are.
    pub(super) async fn raise_walls(&self, job: JobId, image: &str) -> Result<(), AgentError> {
        if self.walls_process(job).await.is_ok() {
            return Ok(());
        }
        let name = Self::walls_name(job);
        self.remove_named(&name).await?;
        let docker = self.docker().await?;
        let options = query::CreateContainerOptions { name: Some(name.clone()), ..Default::default() };
        let create = docker.create_container(Some(options), policy::walls(job, image, &self.owner));
        self.ask("make the job's walls", REQUEST_WITHIN, create).await?;
        self.ask("raise the job's walls", REQUEST_WITHIN, docker.start_container(&name, None)).await
    }

    /// The process that holds a job's walls.
    async fn walls_process(&self, job: JobId) -> Result<i64, AgentError> {
        let what = "find the job's walls";
        let docker = self.docker().await?;
        let name = Self::walls_name(job);
        let found = self.ask(what, REQUEST_WITHIN, docker.inspect_container(&name, None)).await?;
        let process = found.state.filter(|state| state.running == Some(true)).and_then(|state| state.pid);
        let gone = || AgentError::Engine { what, reason: "they do not stand".into() };
        process.filter(|process| *process > 0).ok_or_else(gone)
    }

    /// A socket that listens on the loopback inside a job's walls.
    pub(crate) async fn listen_inside(&self, job: JobId, port: u16) -> Result<TcpListener, AgentError> {
        let process = self.walls_process(job).await?;
        let path = PathBuf::from(format!("/proc/{process}/ns/net"));
        let walls = File::open(&path).map_err(AgentError::io(&path))?;
        // A number of a process may have gone to another one before its file was opened.
        if self.walls_process(job).await? != process {
            return Err(AgentError::Engine { what: ENTER, reason: "they were raised anew".into() });
        }
        let listen = move || {
            let listener = StdListener::bind((Ipv4Addr::LOCALHOST, port))?;
            listener.set_nonblocking(true).map(|()| listener)
        };
        TcpListener::from_std(inside(walls, listen).await?).map_err(|error| refused(&error))
    }
}

/// Does something inside a network: a thread of its own goes in and never comes back.
async fn inside<T: Send + 'static>(
    walls: File,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, AgentError> {
    let (tell, told) = oneshot::channel();
    let enter = move || {
        let entered = move_into_link_name_space(walls.as_fd(), Some(LinkNameSpaceType::Network));
        // Nobody listens when the job is over.
        drop(tell.send(entered.map_err(io::Error::from).and_then(|()| work())));
    };
    std::thread::Builder::new().name("walls".into()).spawn(enter).map_err(|error| refused(&error))?;
    told.await.map_err(|_| AgentError::ShuttingDown)?.map_err(|error| refused(&error))
}

fn refused(error: &io::Error) -> AgentError {
    AgentError::Engine { what: ENTER, reason: error.to_string() }
}
