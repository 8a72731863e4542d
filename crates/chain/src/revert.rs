//! Why a contract said no: every custom error of the market and its token as a value.

use alloy::{
    primitives::{Address, B256, Bytes, U256, hex},
    sol_types::{Panic, Revert, SolError, SolInterface},
};
use market::{Amount, BasisPoints, JobId, Outcome, PerHour, ResourceId, Status, Timestamp};

use crate::{
    SlashStatus,
    bindings::{
        access::AccessManager::AccessManagerErrors,
        around::{Reputation::ReputationErrors, Till::TillErrors, Tills::TillsErrors, Versions::VersionsErrors},
        batch::BatchSettlement::BatchSettlementErrors,
        collectors::{
            ERC3009DepositCollector::ERC3009DepositCollectorErrors,
            Permit2DepositCollector::Permit2DepositCollectorErrors,
        },
        deposits::JobDeposits::JobDepositsErrors,
        dollar::DevUSDC::DevUSDCErrors,
        market::Market::MarketErrors,
        till::ProviderTill::ProviderTillErrors,
        token::GPUToken::GPUTokenErrors,
    },
    convert,
};

/// The contract's reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarketRevert {
    /// The caller may not do this.
    #[error("{0} may not do this")]
    NotAllowed(Address),
    /// The caller never registered as a provider.
    #[error("{0} is not registered as a provider")]
    UnknownProvider(Address),
    /// The caller is a provider already.
    #[error("already registered as provider {0}")]
    AlreadyRegistered(u32),
    /// The listing exists already.
    #[error("resource {0} is listed already")]
    ResourceExists(ResourceId),
    /// Nobody listed this.
    #[error("no such resource: {0}")]
    UnknownResource(ResourceId),
    /// Its owner does not offer it now.
    #[error("resource {0} is not offered now")]
    ResourceUnavailable(ResourceId),
    /// A job holds it.
    #[error("resource {0} is busy with another job")]
    ResourceBusy(ResourceId),
    /// The terms offer less than the listing costs.
    #[error("the listing costs {} units an hour, the terms offer {}", listed.0, offered.0)]
    PriceTooLow {
        /// In the terms.
        offered: PerHour,
        /// In the listing.
        listed: PerHour,
    },
    /// A field of the terms is out of its range.
    #[error("the terms' field {0} is out of its range")]
    BadTerms(String),
    /// These very terms were used before.
    #[error("job {0} exists already")]
    JobExists(JobId),
    /// The job is not in a status that allows this.
    #[error("job {} is {status:?}, which does not allow this", job.short())]
    WrongStatus {
        /// Which.
        job: JobId,
        /// Where it stands.
        status: Status,
    },
    /// Not before this time.
    #[error("too early: not before block time {}", .0.0)]
    TooEarly(Timestamp),
    /// The deadline has passed.
    #[error("too late: the deadline was block time {}", .0.0)]
    TooLate(Timestamp),
    /// The statement was signed by somebody else.
    #[error("the signature is by {0}, who is not the one that must sign")]
    BadSignature(Address),
    /// The consent to start is too old, or dated ahead of block time.
    #[error("the signed Ready of block time {} is out of date", .0.0)]
    ReadyExpired(Timestamp),
    /// A provider cannot end a job so.
    #[error("a provider cannot end a job as {0:?}")]
    BadOutcome(Outcome),
    /// A silence cannot be dated so.
    #[error("a silence cannot be dated {}", .0.0)]
    BadLastSeen(Timestamp),
    /// A job's clock may be held for a day in all.
    #[error("the clock of job {0} has been held for a day already")]
    NoPauseLeft(JobId),
    /// The terms are not what the renter ordered.
    #[error("the terms do not keep to the order: {0}")]
    BadOrder(String),
    /// More than the renter lets be locked under the order's nonce.
    #[error("the order has {} units left, the job needs {}", left.0, needed.0)]
    OverBudget {
        /// What the job locks.
        needed: Amount,
        /// What is left.
        left: Amount,
    },
    /// The free stake is less.
    #[error("{} units of stake are free, {} were asked for", free.0, asked.0)]
    NotEnoughStake {
        /// What was asked for.
        asked: Amount,
        /// What is neither tied, nor asked back, nor under a proposal.
        free: Amount,
    },
    /// One slash takes a part only.
    #[error("one slash takes {} units at most, {} were asked for", most.0, asked.0)]
    SlashTooHigh {
        /// What was asked for.
        asked: Amount,
        /// A fifth of what is tied to no job.
        most: Amount,
    },
    /// The proposal is not in a state that allows this.
    #[error("slash proposal {proposal} is {status:?}, which does not allow this")]
    WrongSlashStatus {
        /// Which.
        proposal: u64,
        /// Where it stands.
        status: SlashStatus,
    },
    /// There are three verdicts.
    #[error("a verdict gives the provider 0, 5000 or 10000 basis points of the pot, not {}", .0.0)]
    BadVerdict(BasisPoints),
    /// A cancel fee has a cap and steps.
    #[error("a cancel fee is a multiple of 10 basis points and at most 2500, not {}", .0.0)]
    BadCancelFee(BasisPoints),
    /// Every id of a provider is given away.
    #[error("no further provider can register")]
    TooManyProviders,
    /// The market and its court do not belong together.
    #[error("{0} is no court for this market: it settles in another token")]
    WrongCourt(Address),
    /// There is nothing to pay out.
    #[error("nothing is due")]
    NothingDue,
    /// The market settles in another token.
    #[error("{0} is not the settlement token")]
    WrongToken(Address),
    /// Neither the market nor its token can be paid.
    #[error("{0} cannot be a payout address: what it receives would be nobody's")]
    BadPayout(Address),
    /// The token did not move what it was told to move.
    #[error("the market received {received} units instead of {expected}")]
    WrongAmountReceived {
        /// The lock.
        expected: Amount,
        /// What came.
        received: Amount,
    },
    /// The platform may not take that much.
    #[error("a fee of {} basis points is above the cap", .0.0)]
    FeeTooHigh(BasisPoints),
    /// An address is missing.
    #[error("an address is zero")]
    ZeroAddress,
    /// A listing needs a price.
    #[error("a price is zero")]
    ZeroPrice,
    /// Creating, registering and staking is paused.
    #[error("the market is paused: no new jobs, listings and stake for now")]
    MarketPaused,
    /// Too little money.
    #[error("{account} has {balance} units and needs {needed}")]
    InsufficientBalance {
        /// Whose.
        account: Address,
        /// What is there.
        balance: Amount,
        /// What the call takes.
        needed: Amount,
    },
    /// The market was not allowed to take that much.
    #[error("{spender} may take {allowance} units and needs {needed}: approve first")]
    InsufficientAllowance {
        /// Who takes.
        spender: Address,
        /// What it may take.
        allowance: Amount,
        /// What the call takes.
        needed: Amount,
    },
    /// The token refuses to move money in this way.
    #[error("the token refuses: {0}")]
    TokenRefused(String),
    /// The payment authorization was used before.
    #[error("this payment authorization of {0} was used before")]
    AuthorizationUsed(Address),
    /// The payment authorization is not valid at this time.
    #[error("the payment authorization is valid from {} to {}", after.0, before.0)]
    AuthorizationNotNow {
        /// Not before.
        after: Timestamp,
        /// Not after.
        before: Timestamp,
    },
    /// The payment authorization was signed by somebody else, or for another payment.
    #[error("the payment authorization is not signed by the payer, or not for this payment")]
    AuthorizationNotSigned,
    /// A role is needed.
    #[error("{0} does not hold the role that this needs")]
    MissingRole(Address),
    /// The caller's role acts with a delay: the call must be scheduled with the contract that holds the roles.
    #[error("this role acts with a delay, and the call is not scheduled")]
    NotScheduled,
    /// A contract beside the market said no; its error's name.
    #[error("the contract refuses: {0}")]
    Refused(String),
    /// A text of a contract that is not ours.
    #[error("the contract reverted: {0}")]
    Message(String),
    /// Arithmetic or an assertion failed inside the contract.
    #[error("the contract panicked with code {0}")]
    Panicked(U256),
    /// A transaction was mined and reverted, and running it again gives no reason: it lacked gas or lost a race.
    #[error("transaction {0} reverted when it was mined; the same call would succeed elsewhere in the block")]
    Unexplained(B256),
    /// An error that this version does not know.
    #[error("the contract reverted with unknown data {}", hex::encode_prefixed(.0))]
    Unknown(Bytes),
}

