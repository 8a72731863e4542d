//! What each posting does: pure functions from the rows that it is about to what it moves. Every rule keeps the
//! equation, because its legs sum to zero.

use alloy_primitives::{Address, B256};
use market::{JobId, Timestamp};
use store::{
    AccountId, AssetId, Bucket, DepositKey, DepositRow, DepositState, HoldRow, HoldState, LedgerView, WithdrawalRow,
    WithdrawalState,
};

use super::posting::{Posting, Refusal};

/// What a posting does.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) asset: AssetId,
    /// Changes of buckets, with an account where it is an account's money or debt.
    pub(super) moves: Vec<(Option<AccountId>, Bucket, i64)>,
    /// Change of what an account owes.
    pub(super) owes: Option<(AccountId, i64)>,
    pub(super) hold: Option<HoldRow>,
    pub(super) deposit: Option<DepositRow>,
    pub(super) withdrawal: Option<WithdrawalRow>,
}

impl Step {
    fn of(asset: AssetId) -> Self {
        Self { asset, moves: vec![], owes: None, hold: None, deposit: None, withdrawal: None }
    }

    fn market(mut self, bucket: Bucket, amount: i64) -> Self {
        if amount != 0 {
            self.moves.push((None, bucket, amount));
        }
        self
    }

    fn account(mut self, account: AccountId, bucket: Bucket, amount: i64) -> Self {
        if amount != 0 {
            self.moves.push((Some(account), bucket, amount));
        }
        self
    }

    /// An account gets money. What it owes is paid first, and makes good what the operator is short of.
    fn give(mut self, view: &LedgerView, account: AccountId, amount: i64) -> Self {
        let owed = view.balances.get(&(account, self.asset)).map_or(0, |row| row.owed);
        let paid = owed.min(amount);
        if paid > 0 {
            self.owes = Some((account, -paid));
        }
        self.account(account, Bucket::Suspense, paid).account(account, Bucket::Available, amount - paid)
    }
}

pub(super) fn step(view: &LedgerView, posting: &Posting, at: Timestamp) -> Result<Step, Refusal> {
    match posting {
        Posting::DepositCredited { deposit, round, account } => {
            let row = deposit_in(view, deposit, *round, DepositState::Seen)?;
            let step = Step::of(deposit.asset).market(Bucket::Treasury, row.amount).give(view, *account, row.amount);
            let row = DepositRow { account: Some(*account), state: DepositState::Credited, ..row };
            Ok(Step { deposit: Some(row), ..step })
        }
        Posting::DepositSuspended { deposit, round } => {
            let row = deposit_in(view, deposit, *round, DepositState::Seen)?;
            let step = Step::of(deposit.asset).market(Bucket::Treasury, row.amount);
            let step = step.market(Bucket::Suspense, row.amount);
            Ok(Step { deposit: Some(DepositRow { account: None, state: DepositState::Suspense, ..row }), ..step })
        }
        Posting::SuspenseClaimed { deposit, round, account } => {
            let row = deposit_in(view, deposit, *round, DepositState::Suspense)?;
            unclaimed(view, deposit.asset, row.amount)?;
            let step = Step::of(deposit.asset).market(Bucket::Suspense, -row.amount).give(view, *account, row.amount);
            let row = DepositRow { account: Some(*account), state: DepositState::Credited, ..row };
            Ok(Step { deposit: Some(row), ..step })
        }
        Posting::DepositReorganised { deposit, round } => reorganised(view, deposit, *round),
        Posting::ShortfallCovered { asset, account, amount, .. } => {
            positive("the amount", *amount)?;
            let owed = view.balances.get(&(*account, *asset)).map_or(0, |row| row.owed);
            if *amount > owed {
                return Err(Refusal::BadAmount { what: "the amount", why: "the account owes less" });
            }
            unclaimed(view, *asset, *amount)?;
            Ok(Step { owes: Some((*account, -amount)), ..Step::of(*asset) })
        }
        Posting::FeesTaken { asset, account, amount, .. } => {
            positive("the amount", *amount)?;
            Ok(Step::of(*asset).market(Bucket::Fees, -amount).give(view, *account, *amount))
        }
        Posting::Hold { .. }
        | Posting::Release { .. }
        | Posting::JobLocked { .. }
        | Posting::LockReverted { .. }
        | Posting::JobStarted { .. }
        | Posting::JobSettled { .. } => of_job(view, posting, at),
        _ => of_withdrawal(view, posting, at),
    }
}

