//! Every test of Rust and Solidity, after the set-up that they need.
use std::time::Instant;

use crate::context::{Context, is_root};
use crate::error::Error;
use crate::process::{cargo, command, run};
use crate::setup::{self, Purpose};
use crate::steps::{self, Step};
use crate::{codegen, ui};

/// Runs all tests and fails if any does.
pub(crate) fn test(context: &Context) -> Result<(), Error> {
    let started = Instant::now();
    setup::setup(context, Purpose::Test)?;
    let contracts = context.path("contracts");
    let steps = vec![
        Step::new("solidity", || run(context, codegen::forge(context).arg("test"))),
        Step::new("mutants", || run(context, command("node", &contracts).args(["mutate.mjs", "checks", "fast"]))),
        Step::new("gas", || run(context, command("node", &contracts).args(["gas.mjs", "--check"]))),
        Step::new("gas of channels", || run(context, command("node", &contracts).args(["gas-x402.mjs", "--check"]))),
        Step::new("rust", || rust(context)),
    ];
    steps::run(context, "test", steps)?;
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    ui::note(&format!("All tests passed in {minutes:.1} minutes."));
    Ok(())
}

/// The whole workspace, examples included. What the set-up has made possible may not be skipped.
fn rust(context: &Context) -> Result<(), Error> {
    let mut cargo = cargo(context);
    cargo.args(["test", "--workspace", "--no-fail-fast"]).env("BOURSE_REQUIRE_PEERS", "1");
    cargo.env("BOURSE_REQUIRE_POSTGRES", "1").env("BOURSE_REQUIRE_VULKAN", "1");
    if is_root() && setup::docker_answers() {
        cargo.env("BOURSE_REQUIRE_DOCKER", "1");
    }
    run(context, &mut cargo)
}