impl MarketRevert {
    /// Reads the data of a revert.
    #[must_use]
    pub fn decode(data: &[u8]) -> Self {
        if let Ok(error) = MarketErrors::abi_decode(data) {
            return from_market(error, data);
        }
        if let Ok(error) = GPUTokenErrors::abi_decode(data) {
            return from_token(error, data);
        }
        if let Ok(Revert { reason }) = Revert::abi_decode(data) {
            return Self::Message(reason);
        }
        if let Ok(panic) = Panic::abi_decode(data) {
            return Self::Panicked(panic.code);
        }
        match AccessManagerErrors::abi_decode(data) {
            Ok(AccessManagerErrors::AccessManagerUnauthorizedAccount(error)) => Self::MissingRole(error.msgsender),
            Ok(AccessManagerErrors::AccessManagerUnauthorizedCall(error)) => Self::MissingRole(error.caller),
            Ok(AccessManagerErrors::AccessManagerNotScheduled(_)) => Self::NotScheduled,
            _ => beside(data).unwrap_or_else(|| Self::Unknown(Bytes::copy_from_slice(data))),
        }
    }
}

/// The errors of the contracts beside the market by their names.
fn beside(data: &[u8]) -> Option<MarketRevert> {
    let selector = *data.first_chunk::<4>()?;
    let name = BatchSettlementErrors::name_by_selector(selector)
        .or_else(|| ERC3009DepositCollectorErrors::name_by_selector(selector))
        .or_else(|| Permit2DepositCollectorErrors::name_by_selector(selector))
        .or_else(|| JobDepositsErrors::name_by_selector(selector))
        .or_else(|| TillsErrors::name_by_selector(selector))
        .or_else(|| ProviderTillErrors::name_by_selector(selector))
        .or_else(|| TillErrors::name_by_selector(selector))
        .or_else(|| ReputationErrors::name_by_selector(selector))
        .or_else(|| VersionsErrors::name_by_selector(selector))
        .or_else(|| DevUSDCErrors::name_by_selector(selector))?;
    Some(MarketRevert::Refused(name.to_owned()))
}

