//! Who may do what in a market: the roles of its AccessManager.

use alloy::{
    primitives::{Address, Bytes, FixedBytes},
    sol_types::SolCall,
};

use super::Deployment;
use crate::{
    ChainError, DeployConfig,
    bindings::{
        access::AccessManager as access,
        around::{Reputation, Tills, Versions},
        market::Market as market,
        token::GPUToken as token,
    },
};

/// Administers the roles; the AccessManager's own number.
const ADMIN: u64 = 0;
/// Creates tokens.
const FAUCET: u64 = 1;
/// Pauses creating, registering and staking.
const GUARDIAN: u64 = 2;
/// Sets fee and bond, takes what was booked, says where the tills' part goes.
const TREASURER: u64 = 3;
/// Registers who may report silence.
const REGISTRAR: u64 = 4;
/// Lets creating, registering and staking go on.
const OPERATOR: u64 = 5;
/// Decides disputes and contested slashes.
const JUDGE: u64 = 6;
/// Proposes slashes.
const PROSECUTOR: u64 = 7;
/// Reports what scores are reckoned from.
const REPORTER: u64 = 8;
/// Names the market's successor.
const PUBLISHER: u64 = 9;

/// One role: what it may call, who holds it beside whom, and how long before it must say so.
struct Duty {
    role: u64,
    label: &'static str,
    target: Address,
    selectors: Vec<[u8; 4]>,
    holders: Vec<Address>,
    delay: u32,
}

/// Refuses a market in which somebody judges what he brought up himself.
pub(super) fn check(config: &DeployConfig) -> Result<(), ChainError> {
    let others =
        [(&config.prosecutors, "a prosecutor"), (&config.oracles, "an oracle"), (&config.reporters, "a reporter")];
    for judge in &config.judges {
        if let Some((_, what)) = others.iter().find(|(keys, _)| keys.contains(judge)) {
            return Err(ChainError::BadSetup(format!("{judge} would be judge and {what}; name another key")));
        }
    }
    Ok(())
}

/// The calls of the AccessManager that set it all up, to be made at once by its administrator.
pub(super) fn calls(deployment: &Deployment, deployer: Address, config: &DeployConfig) -> Vec<Bytes> {
    let delay = u32::try_from(config.admin_delay.0).unwrap_or(u32::MAX);
    let grant = |role: u64, account: Address, delay: u32| {
        access::grantRoleCall { roleId: role, account, executionDelay: delay }.abi_encode().into()
    };
    let mut calls = Vec::new();
    for duty in duties(deployment, deployer, config, delay) {
        let selectors = duty.selectors.into_iter().map(FixedBytes).collect();
        let (target, role) = (duty.target, duty.role);
        calls.push(access::setTargetFunctionRoleCall { target, selectors, roleId: role }.abi_encode().into());
        calls.push(access::labelRoleCall { roleId: role, label: duty.label.to_owned() }.abi_encode().into());
        calls.extend(duty.holders.into_iter().map(|holder| grant(role, holder, duty.delay)));
    }
    // The treasurer's second target.
    let payee = vec![FixedBytes(Tills::setFeePayeeCall::SELECTOR)];
    let call = access::setTargetFunctionRoleCall { target: deployment.tills, selectors: payee, roleId: TREASURER };
    calls.push(call.abi_encode().into());
    if delay != 0 {
        // Who could give roles at once could give itself one without a delay.
        calls.push(grant(ADMIN, deployer, delay));
    }
    calls
}

fn duties(deployment: &Deployment, deployer: Address, config: &DeployConfig, delay: u32) -> Vec<Duty> {
    let duty = |role, label, target, selectors: &[[u8; 4]], holders: Vec<Address>, delay| Duty {
        role,
        label,
        target,
        selectors: selectors.to_vec(),
        holders,
        delay,
    };
    let with_deployer = |others: &[Address]| {
        let others = others.iter().copied().filter(|other| *other != deployer);
        std::iter::once(deployer).chain(others).collect::<Vec<_>>()
    };
    let operators = || with_deployer(&config.operators);
    let at = deployment.market;
    let treasury = [market::setFeeCall::SELECTOR, market::withdrawFeesCall::SELECTOR, market::setMinBondCall::SELECTOR];
    let register = [market::setWatcherCall::SELECTOR, market::setOracleCall::SELECTOR];
    let verdicts = [market::resolveDisputeCall::SELECTOR, market::decideSlashCall::SELECTOR];
    let slashes = [market::proposeSlashCall::SELECTOR];
    let publish = [Versions::publishCall::SELECTOR];
    let mut duties = vec![
        duty(GUARDIAN, "guardian", at, &[market::pauseCall::SELECTOR], with_deployer(&config.guardians), 0),
        duty(TREASURER, "treasurer", at, &treasury, operators(), delay),
        duty(REGISTRAR, "registrar", at, &register, operators(), delay),
        duty(OPERATOR, "operator", at, &[market::unpauseCall::SELECTOR], operators(), delay),
        duty(JUDGE, "judge", at, &verdicts, config.judges.clone(), 0),
        duty(PROSECUTOR, "prosecutor", at, &slashes, config.prosecutors.clone(), 0),
        duty(REPORTER, "reporter", deployment.reputation, &REPORTS, config.reporters.clone(), 0),
        duty(PUBLISHER, "publisher", deployment.versions, &publish, operators(), delay),
    ];
    if config.token.is_none() {
        duties.push(duty(FAUCET, "faucet", deployment.token, &[token::mintCall::SELECTOR], operators(), 0));
    }
    duties
}

/// What a reporter may call.
const REPORTS: [[u8; 4]; 8] = [
    Reputation::reportCall::SELECTOR,
    Reputation::submitValidationReportCall::SELECTOR,
    Reputation::penaliseCall::SELECTOR,
    Reputation::reportDowntimeCall::SELECTOR,
    Reputation::reportInvalidDataCall::SELECTOR,
    Reputation::reportInvalidSignatureCall::SELECTOR,
    Reputation::reportTimeoutCall::SELECTOR,
    Reputation::rewardCall::SELECTOR,
];
