//! What can happen to money here, and why it may be refused.

use alloy_primitives::{Address, B256, hex, keccak256};
use market::{JobId, ResourceId, Timestamp};
use store::{AccountId, AssetId, DepositKey, LedgerKeys};

/// Something that happened. Amounts are smallest units of their asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posting {
    /// A deposit is deep enough, and its account has it.
    DepositCredited {
        /// Which.
        deposit: DepositKey,
        /// How often the chain took it back before.
        round: u64,
        /// Whose.
        account: AccountId,
    },
    /// A deposit is deep enough, and nobody knows whose it is.
    DepositSuspended {
        /// Which.
        deposit: DepositKey,
        /// How often the chain took it back before.
        round: u64,
    },
    /// It is known now whose a deposit is.
    SuspenseClaimed {
        /// Which.
        deposit: DepositKey,
        /// How often the chain took it back before.
        round: u64,
        /// Whose.
        account: AccountId,
    },
    /// The chain took back a deposit. What its account has left of it goes; the rest it owes, the operator is short of
    /// it, and the account is blocked.
    DepositReorganised {
        /// Which.
        deposit: DepositKey,
        /// How often the chain took it back before.
        round: u64,
    },
    /// The operator pays from the suspense what an account owes.
    ShortfallCovered {
        /// The asset.
        asset: AssetId,
        /// Who owes.
        account: AccountId,
        /// How much is forgiven.
        amount: i64,
        /// The operator's own word for it, good once.
        key: String,
    },
    /// Money is set aside for a job; more of it with another part.
    Hold {
        /// The job.
        job: JobId,
        /// 0, then one more for each extension.
        part: u32,
        /// Who pays.
        account: AccountId,
        /// In what.
        asset: AssetId,
        /// How much.
        amount: i64,
        /// What the job costs in an hour.
        price_per_hour: i64,
        /// What is rented.
        resource: Option<ResourceId>,
    },
    /// A job took nothing: what was set aside for it goes back.
    Release {
        /// The job.
        job: JobId,
    },
    /// The treasury's money was locked in a job on chain.
    JobLocked {
        /// The job.
        job: JobId,
        /// 0, then one more for each extension.
        part: u32,
        /// How much.
        amount: i64,
    },
    /// The chain took back a lock.
    LockReverted {
        /// The job.
        job: JobId,
        /// Of which part.
        part: u32,
        /// How much.
        amount: i64,
    },
    /// A job began to cost.
    JobStarted {
        /// The job.
        job: JobId,
        /// When.
        at: Timestamp,
    },
    /// A job is final on chain.
    JobSettled {
        /// The job.
        job: JobId,
        /// What it cost there.
        spent: i64,
        /// What came back to the treasury.
        refunded: i64,
        /// What the operator takes beside.
        fee: i64,
    },
    /// Somebody wants his money out.
    WithdrawalRequested {
        /// The withdrawal.
        id: B256,
        /// Whose money.
        account: AccountId,
        /// Under which the account asks once.
        request_key: String,
        /// Of what.
        asset: AssetId,
        /// Where to.
        destination: Address,
        /// How much.
        amount: i64,
    },
    /// A withdrawal is signed: its bytes are kept before anybody sees them.
    WithdrawalSigned {
        /// The withdrawal.
        id: B256,
        /// Whose key.
        signer: Address,
        /// Nonce of the transaction.
        nonce: u64,
        /// Its hash.
        tx: B256,
        /// Its bytes.
        raw: Vec<u8>,
    },
    /// A withdrawal is in a final block.
    WithdrawalFinal {
        /// The withdrawal.
        id: B256,
        /// The transaction.
        tx: B256,
        /// Height of its block.
        block: u64,
    },
    /// A withdrawal was not signed and will not be, or can never be mined, or failed in a final block.
    WithdrawalFailed {
        /// The withdrawal.
        id: B256,
        /// Why.
        reason: String,
    },
    /// The operator takes what he earned.
    FeesTaken {
        /// The asset.
        asset: AssetId,
        /// His account.
        account: AccountId,
        /// How much.
        amount: i64,
        /// His own word for it, good once.
        key: String,
    },
}

/// Why a posting changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is too little. Deposit more, or ask for less.
    #[error("the {bucket} balance is {has}, {wants} is needed; deposit the difference or ask for less")]
    Insufficient {
        /// Of what there is too little.
        bucket: &'static str,
        /// What there is.
        has: i64,
        /// What was asked for.
        wants: i64,
    },
    /// The account owes for a deposit that the chain took back.
    #[error("the account owes {owed} for a deposit that the chain took back; deposit it, or talk to the operator")]
    Blocked {
        /// How much.
        owed: i64,
    },
    /// What the posting is about is not in the ledger.
    #[error("there is no such {what} in the ledger")]
    Unknown {
        /// What is missing.
        what: &'static str,
    },
    /// What the posting is about is elsewhere on its way.
    #[error("the {what} is {state}; nothing was posted")]
    WrongState {
        /// What it is.
        what: &'static str,
        /// Where it stands.
        state: &'static str,
    },
    /// The reference stands for something else already.
    #[error("{reference} was posted with other words; use another reference, or look at what was posted")]
    Conflict {
        /// The reference.
        reference: String,
    },
    /// An amount that is no amount, or sums that do not fit together.
    #[error("{what} does not fit: {why}")]
    BadAmount {
        /// Which amount.
        what: &'static str,
        /// Why.
        why: &'static str,
    },
}

/// Ids in references: short, and as other programs print them.
fn id(hash: B256) -> String {
    hex::encode_prefixed(hash)
}

fn place(key: &DepositKey, round: u64) -> String {
    format!("{}:{}:{}:{round}", key.asset.0, id(key.tx), key.log_index)
}