fn reorganised(view: &LedgerView, key: &DepositKey, round: u64) -> Result<Step, Refusal> {
    let row = view.deposits.get(key).filter(|row| row.round == round);
    let row = row.ok_or(Refusal::Unknown { what: "deposit" })?;
    let (asset, amount) = (key.asset, row.amount);
    let step = Step::of(asset).market(Bucket::Treasury, -amount);
    let step = match (row.state, row.account) {
        (DepositState::Suspense, _) => step.market(Bucket::Suspense, -amount),
        (DepositState::Credited, Some(account)) => {
            let has = view.balances.get(&(account, asset)).map_or(0, |row| row.available);
            let spent = amount - has.min(amount);
            let step = step.account(account, Bucket::Available, spent - amount);
            let step = step.account(account, Bucket::Suspense, -spent);
            Step { owes: (spent > 0).then_some((account, spent)), ..step }
        }
        (state, _) => return Err(Refusal::WrongState { what: "deposit", state: state.name() }),
    };
    let row = DepositRow { state: DepositState::Reorganised, round: round + 1, ..row.clone() };
    Ok(Step { deposit: Some(row), ..step })
}

fn of_job(view: &LedgerView, posting: &Posting, at: Timestamp) -> Result<Step, Refusal> {
    match posting {
        Posting::Hold { job, account, asset, amount, price_per_hour, resource, .. } => {
            positive("the amount", *amount)?;
            unblocked(view, *account)?;
            let row = match view.holds.get(job) {
                Some(row) if (row.account, row.asset, row.state) == (*account, *asset, HoldState::Open) => {
                    HoldRow { amount: sum(row.amount, *amount)?, ..row.clone() }
                }
                Some(row) if row.state == HoldState::Open => {
                    return Err(Refusal::BadAmount { what: "the job", why: "another account or asset pays for it" });
                }
                Some(row) => return Err(Refusal::WrongState { what: "job", state: row.state.name() }),
                None => HoldRow {
                    price_per_hour: (*price_per_hour).max(0),
                    resource: *resource,
                    ..new_hold(*job, *account, *asset, *amount, at)
                },
            };
            let step = Step::of(*asset).account(*account, Bucket::Available, -amount);
            Ok(Step { hold: Some(row), ..step.account(*account, Bucket::Held, *amount) })
        }
        Posting::Release { job } => {
            let row = open(view, *job)?;
            if row.locked > 0 {
                return Err(Refusal::WrongState { what: "job", state: "locked on chain" });
            }
            let step = Step::of(row.asset).account(row.account, Bucket::Held, -row.amount);
            let step = step.give(view, row.account, row.amount);
            let row = HoldRow { amount: 0, state: HoldState::Released, ended_at: Some(at), ..row };
            Ok(Step { hold: Some(row), ..step })
        }
        Posting::JobLocked { job, amount, .. } => {
            positive("the lock", *amount)?;
            let row = open(view, *job)?;
            if *amount > row.amount - row.locked {
                return Err(Refusal::BadAmount { what: "the lock", why: "less is set aside for the job" });
            }
            let step = Step::of(row.asset).market(Bucket::Treasury, -amount).market(Bucket::Locks, *amount);
            Ok(Step { hold: Some(HoldRow { locked: row.locked + amount, ..row }), ..step })
        }
        Posting::LockReverted { job, amount, .. } => {
            positive("the lock", *amount)?;
            let row = open(view, *job)?;
            if *amount > row.locked {
                return Err(Refusal::BadAmount { what: "the lock", why: "less is locked for the job" });
            }
            let step = Step::of(row.asset).market(Bucket::Treasury, *amount).market(Bucket::Locks, -amount);
            Ok(Step { hold: Some(HoldRow { locked: row.locked - amount, ..row }), ..step })
        }
        Posting::JobStarted { job, at } => {
            let row = open(view, *job)?;
            Ok(Step { hold: Some(HoldRow { started_at: Some(*at), ..row.clone() }), ..Step::of(row.asset) })
        }
        Posting::JobSettled { job, spent, refunded, fee } => {
            settled(view, open(view, *job)?, [*spent, *refunded, *fee], at)
        }
        _ => Err(Refusal::Unknown { what: "rule" }),
    }
}

