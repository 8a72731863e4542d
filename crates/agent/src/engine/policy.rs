//! What a container may do: one function from a plan to the engine's settings. Everything that is not granted here
//! is denied.

use std::collections::HashMap;
use std::path::PathBuf;

use bollard::models::{
    ContainerCreateBody, DeviceRequest, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};
use market::{JobId, Mebibytes};
use wire::Network;

use crate::limits::{ENGINE_LOG_MIB, PIDS_MAX, STOP_GRACE};

/// Label that carries the job's id.
pub(crate) const JOB_LABEL: &str = "exchange.bourse.job";
/// Label that carries the agent's address.
pub(crate) const OWNER_LABEL: &str = "exchange.bourse.agent";

/// Nobody: owns nothing on the host.
const NOBODY: &str = "65534:65534";
/// The highest number of a user that engines take.
const USER_MAX: u32 = i32::MAX as u32;
/// Killed before anything of the host's when memory is short.
const OOM_SCORE: i64 = 500;
/// Memory of a job's walls: what the engine needs to start anything.
const WALLS_MEMORY: Mebibytes = Mebibytes(16);
/// Threads of the engine's own starter, which counts before the process that waits takes its place.
const WALLS_PIDS_MAX: i64 = 32;
/// Bounds of `/tmp`, which lies in the job's own memory.
const TMP_MIB: (u64, u64) = (16, 1024);
/// Bound of shared memory, which lies in the job's own memory; training frameworks want at least 1 GiB.
const SHM_MIB_MAX: u64 = 8 << 10;

/// What a job's container is made of.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) job: JobId,
    /// The digest by which the engine knows the image.
    pub(crate) image: String,
    /// The image's own user, if it names one.
    pub(crate) image_user: String,
    /// Places where the image wants volumes.
    pub(crate) image_volumes: Vec<String>,
    /// Replaces the image's when not empty.
    pub(crate) command: Vec<String>,
    /// Replaces the image's when not empty.
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) cpus: u16,
    pub(crate) memory: Mebibytes,
    pub(crate) network: Network,
    /// The digest of the image of walls, where the job may reach some hosts.
    pub(crate) walls: Option<String>,
    /// Real cards by UUID.
    pub(crate) gpus: Vec<String>,
    pub(crate) inputs: PathBuf,
    pub(crate) outputs: PathBuf,
    pub(crate) scratch: PathBuf,
    /// Open files of one process.
    pub(crate) open_files: i64,
    /// User and group of an agent that is not root, so that it can read and remove what the job writes.
    pub(crate) agent_user: Option<(u32, u32)>,
}

/// The engine's settings for a plan.
pub(crate) fn body(plan: &Plan, owner: &str) -> ContainerCreateBody {
    let some = |words: &[String]| (!words.is_empty()).then(|| words.to_vec());
    ContainerCreateBody {
        image: Some(plan.image.clone()),
        user: Some(user(plan)),
        entrypoint: some(&plan.command),
        // With a command of its own and no arguments, the image's arguments would be handed to the wrong program.
        cmd: if plan.command.is_empty() { some(&plan.args) } else { Some(plan.args.clone()) },
        env: Some(env(plan)),
        // Who lives in other walls has their name.
        hostname: plan.walls.is_none().then(|| "job".into()),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".into()]), ..HealthConfig::default() }),
        labels: Some(labels(plan.job, owner)),
        stop_signal: Some("SIGTERM".into()),
        stop_timeout: i64::try_from(STOP_GRACE.as_secs()).ok(),
        tty: Some(false),
        host_config: Some(host(plan)),
        ..ContainerCreateBody::default()
    }
}

