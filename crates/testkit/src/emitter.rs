//! A chain whose market logs what it is told to: histories by the hundred thousand, through the real node and stream.
#![expect(clippy::unwrap_used, reason = "everything here runs inside a test or a measure, which it ends")]

use alloy::{
    network::Ethereum,
    primitives::{Address, B256, Bytes, LogData, U256},
    providers::{PendingTransactionBuilder, Provider, RootProvider, ext::AnvilApi},
    rpc::types::TransactionRequest,
    sol_types::SolEvent,
};
use chain::{Chain, ChainConfig, DevChain, DevChainConfig, Market, MarketEvent as E};
use market::Outcome;

mod contract {
    //! The market's interface.
    alloy::sol!(Market, "../../contracts/abi/Market.json");
}
use contract::Market as sol;

/// A contract of 167 bytes. Its input is a row of records: the number of topics and the length of the data, each in a
/// word, then topics and data; each record becomes one log entry. Any other input is answered with the words 32 and 0,
/// which are an address, a number and an empty text to whoever asks for one.
///
/// ```text
///       PUSH0
/// loop: DUP1 CALLDATASIZE GT ISZERO @end JUMPI                  p
///       DUP1 #32 ADD CALLDATALOAD DUP2 CALLDATALOAD            p len n
///       DUP1 #5 SHL DUP4 ADD #64 ADD                           p len n data
///       DUP3 DUP2 PUSH0 CALLDATACOPY DUP3 DUP2 ADD             p len n data next
///       DUP3 #k EQ @log-k JUMPI                                for k in 1..=4
///       #32 PUSH0 MSTORE #64 PUSH0 RETURN
/// log-k: (topic k … topic 1) len PUSH0 LOGk @on JUMP
/// on:   SWAP4 POP POP POP POP @loop JUMP                       next
/// end:  STOP
/// ```
const LOGGER: &str = "5f5b803611156100a557806020013581358060051b830160400182815f378281018260011461004957826002146100565782\
                      600314610068578260041461007f5760205f5260405ff35b8460400135845fa161009b565b84606001358560400135855fa2\
                      61009b565b846080013585606001358660400135865fa361009b565b8460a00135856080013586606001358760400135875f\
                      a461009b565b9350505050610001565b00";
/// Where the market of every [`Emitter`] is.
pub const EMITTED_MARKET: Address = Address::repeat_byte(0xb0);
/// Its token, as the contract answers.
const TOKEN: Address = Address::with_last_byte(32);
/// Below the limit of one transaction (EIP-7825) for a few hundred events.
const GAS: u64 = 16_000_000;

/// A chain with a market that logs whatever events it is given.
#[derive(Debug)]
pub struct Emitter {
    /// The chain's process.
    pub dev: DevChain,
    provider: RootProvider,
    from: Address,
}

impl Emitter {
    /// On a chain of its own that mines each transaction at once.
    pub async fn start() -> Self {
        Self::on(DevChain::start(DevChainConfig::new(crate::anvil_path())).await.unwrap()).await
    }

    /// On this chain.
    pub async fn on(dev: DevChain) -> Self {
        let provider = RootProvider::new_http(dev.rpc().as_str().parse().unwrap());
        let code: Bytes = LOGGER.parse().unwrap();
        for address in [EMITTED_MARKET, TOKEN] {
            dev.replace_code(address, code.clone()).await.unwrap();
        }
        let from = provider.get_accounts().await.unwrap()[0];
        provider.anvil_set_balance(from, U256::MAX >> 8).await.unwrap();
        // Indexing begins at the first block, which must exist.
        dev.mine(1).await.unwrap();
        Self { dev, provider, from }
    }

    /// The market, through a connection of its own.
    pub async fn market(&self) -> Market {
        open_emitted(self.dev.rpc().as_str()).await
    }

    /// Logs these events in one transaction, which is mined at once.
    pub async fn log(&self, events: &[E]) {
        let receipt = self.send(events).await.get_receipt().await.unwrap();
        assert!(receipt.status() && receipt.inner.logs().len() == events.len(), "all of it is logged");
    }

    /// Hands in a transaction that logs these events.
    pub async fn send(&self, events: &[E]) -> PendingTransactionBuilder<Ethereum> {
        let input: Vec<u8> = events.iter().flat_map(record).collect();
        let mut call = TransactionRequest::default().from(self.from).to(EMITTED_MARKET).gas_limit(GAS);
        call.input = Bytes::from(input).into();
        self.provider.send_transaction(call).await.unwrap()
    }
}

/// The emitted market at the other end of `rpc`.
pub async fn open_emitted(rpc: &str) -> Market {
    let chain = Chain::connect(ChainConfig::local(rpc.parse().unwrap())).await.unwrap();
    Market::open(chain, EMITTED_MARKET).await.unwrap()
}

