//! Everything that can be said about the tree without running it.
use crate::context::Context;
use crate::error::Error;
use crate::process::{cargo, command, run};
use crate::setup::{self, Purpose};
use crate::steps::{self, Step};
use crate::{codegen, tidy};

/// Runs all checks and fails if any does.
pub(crate) fn check(context: &Context) -> Result<(), Error> {
    setup::setup(context, Purpose::Check)?;
    let steps = vec![
        Step::new("rustfmt", || run(context, cargo(context).args(["fmt", "--all", "--check"]))),
        Step::new("tidy", || tidy::tidy(context)),
        Step::new("clippy", || run(context, cargo(context).args(CLIPPY))),
        Step::new("licences", || deny(context)),
        Step::new("generated files", || codegen::codegen(context, true)),
        Step::new("trees", || run(context, command("node", &context.path("contracts")).arg("trees.mjs"))),
        Step::new("slots", || run(context, command("node", &context.path("contracts")).arg("layout.mjs"))),
        Step::new("forge fmt", || run(context, codegen::forge(context).args(["fmt", "--check"]))),
    ];
    steps::run(context, "check", steps)
}

const CLIPPY: [&str; 5] = ["clippy", "--workspace", "--all-targets", "--", "-Dwarnings"];

/// Licences, bans and sources; advisories need a database from the network and are left out.
fn deny(context: &Context) -> Result<(), Error> {
    let program = setup::cargo_deny(context)?;
    // The default output repeats the whole graph for every warning.
    let arguments = ["--all-features", "check", "--hide-inclusion-graph"];
    run(context, command(program, &context.root).args(arguments).args(DENY))
}

const DENY: [&str; 3] = ["licenses", "bans", "sources"];
