//! Files that are generated and committed: contract ABIs and bytecode, the API's description.
use crate::context::Context;
use crate::error::Error;
use crate::process::{cargo, command, run};

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
    run(context, &mut node)?;
    run(context, &mut openapi(context, check))
}

/// The handlers describe themselves; a test of the gateway compares that with what is committed, another writes it.
fn openapi(context: &Context, check: bool) -> std::process::Command {
    let test =
        if check { "openapi::the_committed_contract_is_what_the_handlers_say" } else { "openapi::write_openapi" };
    let mut cargo = cargo(context);
    cargo.args(["test", "-q", "-p", "gateway", "--test", "it", test, "--", "--exact", "--include-ignored"]);
    cargo.stdout(std::io::stderr());
    cargo
}

/// The `forge` that npm installed, in the contracts folder; not by npm's launcher, which ends with 0 whatever fails.
pub(crate) fn forge(context: &Context) -> std::process::Command {
    let contracts = context.path("contracts");
    let mut node = command("node", &contracts);
    node.args(["tools.mjs", "forge"]);
    node
}