/// The engine's settings for a job's walls: a process that waits and may do nothing else.
pub(crate) fn walls(job: JobId, image: &str, owner: &str) -> ContainerCreateBody {
    let memory = i64::try_from(WALLS_MEMORY.bytes()).ok();
    ContainerCreateBody {
        image: Some(image.to_owned()),
        user: Some(NOBODY.to_owned()),
        hostname: Some("job".into()),
        labels: Some(labels(job, owner)),
        host_config: Some(HostConfig {
            cap_drop: Some(vec!["ALL".into()]),
            privileged: Some(false),
            security_opt: Some(vec!["no-new-privileges:true".into()]),
            readonly_rootfs: Some(true),
            memory,
            memory_swap: memory,
            pids_limit: Some(WALLS_PIDS_MAX),
            network_mode: Some("none".into()),
            ipc_mode: Some("private".into()),
            cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
            restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None }),
            log_config: Some(HostConfigLogConfig { typ: Some("none".into()), config: None }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

fn labels(job: JobId, owner: &str) -> HashMap<String, String> {
    HashMap::from([(JOB_LABEL.to_owned(), job.to_string()), (OWNER_LABEL.to_owned(), owner.to_owned())])
}

/// Whom the program runs as: an agent that is not root could not remove anybody else's files.
fn user(plan: &Plan) -> String {
    match plan.agent_user {
        Some((user, group)) => format!("{user}:{group}"),
        None => plain_user(&plan.image_user).unwrap_or_else(|| NOBODY.to_owned()),
    }
}

/// The image's user where it is plain numbers above 0, written out anew. A name would be looked up in the image's own
/// files, which may call anybody 0; and so would the groups of a user without one, who therefore gets his own number.
fn plain_user(text: &str) -> Option<String> {
    let plain = |text: &str| {
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|id| is_plain && (1..=USER_MAX).contains(id))
    };
    let (user, group) = text.split_once(':').unwrap_or((text, text));
    Some(format!("{}:{}", plain(user)?, plain(group)?))
}

fn env(plan: &Plan) -> Vec<String> {
    // The loader's variables change what runs before the program does; the spec's check refuses them too.
    let given = plan.env.iter().filter(|(name, _)| !name.starts_with("LD_"));
    let mut env: Vec<String> = given.map(|(name, value)| format!("{name}={value}")).collect();
    let ours = [("BOURSE_JOB", plan.job.to_string()), ("BOURSE_CPUS", plan.cpus.to_string())];
    if plan.walls.is_some() {
        env.extend(crate::egress::variables());
    }
    env.extend(ours.into_iter().map(|(name, value)| format!("{name}={value}")));
    if !plan.gpus.is_empty() {
        env.push("NVIDIA_DRIVER_CAPABILITIES=compute,utility".into());
        env.push("CUDA_CACHE_PATH=/scratch/.nv".into());
    }
    env
}

fn host(plan: &Plan) -> HostConfig {
    let bytes = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
    let memory = bytes(plan.memory.bytes());
    let limit =
        |name: &str, value: i64| ResourcesUlimits { name: Some(name.into()), soft: Some(value), hard: Some(value) };
    HostConfig {
        cap_drop: Some(vec!["ALL".into()]),
        privileged: Some(false),
        // Without a seccomp option the engine applies its default profile.
        security_opt: Some(vec!["no-new-privileges:true".into()]),
        readonly_rootfs: Some(true),
        tmpfs: Some(tmpfs(plan)),
        memory: Some(memory),
        memory_swap: Some(memory),
        nano_cpus: Some(i64::from(plan.cpus) * 1_000_000_000),
        pids_limit: Some(PIDS_MAX),
        oom_score_adj: Some(OOM_SCORE),
        network_mode: Some(match plan.network {
            Network::None => "none".into(),
            Network::Full => "bridge".into(),
            Network::Allow(_) => format!("container:{}", super::Engine::walls_name(plan.job)),
        }),
        ipc_mode: Some("private".into()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        ulimits: Some(vec![limit("nofile", plan.open_files), limit("core", 0)]),
        shm_size: Some(bytes(Mebibytes((plan.memory.0 / 2).clamp(1, SHM_MIB_MAX)).bytes())),
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), maximum_retry_count: None }),
        auto_remove: Some(false),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".into()),
            config: Some(HashMap::from([("max-size".to_owned(), format!("{ENGINE_LOG_MIB}m"))])),
        }),
        binds: Some(vec![
            format!("{}:/inputs:ro", plan.inputs.display()),
            format!("{}:/outputs:rw", plan.outputs.display()),
            format!("{}:/scratch:rw", plan.scratch.display()),
        ]),
        device_requests: (!plan.gpus.is_empty()).then(|| {
            vec![DeviceRequest {
                driver: Some("nvidia".into()),
                device_ids: Some(plan.gpus.clone()),
                capabilities: Some(vec![vec!["gpu".into(), "compute".into(), "utility".into()]]),
                ..DeviceRequest::default()
            }]
        }),
        ..HostConfig::default()
    }
}