fn from_market(error: MarketErrors, data: &[u8]) -> MarketRevert {
    use MarketErrors as E;
    use MarketRevert as R;
    match error {
        E::NotAllowed(e) => R::NotAllowed(e.caller),
        E::UnknownProvider(e) => R::UnknownProvider(e.owner),
        E::AlreadyRegistered(e) => R::AlreadyRegistered(e.providerId),
        E::ResourceExists(e) => R::ResourceExists(ResourceId(e.resourceId.0)),
        E::UnknownResource(e) => R::UnknownResource(ResourceId(e.resourceId.0)),
        E::ResourceUnavailable(e) => R::ResourceUnavailable(ResourceId(e.resourceId.0)),
        E::ResourceBusy(e) => R::ResourceBusy(ResourceId(e.resourceId.0)),
        E::PriceTooLow(e) => {
            R::PriceTooLow { offered: PerHour(convert::low(e.offered)), listed: PerHour(convert::low(e.listed)) }
        }
        E::BadTerms(e) => R::BadTerms(e.field),
        E::JobExists(e) => R::JobExists(JobId(e.jobId.0)),
        E::WrongStatus(e) => R::WrongStatus { job: JobId(e.jobId.0), status: convert::status(e.status) },
        E::TooEarly(e) => R::TooEarly(convert::timestamp(e.notBefore)),
        E::TooLate(e) => R::TooLate(convert::timestamp(e.deadline)),
        E::BadSignature(e) => R::BadSignature(e.signer),
        E::ReadyExpired(e) => R::ReadyExpired(Timestamp(e.at.to())),
        E::BadOutcome(e) => R::BadOutcome(convert::outcome(e.outcome)),
        E::BadLastSeen(e) => R::BadLastSeen(Timestamp(e.lastSeen.to())),
        E::NoPauseLeft(e) => R::NoPauseLeft(JobId(e.jobId.0)),
        E::BadOrder(_)
        | E::OverBudget(_)
        | E::NotEnoughStake(_)
        | E::SlashTooHigh(_)
        | E::WrongSlashStatus(_)
        | E::BadVerdict(_)
        | E::BadCancelFee(_)
        | E::TooManyProviders(_)
        | E::WrongCourt(_) => from_court(error, data),
        E::NothingDue(_) => R::NothingDue,
        E::WrongToken(e) => R::WrongToken(e.token),
        E::BadPayout(e) => R::BadPayout(e.payout),
        E::WrongAmountReceived(e) => {
            R::WrongAmountReceived { expected: convert::amount(e.expected), received: convert::amount(e.received) }
        }
        E::FeeTooHigh(e) => R::FeeTooHigh(BasisPoints(e.feeBps)),
        E::ZeroAddress(_) => R::ZeroAddress,
        E::ZeroPrice(_) => R::ZeroPrice,
        E::MarketPaused(_) => R::MarketPaused,
        E::AccessManagedUnauthorized(e) => R::MissingRole(e.caller),
        E::AccessManagedRequiredDelay(e) => R::MissingRole(e.caller),
        E::SafeERC20FailedOperation(e) => R::TokenRefused(e.token.to_string()),
        _ => R::Unknown(Bytes::copy_from_slice(data)),
    }
}