fn record(event: &E) -> Vec<u8> {
    let log = encode(event);
    let word = |number: usize| B256::from(U256::from(number));
    let mut record = [word(log.topics().len()), word(log.data.len())].concat();
    log.topics().iter().for_each(|topic| record.extend(topic));
    record.extend(&log.data);
    record
}

/// An event as the contract logs it.
fn encode(event: &E) -> LogData {
    let b = |id: [u8; 32]| B256::from(id);
    let n = |amount: market::Amount| U256::from(amount.0);
    match event.clone() {
        E::JobCreated { job, resource, renter, fee, terms } => {
            sol::JobCreated { jobId: b(job.0), resourceId: b(resource.0), renter, feeBps: fee.0, terms: agreed(&terms) }
                .encode_log_data()
        }
        E::JobAccepted { job, cover } => {
            sol::JobAccepted { jobId: b(job.0), coverSeconds: cover.0 as u16 }.encode_log_data()
        }
        E::JobDeclined { job, refunded, reason } => {
            sol::JobDeclined { jobId: b(job.0), refunded: n(refunded), reason }.encode_log_data()
        }
        E::JobCancelled { job, by, refunded } => {
            sol::JobCancelled { jobId: b(job.0), by, refunded: n(refunded) }.encode_log_data()
        }
        E::JobStarted { job, ready_record } => {
            sol::JobStarted { jobId: b(job.0), readyRecord: ready_record }.encode_log_data()
        }
        E::JobPaused { job } => sol::JobPaused { jobId: b(job.0) }.encode_log_data(),
        E::JobResumed { job, paused } => {
            sol::JobResumed { jobId: b(job.0), pausedSeconds: paused.0 as u32 }.encode_log_data()
        }
        E::JobExtended { job, extra, locked } => {
            let extra = U256::from(extra.0).to();
            sol::JobExtended { jobId: b(job.0), extraSeconds: extra, locked: n(locked) }.encode_log_data()
        }
        E::JobSilent { job, clock_stands_at, reporter } => {
            let at = U256::from(clock_stands_at.0).to();
            sol::JobSilent { jobId: b(job.0), clockStandsAt: at, reporter }.encode_log_data()
        }
        E::JobPaid { job, seconds, amount } => {
            sol::JobPaid { jobId: b(job.0), paidSeconds: seconds.0 as u32, amount: n(amount) }.encode_log_data()
        }
        E::JobEnded { job, by, outcome, seconds, refunded, result_digest } => sol::JobEnded {
            jobId: b(job.0),
            by,
            outcome: code(outcome),
            secondsRun: seconds.0 as u32,
            refunded: n(refunded),
            resultDigest: result_digest,
        }
        .encode_log_data(),
        E::JobFinalized { job, paid, fee } => {
            sol::JobFinalized { jobId: b(job.0), paid: n(paid), fee: n(fee) }.encode_log_data()
        }
        other => encode_rest(other),
    }
}

fn encode_rest(event: E) -> LogData {
    let n = |amount: market::Amount| U256::from(amount.0);
    match event {
        E::ProviderRegistered { provider_id, owner, agent, payout } => {
            sol::ProviderRegistered { providerId: provider_id, owner, agent, payout }.encode_log_data()
        }
        E::AgentChanged { provider_id, agent } => {
            sol::AgentChanged { providerId: provider_id, agent }.encode_log_data()
        }
        E::PayoutChanged { provider_id, payout } => {
            sol::PayoutChanged { providerId: provider_id, payout }.encode_log_data()
        }
        E::ResourceRegistered { resource, provider_id, listing } => sol::ResourceRegistered {
            resourceId: resource.0.into(),
            providerId: provider_id,
            listing: sol::Listing {
                key: listing.key,
                pricePerHour: U256::from(listing.price.0).to(),
                simulated: listing.hardware.simulated,
                model: listing.hardware.model,
                gpuCount: listing.hardware.gpus,
                vramMib: listing.hardware.vram.0 as u32,
                vcpus: listing.hardware.cpus,
                memoryMib: listing.hardware.memory.0 as u32,
                storageMib: listing.hardware.disk.0,
                details: listing.details,
            },
        }
        .encode_log_data(),
        E::AvailabilityChanged { resource, available } => {
            sol::AvailabilityChanged { resourceId: resource.0.into(), available }.encode_log_data()
        }
        E::PriceChanged { resource, price } => {
            sol::PriceChanged { resourceId: resource.0.into(), pricePerHour: U256::from(price.0).to() }
                .encode_log_data()
        }
        E::Credited { account, amount } => sol::Credited { account, amount: n(amount) }.encode_log_data(),
        E::CreditWithdrawn { account, to, amount } => {
            sol::CreditWithdrawn { account, to, amount: n(amount) }.encode_log_data()
        }
        E::FeeChanged { fee } => sol::FeeChanged { feeBps: fee.0 }.encode_log_data(),
        E::WatcherChanged { watcher, registered } => sol::WatcherChanged { watcher, registered }.encode_log_data(),
        E::OracleChanged { oracle, registered } => sol::OracleChanged { oracle, registered }.encode_log_data(),
        E::FeesWithdrawn { to, amount } => sol::FeesWithdrawn { to, amount: n(amount) }.encode_log_data(),
        E::PauseChanged { paused } => sol::PauseChanged { paused }.encode_log_data(),
        E::MinBondChanged { amount } => sol::MinBondChanged { amount: amount.0 }.encode_log_data(),
        other => encode_stake(other),
    }
}

