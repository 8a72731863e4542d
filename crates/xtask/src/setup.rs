//! Installs what is missing and says in a line each what and why; says nothing when all is there.
mod apt;
mod cargo_deny;
mod docker;
mod npm;
mod postgres;
mod python;
mod toolchain;
mod vulkan;

pub(crate) use cargo_deny::cargo_deny;
pub(crate) use docker::answers as docker_answers;
pub(crate) use npm::install as npm;

use crate::context::Context;
use crate::error::Error;
use crate::ui;

/// What the set-up is for: each needs something else.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Purpose {
    Run,
    Test,
    Check,
    Bench,
    Deep,
}

/// Makes everything ready for a purpose.
pub(crate) fn setup(context: &Context, purpose: Purpose) -> Result<(), Error> {
    toolchain::check_node(context)?;
    npm(context, "contracts")?;
    match purpose {
        Purpose::Check => {
            toolchain::check_rust(context)?;
            cargo_deny(context).map(drop)
        }
        Purpose::Test => {
            npm(context, "crates/content/tests/peers")?;
            npm(context, "crates/bourse/tests/peers")?;
            python::install(context, "crates/bourse/tests/peers")?;
            helia(context)?;
            postgres::ensure(context)?;
            vulkan::ensure(context)?;
            // The tests that need containers skip themselves where there can be none.
            let containers = docker::ensure(context).and_then(|()| docker::ensure_busybox(context));
            containers.or_else(|error| match error {
                Error::Interrupted => Err(error),
                _ => {
                    say("container tests will be skipped", &error.to_string());
                    Ok(())
                }
            })
        }
        // What proves and reads the contracts.
        Purpose::Deep => python::install(context, "contracts"),
        Purpose::Run => {
            docker::ensure(context)?;
            docker::ensure_busybox(context)
        }
        Purpose::Bench => {
            // The index is measured beside another indexer, on the same database.
            npm(context, "crates/indexer/benches/peers")?;
            // The official server of x402 is what ours is held against.
            npm(context, "crates/bourse/tests/peers")?;
            helia(context)?;
            postgres::ensure(context)?;
            docker::ensure(context)?;
            docker::ensure_busybox(context)
        }
    }
}

/// Helia, and the Node that it needs: a newer one than many systems have, from the packages of Python.
fn helia(context: &Context) -> Result<(), Error> {
    npm(context, "crates/exchange/tests/peers")?;
    python::install(context, "crates/exchange/tests/peers")
}

/// One line: what is done, and why.
fn say(what: &str, why: &str) {
    ui::note(&format!("setup: {what}: {why}"));
}
