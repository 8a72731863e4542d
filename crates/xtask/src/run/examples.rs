//! The two example jobs: built or imported here, run outside for comparison, run on the market.
use std::path::{Path, PathBuf};
use std::process::Command;

use super::BOURSE;
use super::market::Market;
use crate::context::Context;
use crate::corpus::host_triple;
use crate::error::Error;
use crate::process::{cargo, command, run};
use crate::ui;

/// What busybox must answer to for the shell example.
const TOOLS: [&str; 11] = ["sh", "wc", "tr", "cut", "cat", "awk", "grep", "sort", "uniq", "head", "sha256sum"];
const BUSYBOX: &str = "/bin/busybox";
/// Docker's name for the imported root file system, taken away again after it was saved.
const IMAGE_NAME: &str = "bourse-example-shell-report:latest";

/// The corpus index: an image made of one static binary of ours.
pub(super) struct Index {
    binary: PathBuf,
}

impl Index {
    /// Builds the static binary.
    pub(super) fn build(context: &Context) -> Result<Self, Error> {
        let triple = host_triple(context)?;
        let flags = format!("target.{triple}.rustflags=[\"-C\",\"target-feature=+crt-static\"]");
        let mut build = cargo(context);
        build.args(["build", "--quiet", "--release", "-p", "corpus-index", "--target", &triple]);
        run(context, build.args(["--config", &flags]))?;
        Ok(Self { binary: context.path(format!("target/{triple}/release/corpus-index")) })
    }

    /// The same work outside any container: what the job must give.
    pub(super) fn run_outside(&self, context: &Context, sources: &Path) -> Result<PathBuf, Error> {
        let expected = context.path("target/corpus/expected");
        renew(&expected)?;
        ui::note("run: the same program outside, to have something to compare with");
        let mut outside = command(&self.binary, &context.root);
        outside.arg("--input").arg(sources).arg("--output").arg(&expected);
        run(context, outside.stdout(std::process::Stdio::null()))?;
        Ok(expected)
    }

    /// The first job.
    pub(super) fn run_job(
        &self,
        context: &Context,
        market: &Market,
        sources: &Path,
        expected: &Path,
    ) -> Result<(), Error> {
        ui::note("\nrun: first job, an index of the workspace's own dependencies");
        let mut job = job(context, market, "corpus-index");
        job.arg(&self.binary);
        job.arg("--input").arg(input("sources.tar", sources));
        run(context, job.arg("--expect-output").arg(expected))
    }
}

/// The shell report: an image that Bourse did not build.
pub(super) struct Shell {
    image: PathBuf,
    script: PathBuf,
    text: PathBuf,
    expected: PathBuf,
}

impl Shell {
    /// Imports a busybox root file system into Docker, saves it as an archive, and runs the script
    /// outside with the same busybox.
    pub(super) fn prepare(context: &Context) -> Result<Self, Error> {
        let folder = context.path("target/shell-report");
        renew(&folder)?;
        let shell = Self {
            image: folder.join("image.tar"),
            script: context.path("examples/jobs/shell-report/script.sh"),
            text: context.path("Cargo.lock"),
            expected: folder.join("expected"),
        };
        let rootfs = folder.join("rootfs.tar");
        std::fs::write(&rootfs, pack_rootfs()?).map_err(Error::file("write", &rootfs))?;
        // The image's digest is an answer that nobody asked for.
        let docker = |arguments: &[&str], file: Option<&Path>| {
            let mut docker = command("docker", &context.root);
            docker.args(arguments).args(file).stdout(std::process::Stdio::null());
            docker
        };
        let mut import = docker(&["import"], Some(&rootfs));
        run(context, import.arg(IMAGE_NAME))?;
        run(context, &mut docker(&["save", IMAGE_NAME, "-o"], Some(&shell.image)))?;
        run(context, &mut docker(&["rmi", IMAGE_NAME], None))?;
        shell.run_outside(context, &folder.join("bin"))?;
        Ok(shell)
    }

    fn run_outside(&self, context: &Context, tools: &Path) -> Result<(), Error> {
        for folder in [tools, &self.expected] {
            std::fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        }
        for tool in TOOLS {
            let link = tools.join(tool);
            std::os::unix::fs::symlink(BUSYBOX, &link).map_err(Error::file("link", &link))?;
        }
        let mut outside = command(tools.join("sh"), &context.root);
        outside.arg(&self.script).arg(&self.text).arg(&self.expected).env("PATH", tools);
        run(context, outside.stdout(std::process::Stdio::null()))
    }

    /// The second job.
    pub(super) fn run_job(&self, context: &Context, market: &Market) -> Result<(), Error> {
        ui::note("\nrun: second job, a shell script on an image that Bourse did not build");
        let mut job = job(context, market, "shell-report");
        job.arg(&self.image);
        job.arg("--input").arg(input("script.sh", &self.script));
        job.arg("--input").arg(input("text", &self.text));
        run(context, job.arg("--expect-output").arg(&self.expected))
    }
}

/// `bourse run` on this market, without questions.
fn job(context: &Context, market: &Market, example: &str) -> Command {
    let mut job = command(context.path(BOURSE), &context.root);
    job.args(["run", "-y", "--market-file"]).arg(market.file());
    job.arg("--spec").arg(context.path(format!("examples/jobs/{example}/job.json")));
    job.arg("--output").arg(context.path(format!(".bourse/run/result-{example}")));
    job.arg("--receipt").arg(context.path(format!(".bourse/run/receipt-{example}.json")));
    job
}

/// `name=path`, whatever the path holds.
fn input(name: &str, path: &Path) -> std::ffi::OsString {
    let mut input = std::ffi::OsString::from(name);
    input.push("=");
    input.push(path);
    input
}

/// An empty folder in the place of what was there.
fn renew(folder: &Path) -> Result<(), Error> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(Error::file("empty", folder))?;
    }
    std::fs::create_dir_all(folder).map_err(Error::file("create", folder))
}

/// A root file system of busybox and its names, the same bytes each time.
fn pack_rootfs() -> Result<Vec<u8>, Error> {
    let busybox = std::fs::read(BUSYBOX).map_err(Error::file("read", BUSYBOX))?;
    let mut tar = tar::Builder::new(Vec::new());
    let header = |kind, size: u64, mode| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(mode);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header
    };
    let failed = || Error::file("pack", BUSYBOX);
    for folder in ["bin/", "tmp/"] {
        let mut header = header(tar::EntryType::Directory, 0, 0o755);
        tar.append_data(&mut header, folder, std::io::empty()).map_err(failed())?;
    }
    let mut program = header(tar::EntryType::Regular, busybox.len() as u64, 0o755);
    tar.append_data(&mut program, "bin/busybox", busybox.as_slice()).map_err(failed())?;
    for tool in TOOLS {
        let mut link = header(tar::EntryType::Symlink, 0, 0o777);
        tar.append_link(&mut link, format!("bin/{tool}"), "busybox").map_err(failed())?;
    }
    tar.into_inner().map_err(failed())
}