fn new_hold(job: JobId, account: AccountId, asset: AssetId, amount: i64, at: Timestamp) -> HoldRow {
    HoldRow {
        job,
        account,
        asset,
        amount,
        locked: 0,
        state: HoldState::Open,
        price_per_hour: 0,
        resource: None,
        created_at: at,
        started_at: None,
        ended_at: None,
        spent: 0,
        refunded: 0,
        fee: 0,
    }
}

/// What the job cost leaves; what the chain gave back is the treasury's again; what is left of the hold goes back.
#[expect(clippy::needless_pass_by_value, reason = "the row that comes in is the one that goes out")]
fn settled(view: &LedgerView, row: HoldRow, figures: [i64; 3], at: Timestamp) -> Result<Step, Refusal> {
    let [spent, refunded, fee] = figures;
    if spent < 0 || refunded < 0 || fee < 0 || sum(spent, refunded)? != row.locked {
        return Err(Refusal::BadAmount { what: "the settlement", why: "spent and refunded are not what was locked" });
    }
    if fee > row.amount - spent {
        return Err(Refusal::BadAmount { what: "the fee", why: "less is left of what was set aside" });
    }
    let step = Step::of(row.asset)
        .market(Bucket::Locks, -row.locked)
        .market(Bucket::Treasury, refunded)
        .account(row.account, Bucket::Held, -row.amount)
        .market(Bucket::Fees, fee)
        .give(view, row.account, row.amount - spent - fee);
    let state = HoldState::Settled;
    let row = HoldRow { amount: 0, locked: 0, state, ended_at: Some(at), spent, refunded, fee, ..row };
    Ok(Step { hold: Some(row), ..step })
}

fn of_withdrawal(view: &LedgerView, posting: &Posting, at: Timestamp) -> Result<Step, Refusal> {
    match posting {
        Posting::WithdrawalRequested { id, account, request_key, asset, destination, amount } => {
            positive("the amount", *amount)?;
            unblocked(view, *account)?;
            if let Some(row) = view.withdrawals.get(id) {
                return Err(Refusal::WrongState { what: "withdrawal", state: row.state.name() });
            }
            let row = WithdrawalRow {
                account: *account,
                request_key: request_key.clone(),
                asset: *asset,
                destination: *destination,
                amount: *amount,
                ..new_withdrawal(*id, at)
            };
            let step = Step::of(*asset).account(*account, Bucket::Available, -amount);
            Ok(Step { withdrawal: Some(row), ..step.account(*account, Bucket::Held, *amount) })
        }
        Posting::WithdrawalSigned { id, signer, nonce, tx, raw } => {
            let row = withdrawal_in(view, *id, &[WithdrawalState::Requested])?;
            unblocked(view, row.account)?;
            let step = Step::of(row.asset).account(row.account, Bucket::Held, -row.amount);
            let step = step.market(Bucket::Withdrawing, row.amount);
            let row = WithdrawalRow {
                state: WithdrawalState::Signed,
                signer: Some(*signer),
                nonce: Some(*nonce),
                tx: Some(*tx),
                txs: vec![*tx],
                raw: raw.clone(),
                sent_at: Some(at),
                ..row
            };
            Ok(Step { withdrawal: Some(row), ..step })
        }
        Posting::WithdrawalFinal { id, tx, block } => {
            use WithdrawalState::{Mined, Sent, Signed};
            let row = withdrawal_in(view, *id, &[Signed, Sent, Mined])?;
            if !row.txs.contains(tx) {
                return Err(Refusal::Unknown { what: "transaction" });
            }
            let step = Step::of(row.asset).market(Bucket::Treasury, -row.amount);
            let step = step.market(Bucket::Withdrawing, -row.amount);
            let state = WithdrawalState::Final;
            let row = WithdrawalRow { state, tx: Some(*tx), block: Some(*block), raw: vec![], ..row };
            Ok(Step { withdrawal: Some(row), ..step })
        }
        Posting::WithdrawalFailed { id, reason } => {
            use WithdrawalState::{Mined, Requested, Sent, Signed};
            let row = withdrawal_in(view, *id, &[Requested, Signed, Sent, Mined])?;
            let step = Step::of(row.asset);
            let step = match row.state {
                Requested => step.account(row.account, Bucket::Held, -row.amount),
                _ => step.market(Bucket::Withdrawing, -row.amount),
            };
            let step = step.give(view, row.account, row.amount);
            let row = WithdrawalRow { state: WithdrawalState::Failed, reason: Some(reason.clone()), ..row };
            Ok(Step { withdrawal: Some(row), ..step })
        }
        _ => Err(Refusal::Unknown { what: "rule" }),
    }
}

