//! Files that are generated and committed: contract ABIs and bytecode.
use crate::context::Context;
use crate::error::Error;
use crate::process::{command, run};

/// Writes all generated files, or with `check` fails on any difference.
pub(crate) fn codegen(context: &Context, check: bool) -> Result<(), Error> {
    crate::setup::npm(context, "contracts")?;
    run(context, forge(context).arg("build"))?;
    let contracts = context.path("contracts");
    let mut node = command("node", &contracts);
    node.arg("codegen.mjs");
    if check {
        node.arg("--check");
    }
    run(context, &mut node)
}

/// The `forge` that npm installed, in the contracts folder.
pub(crate) fn forge(context: &Context) -> std::process::Command {
    let contracts = context.path("contracts");
    command(contracts.join("node_modules/.bin/forge"), &contracts)
}
