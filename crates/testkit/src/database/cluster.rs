//! A PostgreSQL server of one test process.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Where Debian's packages put the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Who runs the server where we are root, as which it refuses to run.
const USER: &str = "postgres";
/// A server starts within a second; a machine under load takes its time.
const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Runs the server until its standard input ends, which it does when the test process is gone, however it went. Then
/// stops it at once and removes what it wrote.
const WATCHDOG: &str = r#"
folder=$1; shift
"$@" >"$folder/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -QUIT "$server"
wait "$server"
cd /
rm -rf "$folder"
"#;

/// Nothing here outlives a power cut, so nothing is made to.
const SETTINGS: [&str; 8] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "listen_addresses=",
    "max_connections=300",
    "shared_buffers=64MB",
    "max_wal_size=4GB",
    "autovacuum=off",
];

/// The first of them, which a server leaves out that is measured: its commits wait for the disk.
const UNSAFE: usize = 3;

/// Whether the server of this process shall keep what it was given. Set before it starts.
pub(super) static DURABLE: AtomicBool = AtomicBool::new(false);

/// A running server.
#[derive(Debug)]
pub(super) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    /// The server runs as long as its input is open.
    _watchdog: Child,
}

impl Cluster {
    /// The server of this process, started by who asks first; or why there is none.
    pub(super) fn of_this_process() -> Result<&'static Self, &'static str> {
        static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
        CLUSTER.get_or_init(Self::start).as_ref().map_err(String::as_str)
    }

    fn start() -> Result<Self, String> {
        let programs = programs().ok_or("the programs of PostgreSQL are not installed")?;
        // The watchdog removes it, after the server's end.
        let folder = crate::temp_dir().keep();
        let user = user_for(&folder)?;
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        let command = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command
        };
        let mut initdb = command(&programs.join("initdb"));
        initdb.args(["--no-sync", "--no-instructions", "--auth=trust", "--username", USER, "--encoding=UTF8"]);
        initdb.args(["--locale=C", "-D"]).arg(folder.join("data"));
        run(&mut initdb);

        let mut watchdog = command(Path::new("/bin/sh"));
        watchdog.args(["-c", WATCHDOG, "sh"]).arg(&folder).arg(programs.join("postgres"));
        watchdog.arg("-D").arg(folder.join("data")).arg("-k").arg(&folder);
        let left_out = if DURABLE.load(Ordering::Relaxed) { UNSAFE } else { 0 };
        watchdog.args(SETTINGS[left_out..].iter().flat_map(|setting| ["-c", setting]));
        // A group of its own: what ends the tests from a terminal must not end who cleans up after them.
        watchdog.process_group(0).stdin(Stdio::piped()).stderr(Stdio::null());
        let watchdog = watchdog.spawn().unwrap_or_else(|error| panic!("no watchdog of PostgreSQL: {error}"));
        let cluster = Self { programs, folder, _watchdog: watchdog };
        cluster.wait();
        Ok(cluster)
    }

    fn wait(&self) {
        let began = Instant::now();
        loop {
            // The server writes its state into the eighth line of this file; `pg_ctl` reads it there too.
            let state = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return;
            }
            if began.elapsed() > READY_WITHIN {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                panic!("PostgreSQL is not ready after {READY_WITHIN:?}: {log}");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// The address of one of its databases.
    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user={USER}", self.folder.display())
    }

    /// What `psql` prints.
    pub(super) fn psql(&self, url: &str, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
        run(psql.args(["--command", sql]).arg(url).stdin(Stdio::null()))
    }

    /// What `pgbench` prints.
    pub(super) fn pgbench(&self, url: &str, args: &[&str], script: &str) -> String {
        let folder = crate::temp_dir();
        let file = folder.path().join("script.sql");
        fs::write(&file, script).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut pgbench = Command::new(self.programs.join("pgbench"));
        run(pgbench.args(args).arg("-f").arg(&file).arg(url).stdin(Stdio::null()))
    }
}

/// The folder of the newest version's programs.
fn programs() -> Option<PathBuf> {
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let versions = fs::read_dir(VERSIONS).ok()?.flatten().map(|entry| entry.path());
    let found = versions.filter(|path| path.join("bin/initdb").exists() && path.join("bin/psql").exists());
    found.max_by_key(|path| number(path)).map(|path| path.join("bin"))
}

/// User and group to run as: nobody else, except where we are root.
fn user_for(ours: &Path) -> Result<Option<(u32, u32)>, String> {
    let uid = fs::metadata(ours).map_err(|error| error.to_string())?.uid();
    if uid != 0 {
        return Ok(None);
    }
    let id = |flag: &str| {
        let out = Command::new("id").args([flag, USER]).output().ok()?;
        String::from_utf8(out.stdout).ok()?.trim().parse::<u32>().ok()
    };
    let missing = || format!("PostgreSQL does not run as root, and there is no user {USER}");
    Ok(Some((id("-u").ok_or_else(missing)?, id("-g").ok_or_else(missing)?)))
}

fn run(command: &mut Command) -> String {
    let out = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if !out.status.success() {
        panic!("{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}
