//! Packages of Python, exactly those of a committed list, in an environment of their own.
use std::path::Path;

use super::{apt, say};
use crate::context::{Context, is_root};
use crate::error::Error;
use crate::process::{command, find_program, run};

/// The environment's folder, beside the list.
const ENVIRONMENT: &str = ".venv";
/// A copy of the list that was installed.
const INSTALLED: &str = ".venv/requirements.txt";

/// Installs what a folder's `requirements.txt` lists, if that is not what is installed.
pub(super) fn install(context: &Context, folder: &str) -> Result<(), Error> {
    let folder = context.path(folder);
    let wanted = folder.join("requirements.txt");
    let text = std::fs::read_to_string(&wanted).map_err(Error::file("read", &wanted))?;
    if is_fresh(&folder, &text) {
        return Ok(());
    }
    let shown = wanted.strip_prefix(&context.root).unwrap_or(&wanted).display();
    say(&format!("pip install -r {shown}"), "programs of others that ours is held against");
    environment(context, &folder)?;
    let arguments = ["install", "--quiet", "--disable-pip-version-check", "--requirement", "requirements.txt"];
    let mut pip = command(folder.join(ENVIRONMENT).join("bin/pip"), &folder);
    run(context, pip.args(arguments).stdout(std::io::stderr()))?;
    let installed = folder.join(INSTALLED);
    std::fs::write(&installed, text).map_err(Error::file("write", &installed))
}

/// Debian keeps the module that makes environments in a package of its own.
fn environment(context: &Context, folder: &Path) -> Result<(), Error> {
    let make = || {
        let mut python = command("python3", folder);
        python.args(["-m", "venv", "--clear", ENVIRONMENT]).stdout(std::io::stderr());
        python
    };
    if find_program("python3").is_some() && run(context, &mut make()).is_ok() {
        return Ok(());
    }
    if !is_root() {
        return Err(Error::Missing {
            what: "Python 3 with its `venv` module".into(),
            remedy: "run `sudo apt-get install python3-venv`".into(),
        });
    }
    say("apt-get install python3-venv", "environments are made with it");
    apt::install(context, &["python3-venv"])?;
    run(context, &mut make())
}

fn is_fresh(folder: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(folder.join(INSTALLED)).is_ok_and(|installed| installed == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_fresh_until_its_list_changes() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_fresh(folder.path(), "a==1\n"));
        std::fs::create_dir(folder.path().join(ENVIRONMENT)).unwrap();
        std::fs::write(folder.path().join(INSTALLED), "a==1\n").unwrap();
        assert!(is_fresh(folder.path(), "a==1\n"));
        assert!(!is_fresh(folder.path(), "a==2\n"));
    }
}