/// `/tmp`, and one more for each volume that the image declares: as a volume it would lie on the host's disk
/// without a limit.
fn tmpfs(plan: &Plan) -> HashMap<String, String> {
    let size = (plan.memory.0 / 4).clamp(TMP_MIB.0, TMP_MIB.1);
    let options = format!("rw,noexec,nosuid,nodev,size={size}m");
    let mut places = HashMap::from([("/tmp".to_owned(), options.clone())]);
    let own = |place: &str| ["/inputs", "/outputs", "/scratch"].contains(&place.trim_end_matches('/'));
    let wanted = plan.image_volumes.iter().filter(|place| !own(place));
    places.extend(wanted.map(|place| (place.clone(), format!("{options},mode=1777"))));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            job: JobId([7; 32]),
            image: "sha256:aa".into(),
            image_user: String::new(),
            image_volumes: vec!["/data".into(), "/outputs/".into()],
            command: vec![],
            args: vec!["x".into()],
            env: vec![("A".into(), "1".into()), ("LD_PRELOAD".into(), "/evil.so".into())],
            cpus: 2,
            memory: Mebibytes(256),
            network: Network::None,
            walls: None,
            gpus: vec![],
            inputs: "/state/in".into(),
            outputs: "/state/out".into(),
            scratch: "/state/scratch".into(),
            open_files: 1024,
            agent_user: None,
        }
    }

    #[test]
    fn nothing_is_granted_that_is_not_named() {
        let body = body(&plan(), "0xa");
        let host = body.host_config.unwrap();
        assert_eq!(host.cap_drop, Some(vec!["ALL".into()]));
        assert_eq!(host.cap_add, None);
        assert_eq!(host.privileged, Some(false));
        assert_eq!(host.security_opt, Some(vec!["no-new-privileges:true".into()]));
        assert_eq!(host.readonly_rootfs, Some(true));
        assert_eq!((host.memory, host.memory_swap), (Some(256 << 20), Some(256 << 20)));
        assert_eq!(host.nano_cpus, Some(2_000_000_000));
        assert_eq!(host.cpuset_cpus, None);
        assert_eq!(host.network_mode.as_deref(), Some("none"));
        assert_eq!(host.ipc_mode.as_deref(), Some("private"));
        assert_eq!((host.pid_mode, host.uts_mode, host.userns_mode), (None, None, None));
        assert_eq!(host.devices, None);
        assert_eq!(host.device_requests, None);
        assert_eq!(
            host.binds,
            Some(vec![
                "/state/in:/inputs:ro".into(),
                "/state/out:/outputs:rw".into(),
                "/state/scratch:/scratch:rw".into()
            ])
        );
        let tmpfs = host.tmpfs.unwrap();
        assert_eq!(tmpfs.len(), 2, "the image's volume lies in memory and ours stays ours: {tmpfs:?}");
        assert!(tmpfs["/tmp"].contains("noexec,nosuid,nodev,size=64m"));
        let env = body.env.unwrap();
        assert!(env.contains(&"A=1".to_owned()) && !env.iter().any(|entry| entry.starts_with("LD_")), "{env:?}");
    }

    #[test]
    fn nobody_runs_as_root() {
        let user_of = |image: &str, agent_user| user(&Plan { image_user: image.into(), agent_user, ..plan() });
        let zero = ["", "0", "00", "+0", "-0", " 0", "0x0", "0:0", "00:1", "1:0", "1:", ":1", ":", "1:1:1", "+1"];
        let names = ["root", "root:staff", "toor", "app", "1:root", "app:1", "4294967296", "4294967295", "２"];
        for user in zero.into_iter().chain(names) {
            assert_eq!(user_of(user, None), "65534:65534", "{user:?}");
            assert_eq!(user_of(user, Some((1000, 100))), "1000:100", "{user:?}");
        }
        assert_eq!(user_of("1000:1001", None), "1000:1001");
        assert_eq!(user_of("1000", None), "1000:1000", "the image's files give no group");
        assert_eq!(user_of("0042:007", None), "42:7");
        assert_eq!(user_of("1001:1001", Some((1000, 100))), "1000:100", "only the agent's own files can be removed");
    }

    #[test]
    fn a_real_card_is_asked_for_by_its_name_and_the_network_by_the_spec() {
        let plan = Plan { gpus: vec!["GPU-1".into()], network: Network::Full, ..plan() };
        let host = host(&plan);
        assert_eq!(host.device_requests.unwrap()[0].device_ids, Some(vec!["GPU-1".into()]));
        assert_eq!(host.network_mode.as_deref(), Some("bridge"));
    }

    #[test]
    fn listed_hosts_are_reached_from_walls_without_an_interface() {
        let allow = Network::Allow(vec!["example.org".into()]);
        let plan = Plan { network: allow, walls: Some("sha256:bb".into()), ..plan() };
        let job = body(&plan, "0xa");
        let mode = job.host_config.unwrap().network_mode.unwrap();
        assert!(mode.starts_with("container:bourse-") && mode.ends_with("-walls"), "{mode}");
        assert!(job.env.unwrap().contains(&"https_proxy=http://127.0.0.1:3128".to_owned()));
        let walls = walls(plan.job, "sha256:bb", "0xa").host_config.unwrap();
        assert_eq!(walls.network_mode.as_deref(), Some("none"));
        assert_eq!((walls.cap_drop, walls.binds), (Some(vec!["ALL".into()]), None));
    }
}