fn new_withdrawal(id: B256, at: Timestamp) -> WithdrawalRow {
    WithdrawalRow {
        id,
        account: AccountId(B256::ZERO),
        request_key: String::new(),
        asset: AssetId(0),
        destination: Address::ZERO,
        amount: 0,
        state: WithdrawalState::Requested,
        requested_at: at,
        signer: None,
        nonce: None,
        tx: None,
        txs: vec![],
        raw: vec![],
        sent_at: None,
        block: None,
        reason: None,
    }
}

fn deposit_in(view: &LedgerView, key: &DepositKey, round: u64, state: DepositState) -> Result<DepositRow, Refusal> {
    let row = view.deposits.get(key).filter(|row| row.round == round);
    let row = row.ok_or(Refusal::Unknown { what: "deposit" })?;
    if row.state != state {
        return Err(Refusal::WrongState { what: "deposit", state: row.state.name() });
    }
    Ok(row.clone())
}

fn open(view: &LedgerView, job: JobId) -> Result<HoldRow, Refusal> {
    let row = view.holds.get(&job).ok_or(Refusal::Unknown { what: "job" })?;
    if row.state != HoldState::Open {
        return Err(Refusal::WrongState { what: "job", state: row.state.name() });
    }
    Ok(row.clone())
}

fn withdrawal_in(view: &LedgerView, id: B256, states: &[WithdrawalState]) -> Result<WithdrawalRow, Refusal> {
    let row = view.withdrawals.get(&id).ok_or(Refusal::Unknown { what: "withdrawal" })?;
    if !states.contains(&row.state) {
        return Err(Refusal::WrongState { what: "withdrawal", state: row.state.name() });
    }
    Ok(row.clone())
}

/// Who owes in one asset spends in none.
fn unblocked(view: &LedgerView, account: AccountId) -> Result<(), Refusal> {
    let of_account = view.assets.keys().filter_map(|asset| view.balances.get(&(account, *asset)));
    match of_account.map(|row| row.owed).max() {
        Some(owed) if owed > 0 => Err(Refusal::Blocked { owed }),
        _ => Ok(()),
    }
}

/// What lies in suspense belongs to those who sent it; the shortfall is no part of it.
fn unclaimed(view: &LedgerView, asset: AssetId, amount: i64) -> Result<(), Refusal> {
    let totals = view.assets.get(&asset).ok_or(Refusal::Unknown { what: "asset" })?.totals;
    let has = totals.suspense.saturating_add(totals.shortfall);
    if has < amount {
        return Err(Refusal::Insufficient { bucket: Bucket::Suspense.name(), has, wants: amount });
    }
    Ok(())
}

fn positive(what: &'static str, amount: i64) -> Result<(), Refusal> {
    if amount <= 0 { Err(Refusal::BadAmount { what, why: "it must be more than nothing" }) } else { Ok(()) }
}

fn sum(one: i64, other: i64) -> Result<i64, Refusal> {
    one.checked_add(other).ok_or(Refusal::BadAmount { what: "the sum", why: "it is too large" })
}