fn from_court(error: MarketErrors, data: &[u8]) -> MarketRevert {
    use MarketErrors as E;
    use MarketRevert as R;
    match error {
        E::BadOrder(e) => R::BadOrder(e.field),
        E::OverBudget(e) => R::OverBudget { needed: convert::amount(e.needed), left: convert::amount(e.left) },
        E::NotEnoughStake(e) => R::NotEnoughStake { asked: convert::amount(e.asked), free: convert::amount(e.free) },
        E::SlashTooHigh(e) => R::SlashTooHigh { asked: convert::amount(e.asked), most: convert::amount(e.most) },
        E::WrongSlashStatus(e) => {
            R::WrongSlashStatus { proposal: convert::number(e.proposalId), status: SlashStatus::from_code(e.status) }
        }
        E::BadVerdict(e) => R::BadVerdict(BasisPoints(e.providerBps)),
        E::BadCancelFee(e) => R::BadCancelFee(BasisPoints(e.cancelFeeBps)),
        E::TooManyProviders(_) => R::TooManyProviders,
        E::WrongCourt(e) => R::WrongCourt(e.court),
        _ => R::Unknown(Bytes::copy_from_slice(data)),
    }
}

fn from_token(error: GPUTokenErrors, data: &[u8]) -> MarketRevert {
    use GPUTokenErrors as E;
    use MarketRevert as R;
    match error {
        E::ERC20InsufficientBalance(e) => R::InsufficientBalance {
            account: e.sender,
            balance: convert::amount(e.balance),
            needed: convert::amount(e.needed),
        },
        E::ERC20InsufficientAllowance(e) => R::InsufficientAllowance {
            spender: e.spender,
            allowance: convert::amount(e.allowance),
            needed: convert::amount(e.needed),
        },
        E::ERC3009UsedAuthorization(e) => R::AuthorizationUsed(e.authorizer),
        E::ERC3009InvalidAuthorizationTime(e) => R::AuthorizationNotNow {
            after: convert::timestamp(e.validAfter),
            before: convert::timestamp(e.validBefore),
        },
        E::ERC3009InvalidSignature(_) => R::AuthorizationNotSigned,
        E::AccessManagedUnauthorized(e) => R::MissingRole(e.caller),
        E::ERC20InvalidReceiver(e) => R::TokenRefused(format!("{} cannot receive it", e.receiver)),
        E::ERC20InvalidSender(e) => R::TokenRefused(format!("{} cannot send it", e.sender)),
        E::ERC20InvalidSpender(e) => R::TokenRefused(format!("{} cannot spend it", e.spender)),
        E::ERC2612ExpiredSignature(_) => R::TokenRefused("the permit has expired".into()),
        E::ERC2612InvalidSigner(e) => R::TokenRefused(format!("the permit is signed by {}", e.signer)),
        _ => R::Unknown(Bytes::copy_from_slice(data)),
    }
}
