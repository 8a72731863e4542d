//! Rust and Node: looked at, never installed.
use crate::context::Context;
use crate::error::Error;
use crate::process::{cargo, command, output_of};

/// The oldest Node with everything that the contracts' scripts use.
const NODE_MAJOR_MIN: u32 = 20;

/// Node runs the compiler of the contracts and the development chain's installer.
pub(super) fn check_node(context: &Context) -> Result<(), Error> {
    let missing = |what: String| Error::Missing {
        what,
        remedy: format!("install Node {NODE_MAJOR_MIN} or newer with npm, from nodejs.org or your distribution"),
    };
    let said = output_of(command("node", &context.root).arg("--version"));
    let said = said.ok_or_else(|| missing("node".into()))?;
    if major(&said).is_none_or(|major| major < NODE_MAJOR_MIN) {
        return Err(missing(format!("a new enough node ({} found)", said.trim())));
    }
    output_of(command("npm", &context.root).arg("--version")).map(drop).ok_or_else(|| missing("npm".into()))
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The two components that a minimal Rust installation leaves out.
pub(super) fn check_rust(context: &Context) -> Result<(), Error> {
    for component in ["fmt", "clippy"] {
        if output_of(cargo(context).args([component, "--version"])).is_none() {
            return Err(Error::Missing {
                what: format!("cargo {component}"),
                remedy: "run `rustup component add rustfmt clippy`".into(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_are_read() {
        assert_eq!(super::major("v20.20.2\n"), Some(20));
        assert_eq!(super::major("v9.1.0"), Some(9));
        assert_eq!(super::major("nonsense"), None);
    }
}
