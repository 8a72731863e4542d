//! The container engine: Docker's API over its socket. The only place that speaks it.

mod images;
mod policy;
mod usage;
pub(crate) mod walls;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as EngineError;
use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum};
use bollard::query_parameters as query;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use market::JobId;
use tokio::sync::OnceCell;
use wire::feed::LogStream;

pub(crate) use images::Images;
pub(crate) use policy::{JOB_LABEL, Plan};
pub(crate) use usage::Usage;

use crate::AgentError;
use crate::limits::STOP_GRACE;

/// The engine answers within this time, streams aside; loading an image has no such limit.
const REQUEST_WITHIN: Duration = Duration::from_secs(60);
/// Loading the largest image from a slow disk ends within this time.
const LOAD_WITHIN: Duration = Duration::from_secs(3600);
/// The oldest interface that we speak; the engine's own is negotiated.
const OLDEST: bollard::ClientVersion = bollard::ClientVersion { major_version: 1, minor_version: 41 };

/// A connection that is made when first needed, so that an agent starts before its engine does.
#[derive(Debug)]
pub(crate) struct Engine {
    socket: PathBuf,
    owner: String,
    docker: OnceCell<Docker>,
}

/// A container as the engine describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    Missing,
    /// It has never run; the code is set when a start was tried and failed.
    Created { exit_code: i64 },
    /// It runs.
    Running,
    /// It ended.
    Exited { code: i64, out_of_memory: bool, at: Option<Timestamp> },
}

/// A piece of a program's output: a line, or a part of one that is too long.
#[derive(Clone, Debug)]
pub(crate) struct LogPiece {
    pub(crate) stream: LogStream,
    pub(crate) at: Timestamp,
    pub(crate) text: Bytes,
}

/// What the engine says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Versions {
    pub(crate) engine: String,
    pub(crate) api: String,
    pub(crate) runc: String,
}

impl Engine {
    /// `owner` marks this agent's containers, so that two agents on one machine leave each other's alone.
    pub(crate) fn new(socket: PathBuf, owner: String) -> Self {
        Self { socket, owner, docker: OnceCell::new() }
    }

    /// The container's name: made of the job's id, so that the engine itself refuses a second one.
    pub(crate) fn name(job: JobId) -> String {
        format!("bourse-{}", job.to_string().trim_start_matches("0x"))
    }

    async fn docker(&self) -> Result<&Docker, AgentError> {
        let connect = async || {
            let path = self.socket.to_string_lossy();
            Docker::connect_with_unix(&path, LOAD_WITHIN.as_secs(), &OLDEST)?.negotiate_version().await
        };
        let connected = self.docker.get_or_try_init(|| async {
            tokio::time::timeout(REQUEST_WITHIN, connect()).await.unwrap_or(Err(EngineError::RequestTimeoutError))
        });
        connected.await.map_err(|error| self.away(&error))
    }

    fn away(&self, error: &EngineError) -> AgentError {
        AgentError::EngineAway { socket: self.socket.clone(), reason: error.to_string() }
    }

    /// An answer of the engine is a refusal; everything else means that it is not there.
    fn refusal(&self, what: &'static str, error: &EngineError) -> AgentError {
        match error {
            EngineError::DockerResponseServerError { message, .. } => {
                AgentError::Engine { what, reason: message.trim().to_owned() }
            }
            EngineError::DockerStreamError { error } => AgentError::Engine { what, reason: error.clone() },
            other => self.away(other),
        }
    }

