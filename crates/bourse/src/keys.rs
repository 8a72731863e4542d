//! Keys below the home folder: made once, kept encrypted.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use chain::Wallet;

use crate::{failure::Failure, settings::Settings};

/// The keys of a whole market on one machine: one for each role, so that no role can do another's deeds.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Deployed the contracts and administers them.
    pub(crate) deployer: Wallet,
    /// Owns the provider: prices and payouts.
    pub(crate) owner: Wallet,
    /// Runs the provider's daemon; moves no money to itself.
    pub(crate) agent: Wallet,
    /// Rents.
    pub(crate) renter: Wallet,
    /// Watch over jobs and commit receipts.
    pub(crate) operator: OperatorKeys,
}

impl Keys {
    /// Opens the keys below `home`, making those that are missing.
    pub(crate) fn open(home: &Path) -> Result<Self, Failure> {
        let password = password(home)?;
        let key = |name: &str| -> Result<Wallet, Failure> { one(home, name, &password) };
        let operator = OperatorKeys::open(home, &password)?;
        let (deployer, owner) = (key("deployer")?, key("owner")?);
        Ok(Self { deployer, owner, agent: key("agent")?, renter: key("renter")?, operator })
    }
}

/// The keys that act for a market's operator. They move no money but their own gas, and what lies in the treasury.
#[derive(Clone, Debug)]
pub(crate) struct OperatorKeys {
    /// Signs Ready and reports silence for jobs that name it.
    pub(crate) watcher: Wallet,
    /// Commits receipts.
    pub(crate) recorder: Wallet,
    /// Pays the gas of payments over HTTP, and of jobs that the treasury pays for; nothing else sends with it.
    pub(crate) gas: Wallet,
    /// Where the market wallet's money lies. It sends withdrawals and nothing else.
    pub(crate) treasury: Wallet,
}

impl OperatorKeys {
    /// Opens the keys below `home`, making those that are missing.
    pub(crate) fn open(home: &Path, password: &str) -> Result<Self, Failure> {
        let key = |name: &str| one(home, name, password);
        let (watcher, recorder) = (key("watcher")?, key("recorder")?);
        Ok(Self { watcher, recorder, gas: key("gas")?, treasury: key("treasury")? })
    }
}

/// One key below `home`, made when it is missing.
pub(crate) fn one(home: &Path, name: &str, password: &str) -> Result<Wallet, Failure> {
    let path = home.join("keys").join(format!("{name}.json"));
    if path.exists() {
        return Ok(chain::keystore::load(&path, password)?);
    }
    let wallet = Wallet::random();
    chain::keystore::save(&path, &wallet, password)?;
    Ok(wallet)
}

/// A password as its file has it, without the end of the line.
pub(crate) fn trimmed(text: &str) -> String {
    text.trim_end_matches(['\r', '\n']).to_owned()
}

/// The password of an operator's keys: of the file that the settings name, else the home folder's, made when missing.
pub(crate) fn home_password(settings: &Settings) -> Result<String, Failure> {
    match settings.password_file {
        Some(_) => settings.password(),
        None => password(&settings.home()),
    }
}

/// The password of the keystores below `home`: a random one in a file that only its owner reads, made once.
pub(crate) fn password(home: &Path) -> Result<String, Failure> {
    let path = home.join("password");
    if let Ok(text) = fs::read_to_string(&path) {
        return Ok(trimmed(&text));
    }
    fs::create_dir_all(home).map_err(Failure::file(home))?;
    let password: String = rand::random::<[u8; 24]>().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(Failure::file(&path))?;
    file.write_all(password.as_bytes()).and_then(|()| file.sync_all()).map_err(Failure::file(&path))?;
    Ok(password)
}