fn job(id: &JobId) -> String {
    hex::encode_prefixed(id.0)
}

impl Posting {
    /// Its kind, as history shows it.
    #[must_use]
    pub fn why(&self) -> &'static str {
        match self {
            Self::DepositCredited { .. } => "deposit",
            Self::DepositSuspended { .. } => "depositSuspended",
            Self::SuspenseClaimed { .. } => "suspenseClaimed",
            Self::DepositReorganised { .. } => "depositReorganised",
            Self::ShortfallCovered { .. } => "shortfallCovered",
            Self::Hold { .. } => "hold",
            Self::Release { .. } => "release",
            Self::JobLocked { .. } => "jobLocked",
            Self::LockReverted { .. } => "lockReverted",
            Self::JobStarted { .. } => "jobStarted",
            Self::JobSettled { .. } => "jobSettled",
            Self::WithdrawalRequested { .. } => "withdrawal",
            Self::WithdrawalSigned { .. } => "withdrawalSigned",
            Self::WithdrawalFinal { .. } => "withdrawalFinal",
            Self::WithdrawalFailed { .. } => "withdrawalFailed",
            Self::FeesTaken { .. } => "feesTaken",
        }
    }

    /// What it is about. A reference is posted once.
    #[must_use]
    pub fn reference(&self) -> String {
        let about = match self {
            Self::DepositCredited { deposit, round, .. }
            | Self::DepositSuspended { deposit, round }
            | Self::SuspenseClaimed { deposit, round, .. }
            | Self::DepositReorganised { deposit, round } => place(deposit, *round),
            Self::ShortfallCovered { asset, key, .. } | Self::FeesTaken { asset, key, .. } => {
                format!("{}:{key}", asset.0)
            }
            Self::Hold { job: it, part, .. }
            | Self::JobLocked { job: it, part, .. }
            | Self::LockReverted { job: it, part, .. } => format!("{}:{part}", job(it)),
            Self::Release { job: it } | Self::JobStarted { job: it, .. } | Self::JobSettled { job: it, .. } => job(it),
            Self::WithdrawalRequested { id: it, .. }
            | Self::WithdrawalSigned { id: it, .. }
            | Self::WithdrawalFinal { id: it, .. }
            | Self::WithdrawalFailed { id: it, .. } => id(*it),
        };
        format!("{}:{about}", self.why())
    }

    /// Digest of everything it says, its time left out: a repeat has the same.
    #[must_use]
    pub fn digest(&self) -> B256 {
        self.digest_under(&self.reference())
    }

    /// The same, for who has the reference already.
    pub(super) fn digest_under(&self, reference: &str) -> B256 {
        keccak256(format!("{reference}|{}", self.said()))
    }

    /// What it says beside its reference. The form never changes: digests of it are kept.
    fn said(&self) -> String {
        match self {
            Self::DepositCredited { account, .. } | Self::SuspenseClaimed { account, .. } => id(account.0),
            Self::DepositSuspended { .. } | Self::DepositReorganised { .. } | Self::Release { .. } => String::new(),
            Self::ShortfallCovered { account, amount, .. } | Self::FeesTaken { account, amount, .. } => {
                format!("{}|{amount}", id(account.0))
            }
            Self::Hold { account, asset, amount, price_per_hour, resource, .. } => {
                let resource = resource.map(|it| hex::encode_prefixed(it.0)).unwrap_or_default();
                format!("{}|{}|{amount}|{price_per_hour}|{resource}", id(account.0), asset.0)
            }
            Self::JobLocked { amount, .. } | Self::LockReverted { amount, .. } => amount.to_string(),
            Self::JobStarted { at, .. } => at.0.to_string(),
            Self::JobSettled { spent, refunded, fee, .. } => format!("{spent}|{refunded}|{fee}"),
            Self::WithdrawalRequested { account, asset, destination, amount, request_key, .. } => {
                format!("{}|{}|{destination}|{amount}|{request_key}", id(account.0), asset.0)
            }
            Self::WithdrawalSigned { signer, nonce, tx, .. } => format!("{signer}|{nonce}|{}", id(*tx)),
            Self::WithdrawalFinal { tx, block, .. } => format!("{}|{block}", id(*tx)),
            Self::WithdrawalFailed { reason, .. } => reason.clone(),
        }
    }

    /// Adds the rows that its rule reads, as far as it names them itself; its reference is not among them.
    pub fn keys(&self, keys: &mut LedgerKeys) {
        match self {
            Self::DepositCredited { deposit, account, .. } | Self::SuspenseClaimed { deposit, account, .. } => {
                keys.deposits.push(*deposit);
                keys.accounts.push(*account);
            }
            Self::DepositSuspended { deposit, .. } | Self::DepositReorganised { deposit, .. } => {
                keys.deposits.push(*deposit);
            }
            Self::ShortfallCovered { account, .. } | Self::FeesTaken { account, .. } => keys.accounts.push(*account),
            Self::Hold { job, account, .. } => {
                keys.jobs.push(*job);
                keys.accounts.push(*account);
            }
            Self::Release { job }
            | Self::JobLocked { job, .. }
            | Self::LockReverted { job, .. }
            | Self::JobStarted { job, .. }
            | Self::JobSettled { job, .. } => keys.jobs.push(*job),
            Self::WithdrawalRequested { id, account, .. } => {
                keys.withdrawals.push(*id);
                keys.accounts.push(*account);
            }
            Self::WithdrawalSigned { id, .. }
            | Self::WithdrawalFinal { id, .. }
            | Self::WithdrawalFailed { id, .. } => keys.withdrawals.push(*id),
        }
    }
}
