//! Debian's packages, where we are root.
use crate::context::Context;
use crate::error::Error;
use crate::process::{command, find_program, run};

/// Installs packages, or says what a person on another system has to do.
pub(super) fn install(context: &Context, packages: &[&str]) -> Result<(), Error> {
    if find_program("apt-get").is_none() {
        return Err(Error::Missing {
            what: packages.join(", "),
            remedy: "this is no Debian: install them with your package manager".into(),
        });
    }
    let apt = || {
        let mut apt = command("apt-get", &context.root);
        apt.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        apt
    };
    run(context, apt().arg("update"))?;
    // What apt says on standard output is not ours: `bench` keeps that for measurements.
    let mut install = apt();
    install.args(["install", "-y", "--no-install-recommends"]).args(packages);
    run(context, install.stdout(std::io::stderr()))
}
