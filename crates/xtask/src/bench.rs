//! Measures. Standard output carries `bench: name=value unit` lines and nothing else.
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::context::Context;
use crate::error::Error;
use crate::process::{Group, cargo, command};
use crate::setup::{self, Purpose};
use crate::steps::{self, Step};
use crate::ui;

/// Every line that is a measurement begins so.
const MARK: &str = "bench: ";

/// One program that measures.
struct Bench {
    name: &'static str,
    command: fn(&Context) -> Command,
    /// Run before it, unmeasured: it fills the caches that the measured run finds warm.
    warms: bool,
}

const BENCHES: [Bench; 12] = [
    Bench {
        name: "gas",
        // With --check it compares with the committed snapshot instead of writing it.
        command: |context| {
            let mut node = command("node", &context.path("contracts"));
            node.args(["gas.mjs", "--check"]);
            node
        },
        warms: false,
    },
    Bench {
        name: "gas-x402",
        command: |context| {
            let mut node = command("node", &context.path("contracts"));
            node.args(["gas-x402.mjs", "--check"]);
            node
        },
        warms: false,
    },
    Bench { name: "index", command: |context| target(context, "indexer", "index"), warms: false },
    Bench { name: "serve", command: |context| target(context, "gateway", "serve"), warms: false },
    Bench { name: "ledger", command: |context| target(context, "payments", "ledger"), warms: false },
    Bench { name: "voucher", command: |context| target(context, "payments", "voucher"), warms: false },
    Bench { name: "gc", command: |context| target(context, "content", "gc"), warms: false },
    Bench { name: "x402", command: |context| target(context, "payments", "x402"), warms: false },
    Bench { name: "proof", command: |context| target(context, "proof", "verify"), warms: false },
    Bench { name: "bitswap", command: |context| target(context, "exchange", "bitswap"), warms: false },
    Bench { name: "market", command: |context| target(context, "bourse", "market"), warms: false },
    Bench {
        name: "run",
        command: |context| {
            let mut cargo = cargo(context);
            cargo.args(["run", "-q", "-p", "xtask", "--", "run", "--once"]);
            cargo
        },
        warms: true,
    },
];

/// A bench target of a crate, in the profile that people run: hot crates are optimised in it, the rest waits for blocks.
fn target(context: &Context, package: &str, bench: &str) -> Command {
    let mut cargo = cargo(context);
    cargo.args(["test", "-q", "--profile", "dev", "-p", package, "--bench", bench]);
    cargo
}

/// Runs every bench.
pub(crate) fn bench(context: &Context) -> Result<(), Error> {
    setup::setup(context, Purpose::Bench)?;
    let step = |bench: &'static Bench| {
        Step::new(bench.name, || {
            if bench.warms {
                measure(context, bench, false)?;
            }
            measure(context, bench, true)
        })
    };
    steps::run(context, "bench", BENCHES.iter().map(step).collect())
}

fn measure(context: &Context, bench: &Bench, shown: bool) -> Result<(), Error> {
    let mut group = Group::start((bench.command)(context).stdout(Stdio::piped()))?;
    let stdout = group.child.stdout.take();
    // A thread of its own, so that Ctrl-C is seen while the program measures in silence.
    let reader = std::thread::spawn(move || {
        for line in stdout.into_iter().flat_map(|out| BufReader::new(out).lines()) {
            let Ok(line) = line else { break };
            if line.starts_with(MARK) && shown {
                ui::answer(&line.replace("run.once_s=", "run.once_warm_s="));
            } else {
                ui::note(&line);
            }
        }
    });
    let status = group.wait(context)?;
    if reader.join().is_err() || !status.success() {
        return Err(Error::Failed { program: bench.name.into(), status });
    }
    Ok(())
}
