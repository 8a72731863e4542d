//! cargo-deny, which reads licences and bans: built once and kept.
use std::path::PathBuf;
use std::time::Instant;

use super::say;
use crate::context::Context;
use crate::error::Error;
use crate::process::{cargo, command, find_program, output_of, run};

const VERSION: &str = "0.20.2";
/// Names a folder outside the checkout where built tools are kept, for machines that start afresh.
const CACHE_VARIABLE: &str = "BOURSE_CACHE";
/// It runs for a second and takes minutes to optimise: build it quickly.
const QUICK_BUILD: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

/// The program, built now if it is nowhere.
pub(crate) fn cargo_deny(context: &Context) -> Result<PathBuf, Error> {
    let cache = std::env::var_os(CACHE_VARIABLE).map(PathBuf::from);
    let tools = cache.unwrap_or_else(|| context.path("target")).join("tools");
    let program = tools.join("bin/cargo-deny");
    let on_path = find_program("cargo-deny");
    for candidate in on_path.into_iter().chain([program.clone()]) {
        let said = output_of(command(&candidate, &context.root).arg("--version"));
        if said.is_some_and(|said| said.split_whitespace().any(|word| word == VERSION)) {
            return Ok(candidate);
        }
    }
    let shown = tools.display();
    say(&format!("building cargo-deny {VERSION} into {shown}"), "it checks licences and bans");
    let started = Instant::now();
    let build = context.path("target/tools-build");
    let mut install = cargo(context);
    install
        .args(["install", "--quiet", "--locked", "cargo-deny", "--version", VERSION, "--root"])
        .arg(&tools)
        .env("CARGO_TARGET_DIR", &build)
        .envs(QUICK_BUILD);
    run(context, &mut install)?;
    // Half a gigabyte that nobody reads again; if it stays, it only takes room.
    let _ = std::fs::remove_dir_all(&build);
    say("cargo-deny is built", &format!("it took {:.0} s", started.elapsed().as_secs_f64()));
    Ok(program)
}