    async fn ask<T>(
        &self,
        what: &'static str,
        within: Duration,
        answer: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, AgentError> {
        let answer = tokio::time::timeout(within, answer).await.unwrap_or(Err(EngineError::RequestTimeoutError));
        answer.map_err(|error| self.refusal(what, &error))
    }

    /// Versions of engine, interface and runtime.
    pub(crate) async fn versions(&self) -> Result<Versions, AgentError> {
        let docker = self.docker().await?;
        let found = self.ask("tell its version", REQUEST_WITHIN, docker.version()).await?;
        let components = found.components.unwrap_or_default();
        let runc = components.into_iter().find(|part| part.name == "runc").map(|part| part.version);
        Ok(Versions {
            engine: found.version.unwrap_or_default(),
            api: found.api_version.unwrap_or_default(),
            runc: runc.unwrap_or_default(),
        })
    }

    /// Makes the container of a plan, replacing one that has never run, and gives its id.
    pub(crate) async fn create(&self, plan: &Plan) -> Result<String, AgentError> {
        let name = Self::name(plan.job);
        if matches!(self.state(plan.job).await?, State::Created { .. }) {
            self.remove(plan.job).await?;
        }
        if let Some(image) = &plan.walls {
            self.raise_walls(plan.job, image).await?;
        }
        let docker = self.docker().await?;
        let options = query::CreateContainerOptions { name: Some(name), ..Default::default() };
        let create = docker.create_container(Some(options), policy::body(plan, &self.owner));
        Ok(self.ask("make the container", REQUEST_WITHIN, create).await?.id)
    }

    /// Starts the program.
    pub(crate) async fn start(&self, job: JobId) -> Result<(), AgentError> {
        let docker = self.docker().await?;
        self.ask("start the program", REQUEST_WITHIN, docker.start_container(&Self::name(job), None)).await
    }

    /// Ends the program: SIGTERM, then SIGKILL. A container that does not run is as good.
    pub(crate) async fn stop(&self, job: JobId) -> Result<(), AgentError> {
        self.stop_within(job, STOP_GRACE).await
    }

    /// The same, with another time between the two, of whole seconds and at most the usual one.
    pub(crate) async fn stop_within(&self, job: JobId, grace: Duration) -> Result<(), AgentError> {
        let docker = self.docker().await?;
        let grace = i32::try_from(grace.min(STOP_GRACE).as_secs()).unwrap_or(i32::MAX);
        let options = query::StopContainerOptions { signal: None, t: Some(grace) };
        let name = Self::name(job);
        let stop = docker.stop_container(&name, Some(options));
        absent_is_fine(self.ask("stop the program", REQUEST_WITHIN + STOP_GRACE, stop).await)
    }

    /// Removes the container, running or not, and its walls.
    pub(crate) async fn remove(&self, job: JobId) -> Result<(), AgentError> {
        self.remove_named(&Self::name(job)).await?;
        self.remove_named(&Self::walls_name(job)).await
    }

    async fn remove_named(&self, name: &str) -> Result<(), AgentError> {
        let docker = self.docker().await?;
        let options = query::RemoveContainerOptions { v: true, force: true, link: false };
        let remove = docker.remove_container(name, Some(options));
        absent_is_fine(self.ask("remove the container", REQUEST_WITHIN, remove).await)
    }

    /// What the engine knows of a job's container.
    pub(crate) async fn state(&self, job: JobId) -> Result<State, AgentError> {
        let docker = self.docker().await?;
        let name = Self::name(job);
        let inspect = docker.inspect_container(&name, None);
        let found = tokio::time::timeout(REQUEST_WITHIN, inspect).await;
        match found.unwrap_or(Err(EngineError::RequestTimeoutError)) {
            Ok(found) => Ok(read_state(&found)),
            Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(State::Missing),
            Err(error) => Err(self.refusal("describe the container", &error)),
        }
    }

    /// Returns when the program is over, when the container is gone or when the engine falls silent: then ask again.
    pub(crate) async fn wait(&self, job: JobId) -> Result<(), AgentError> {
        let docker = self.docker().await?;
        let options = query::WaitContainerOptions { condition: "not-running".into() };
        let mut answers = docker.wait_container(&Self::name(job), Some(options));
        // Exit codes above 0 come as errors here; which it was, `state` tells.
        match answers.next().await {
            None | Some(Ok(_) | Err(EngineError::DockerContainerWaitError { .. })) => Ok(()),
            Some(Err(error)) => Err(self.refusal("wait for the program", &error)),
        }
    }

    /// The program's output from `since` on, live until it ends.
    pub(crate) async fn logs(
        &self,
        job: JobId,
        since: Option<Timestamp>,
    ) -> Result<impl Stream<Item = Result<LogPiece, AgentError>> + Send + use<>, AgentError> {
        let docker = self.docker().await?;
        let since = since.and_then(|at| i32::try_from(at.as_second()).ok()).unwrap_or_default();
        let options = query::LogsOptions {
            follow: true,
            stdout: true,
            stderr: true,
            since,
            timestamps: true,
            ..Default::default()
        };
        let socket = self.socket.clone();
        let pieces = docker.logs(&Self::name(job), Some(options));
        Ok(pieces.filter_map(move |piece| {
            let piece = match piece {
                Ok(output) => read_piece(output).map(Ok),
                Err(error) => Some(Err(AgentError::EngineAway { socket: socket.clone(), reason: error.to_string() })),
            };
            std::future::ready(piece)
        }))
    }

    /// Removes this agent's containers that belong to none of `jobs`. Those are asked for after the containers were
    /// listed: a job is known before its container is made.
    pub(crate) async fn remove_strays(&self, jobs: impl Fn() -> Vec<JobId>) -> Result<usize, AgentError> {
        let docker = self.docker().await?;
        let filters = HashMap::from([("label".to_owned(), vec![format!("{}={}", policy::OWNER_LABEL, self.owner)])]);
        let options = query::ListContainersOptions { all: true, filters: Some(filters), ..Default::default() };
        let found = self.ask("list containers", REQUEST_WITHIN, docker.list_containers(Some(options))).await?;
        let known: Vec<String> = jobs().iter().map(ToString::to_string).collect();
        let mut removed = 0;
        for container in found {
            let labels = container.labels.unwrap_or_default();
            let is_known = labels.get(JOB_LABEL).is_some_and(|job| known.contains(job));
            if let (false, Some(id)) = (is_known, container.id) {
                self.remove_named(&id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// The usual socket.
pub(crate) fn default_socket() -> &'static Path {
    Path::new("/var/run/docker.sock")
}

fn absent_is_fine(answer: Result<(), AgentError>) -> Result<(), AgentError> {
    match answer {
        Err(AgentError::Engine { reason, .. })
            if reason.contains("No such container") || reason.contains("is not running") || reason.is_empty() =>
        {
            Ok(())
        }
        other => other,
    }
}

fn read_state(found: &ContainerInspectResponse) -> State {
    let Some(state) = &found.state else { return State::Missing };
    let code = state.exit_code.unwrap_or_default();
    match state.status {
        Some(ContainerStateStatusEnum::CREATED) => State::Created { exit_code: code },
        Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD) => State::Exited {
            code,
            out_of_memory: state.oom_killed.unwrap_or_default(),
            at: state.finished_at.as_deref().and_then(|at| at.parse().ok()),
        },
        Some(ContainerStateStatusEnum::REMOVING) => State::Missing,
        _ => State::Running,
    }
}

/// Splits the engine's time off a piece of output.
fn read_piece(output: bollard::container::LogOutput) -> Option<LogPiece> {
    use bollard::container::LogOutput;
    let (stream, message) = match output {
        LogOutput::StdOut { message } | LogOutput::Console { message } => (LogStream::Stdout, message),
        LogOutput::StdErr { message } => (LogStream::Stderr, message),
        LogOutput::StdIn { .. } => return None,
    };
    let space = message.iter().position(|byte| *byte == b' ')?;
    let at = std::str::from_utf8(&message[..space]).ok()?.parse().ok()?;
    Some(LogPiece { stream, at, text: message.slice(space + 1..) })
}
