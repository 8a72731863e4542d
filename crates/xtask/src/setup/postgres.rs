//! PostgreSQL's server programs: the tests start throw-away clusters of their own, so no service is needed.
use std::path::Path;

use super::{apt, say};
use crate::context::{Context, is_root};
use crate::error::Error;

/// Where Debian keeps the programs of each version.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// Where Debian's package says whether it makes a cluster of its own and starts it at boot.
const CLUSTER_CONFIG: &str = "/etc/postgresql-common/createcluster.conf";

/// Makes sure that `initdb` and `postgres` are there.
pub(super) fn ensure(context: &Context) -> Result<(), Error> {
    if is_installed() {
        return Ok(());
    }
    if !is_root() {
        return Err(Error::Missing {
            what: "PostgreSQL's server programs".into(),
            remedy: "run `sudo apt-get install --no-install-recommends postgresql`".into(),
        });
    }
    say("apt-get install postgresql", "the database tests run on it beside SQLite, in clusters that they throw away");
    apt::install(context, &["postgresql-common"])?;
    // Nobody asked for a server that runs at every boot.
    let config = Path::new(CLUSTER_CONFIG);
    std::fs::write(config, "create_main_cluster = false\n").map_err(Error::file("write", config))?;
    apt::install(context, &["postgresql"])
}

fn is_installed() -> bool {
    let versions = std::fs::read_dir(PROGRAMS).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin/initdb")).any(|program| program.exists())
}
