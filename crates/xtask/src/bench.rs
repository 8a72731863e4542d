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

/// One program that measures, and the file without which there is nothing to run.
struct Bench {
    name: &'static str,
    needs: &'static str,
    command: fn(&Context) -> Command,
}

const BENCHES: [Bench; 2] = [
    Bench {
        name: "gas",
        needs: "contracts/gas.mjs",
        // With --check it compares with the committed snapshot instead of writing it.
        command: |context| {
            let mut node = command("node", &context.path("contracts"));
            node.args(["gas.mjs", "--check"]);
            node
        },
    },
    Bench {
        name: "market",
        needs: "crates/bourse/benches/market.rs",
        command: |context| {
            let mut cargo = cargo(context);
            cargo.args(["bench", "-q", "-p", "bourse", "--bench", "market"]);
            cargo
        },
    },
];

/// Runs every bench.
pub(crate) fn bench(context: &Context) -> Result<(), Error> {
    setup::setup(context, Purpose::Bench)?;
    let there = BENCHES.iter().filter(|bench| context.path(bench.needs).exists());
    let step = |bench: &'static Bench| Step::new(bench.name, || measure(context, bench));
    steps::run(context, "bench", there.map(step).collect())
}

fn measure(context: &Context, bench: &Bench) -> Result<(), Error> {
    let mut group = Group::start((bench.command)(context).stdout(Stdio::piped()))?;
    let stdout = group.child.stdout.take();
    // A thread of its own, so that Ctrl-C is seen while the program measures in silence.
    let reader = std::thread::spawn(move || {
        for line in stdout.into_iter().flat_map(|out| BufReader::new(out).lines()) {
            let Ok(line) = line else { break };
            if line.starts_with(MARK) {
                ui::answer(&line);
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
