//! What can go wrong with payments, sorted by what the caller does next.

use chain::ChainError;
use store::StoreError;

use crate::PaymentRefusal;
use crate::channel::ChannelRefusal;
use crate::ledger::Refusal;

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PaymentsError {
    /// The chain's own reason.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database's own reason.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger refused a posting, and nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database did not answer while a posting was written: it may stand or not. Post the same again; it counts once.
    #[error("the ledger does not answer: {reason}; whether the posting stands is not known, post the same again")]
    Unanswered {
        /// What happened.
        reason: String,
    },
    /// The database refused what the rules allowed: the ledger is broken, or somebody wrote past it. Nothing was written.
    #[error("the ledger does not add up: {reason}; nothing was written, audit the ledger before anything else")]
    Broken {
        /// What the database said.
        reason: String,
    },
    /// The writer of this process has ended.
    #[error("the ledger's writer has ended; start the program again")]
    Ended,
    /// Free money beside real money. Give each kind a market and a database of its own.
    #[error("chain {testnet} is for tests and chain {mainnet} is not; hold them in two markets with two databases")]
    MixedNetworks {
        /// A chain whose money is free.
        testnet: u64,
        /// A chain whose money is not.
        mainnet: u64,
    },
    /// A chain is configured as what it is not.
    #[error("chain {chain_id} was called {}, which it is not", if *testnet { "a test network" } else { "no test network" })]
    WrongKind {
        /// The chain.
        chain_id: u64,
        /// What it was called.
        testnet: bool,
    },
    /// A token with more decimal places than amounts here have room for.
    #[error("token {token} has {decimals} decimal places, the wallet holds tokens with at most 9")]
    TooFine {
        /// The token.
        token: alloy_primitives::Address,
        /// Its decimal places.
        decimals: u8,
    },
    /// Another process signs with this key now. Nothing was sent.
    #[error("another process holds the lease {lease}")]
    NotTheSigner {
        /// The lease.
        lease: String,
    },
    /// The key has spent its day's gas. Nothing was sent; the operator may raise the cap.
    #[error("key {signer} has spent the {cap_gwei} gwei that it may spend on gas in a day; try again tomorrow")]
    GasSpent {
        /// The key.
        signer: alloy_primitives::Address,
        /// Its cap.
        cap_gwei: u64,
    },
    /// A look ended where the settings of a test let it die.
    #[error("ended after the step {step:?}, as the settings ask")]
    Died {
        /// Where.
        step: crate::treasury::Step,
    },
    /// No e-mail address.
    #[error("that is no e-mail address; write it like name@host.example")]
    BadEmail,
    /// A password that anybody guesses, or that is too long.
    #[error("choose another password: it {why}")]
    WeakPassword {
        /// What it is, or has to have.
        why: String,
    },
    /// There is an account with this e-mail address.
    #[error("there is an account with this e-mail address; log in, or choose another address")]
    EmailTaken,
    /// Wrong e-mail address or password, or too many wrong ones before; which of them is not said.
    #[error("the e-mail address or the password is wrong; after many wrong ones wait for a while")]
    WrongCredentials,
    /// Too much at once from one place.
    #[error("too many tries; come back in {wait_s} seconds")]
    TooManyTries {
        /// When it is worth trying again.
        wait_s: u64,
    },
    /// Too many passwords are being looked at. Nothing was counted against anybody; the same may be sent again.
    #[error("too many passwords are being looked at; try again in a few seconds")]
    LooksBusy,
    /// The address has money of its own in the wallet, which nobody could reach any more once it was linked.
    #[error(
        "address {address} has money of its own here, which nobody could reach any more; take it out, then link it"
    )]
    OwnMoney {
        /// The address.
        address: alloy_primitives::Address,
    },
    /// The address belongs to another account.
    #[error("address {address} belongs to another account; sign in with it, or link another one")]
    LinkedElsewhere {
        /// The address.
        address: alloy_primitives::Address,
    },
    /// A payment over HTTP is not taken: no money moved by it, and none will.
    #[error(transparent)]
    Payment(#[from] PaymentRefusal),
    /// A channel's voucher is not taken.
    #[error(transparent)]
    Channel(#[from] ChannelRefusal),
    /// A transaction is on its way, and nobody knows yet what becomes of it. Ask again for the same payment, and never
    /// for another one.
    #[error("transaction {tx} is on its way; ask again for the same payment, and pay nothing else")]
    Unknown {
        /// The transaction.
        tx: alloy_primitives::B256,
    },
    /// An authorization was used, and the transaction in which it was is not found. It may have paid.
    #[error(
        "authorization {nonce} was used, and its transaction is not found yet; ask again for the same payment, and \
             pay nothing else"
    )]
    NotFound {
        /// Of the authorization.
        nonce: alloy_primitives::B256,
    },
    /// The disk did not take what must be on it before anybody is served.
    #[error("the payment could not be kept on disk, and nothing was served for it; try again")]
    NotKept,
    /// Nobody paid into such a channel here.
    #[error("channel {id} is not known here; deposit first")]
    NoChannel {
        /// The channel.
        id: alloy_primitives::B256,
    },
    /// The token takes no signatures (EIP-3009), so nobody can pay with it over HTTP.
    #[error("token {token} takes no signed authorizations; name one with EIP-3009")]
    NoSignatures {
        /// The token.
        token: alloy_primitives::Address,
    },
}

impl PaymentsError {
    /// The same may succeed when it is tried again later, and trying does no harm.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Chain(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            Self::Unanswered { .. }
            | Self::Unknown { .. }
            | Self::NotFound { .. }
            | Self::NotKept
            | Self::LooksBusy
            | Self::GasSpent { .. } => true,
            _ => false,
        }
    }

    /// Why a payment over HTTP is refused; other errors stay what they are.
    pub fn into_refusal(self) -> Result<PaymentRefusal, Self> {
        match self {
            Self::Payment(refusal) => Ok(refusal),
            Self::Channel(refusal) => Ok(refusal.into()),
            Self::NoChannel { .. } => Ok(PaymentRefusal::new(wire::x402::reason::BATCH_MISSING, self.to_string())),
            other => Err(other),
        }
    }

    /// Why the ledger refused, when it did.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}