fn encode_stake(event: E) -> LogData {
    let n = |amount: market::Amount| U256::from(amount.0);
    match event {
        E::CancelFeeChanged { resource, cancel_fee } => {
            sol::CancelFeeChanged { resourceId: resource.0.into(), cancelFeeBps: cancel_fee.0 }.encode_log_data()
        }
        E::Staked { resource, from, amount, stake } => {
            sol::Staked { resourceId: resource.0.into(), from, amount: n(amount), stake: n(stake) }.encode_log_data()
        }
        E::UnstakeRequested { resource, amount, unbonding, available_at } => sol::UnstakeRequested {
            resourceId: resource.0.into(),
            amount: n(amount),
            unbonding: n(unbonding),
            availableAt: U256::from(available_at.0).to(),
        }
        .encode_log_data(),
        E::Unstaked { resource, to, amount, stake } => {
            sol::Unstaked { resourceId: resource.0.into(), to, amount: n(amount), stake: n(stake) }.encode_log_data()
        }
        E::SlashProposed { proposal, resource, harmed, amount, loss, contestable_until, evidence } => {
            sol::SlashProposed {
                proposalId: U256::from(proposal),
                resourceId: resource.0.into(),
                harmed,
                amount: n(amount),
                loss: n(loss),
                contestableUntil: U256::from(contestable_until.0).to(),
                evidenceCid: evidence,
            }
            .encode_log_data()
        }
        E::SlashContested { proposal, evidence } => {
            sol::SlashContested { proposalId: U256::from(proposal), evidenceCid: evidence }.encode_log_data()
        }
        E::SlashSettled { proposal, slashed, to_harmed, burned } => {
            let (proposal, to_harmed, burned) = (U256::from(proposal), n(to_harmed), n(burned));
            sol::SlashSettled { proposalId: proposal, slashed, toHarmed: to_harmed, burned }.encode_log_data()
        }
        other => encode_dispute(other),
    }
}

fn encode_dispute(event: E) -> LogData {
    let n = |amount: market::Amount| U256::from(amount.0);
    match event {
        E::OrderFilled { job, renter, nonce, spent } => {
            sol::OrderFilled { jobId: job.0.into(), renter, nonce, spent: n(spent) }.encode_log_data()
        }
        E::CancelFeePaid { job, paid, fee } => {
            sol::CancelFeePaid { jobId: job.0.into(), paid: n(paid), fee: n(fee) }.encode_log_data()
        }
        E::JobDisputed { job, opener, pot, bond, reason } => {
            sol::JobDisputed { jobId: job.0.into(), opener, pot: n(pot), bond: n(bond), reason }.encode_log_data()
        }
        E::DisputeResolved { job, by, provider, returned, from_cover, evidence } => sol::DisputeResolved {
            jobId: job.0.into(),
            by,
            providerBps: provider.0,
            returned: n(returned),
            fromCover: n(from_cover),
            evidenceCid: evidence,
        }
        .encode_log_data(),
        other => panic!("{other:?}"),
    }
}

fn agreed(terms: &wire::Terms) -> sol::Terms {
    sol::Terms {
        renter: terms.renter,
        controller: terms.controller,
        resourceId: terms.resourceId,
        pricePerHour: terms.pricePerHour,
        minCharge: terms.minCharge,
        maxDuration: terms.maxDuration,
        notBefore: terms.notBefore,
        cancelFeeBps: terms.cancelFeeBps,
        specDigest: terms.specDigest,
        flags: terms.flags,
        salt: terms.salt,
        extra: terms.extra,
    }
}

fn code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::None => 0,
        Outcome::Succeeded => 1,
        Outcome::Failed => 2,
        Outcome::StoppedByRenter => 3,
        Outcome::AbortedByProvider => 4,
        Outcome::Silent => 5,
        Outcome::Disputed => 6,
    }
}
