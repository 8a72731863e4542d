//! `exact`: one EIP-3009 authorization pays for one thing, once, whoever submits it.

use alloy_primitives::{Address, B256};
use alloy_sol_types::{SolEvent, sol};
use chain::calls::erc20::{Authorized, transfer_with_authorization};
use chain::{Call, ChainError, Erc20, Receipt, Transfer};
use market::Timestamp;
use serde_json::{Map, json};
use store::{PaymentKey, PaymentRow, PaymentState, Reserved, Store};
use wire::x402::{EXACT, ExactPayload, Network, Payment, Requirements, reason};

use crate::facilitator::{Sender, Sent};
use crate::{PaymentRefusal, PaymentsError};

mod check;
pub use check::{INCLUSION_S, check};

/// Gas for `transferWithAuthorization`: a dollar's takes 70,000 to 90,000, and a contract that pays may look at its own
/// signature for the rest.
pub const EXACT_GAS: u64 = 200_000;
/// A stranger may have submitted the authorization before it came here, but not longer ago than so many blocks: an hour
/// on a chain with a block a second.
pub const LOOK_BACK_BLOCKS: u64 = 3600;
/// How long a payment may take, in seconds, as offers tell it.
pub const TIMEOUT_S: u64 = 120;

sol! {
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);
}

/// Takes payments in one token. Clones share everything.
#[derive(Clone, Debug)]
pub struct Exact {
    token: Erc20,
    name: String,
    version: String,
    separator: B256,
    sender: Sender,
    store: Store,
}

/// A payment that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// Which.
    pub key: PaymentKey,
    /// The transaction in which the money moved.
    pub tx: B256,
    /// Smallest units.
    pub amount: u128,
    /// Since when it counts: when it was first brought, or now where the money was only now seen to move.
    pub since: Timestamp,
}

impl Exact {
    /// Takes payments in `token`, submitted by `sender`. Refused where the token takes no signatures.
    pub fn new(token: Erc20, sender: Sender, store: Store) -> Result<Self, PaymentsError> {
        let domain = token.domain().cloned();
        let told = domain.and_then(|domain| Some((domain.name.clone()?, domain.version.clone()?, domain.separator())));
        let (name, version, separator) = told.ok_or(PaymentsError::NoSignatures { token: token.address() })?;
        Ok(Self { name: name.into_owned(), version: version.into_owned(), token, separator, sender, store })
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &Erc20 {
        &self.token
    }

    /// The chain.
    #[must_use]
    pub fn network(&self) -> Network {
        Network(self.token.chain().id())
    }

    /// Asks for `amount` to `pay_to`.
    #[must_use]
    pub fn offer(&self, amount: u128, pay_to: Address) -> Requirements {
        let extra = json!({ "name": self.name, "version": self.version });
        Requirements {
            scheme: EXACT.to_owned(),
            network: self.network(),
            amount,
            asset: self.token.address(),
            pay_to,
            max_timeout_seconds: TIMEOUT_S,
            extra: extra.as_object().cloned().unwrap_or_else(Map::new),
        }
    }

    /// Whether the payment would be taken now. Signature, amount, recipient and times first, then what only the chain
    /// knows; nothing is reserved.
    pub async fn verify(
        &self,
        payment: &Payment,
        offer: &Requirements,
        now: Timestamp,
    ) -> Result<ExactPayload, PaymentsError> {
        let payload = self.checked(payment, offer, now).await?;
        self.ask(&payload).await?;
        Ok(payload)
    }

    /// Whether the payment was begun here already: asking again costs no gas.
    pub async fn begun(&self, payload: &ExactPayload) -> Result<bool, PaymentsError> {
        let held = self.store.payment(self.key(payload)).await?;
        Ok(held.is_some_and(|held| held.state != PaymentState::Failed))
    }

    /// Takes the payment for `bound`, a digest of what it pays for, and returns when the money has moved. Asked again it
    /// answers the same; the same authorization for something else is refused. An unknown outcome is
    /// [`PaymentsError::Unknown`]: ask again, never for another payment.
    pub async fn settle(
        &self,
        payment: &Payment,
        offer: &Requirements,
        bound: B256,
        now: Timestamp,
    ) -> Result<Paid, PaymentsError> {
        let payload = match payment.exact() {
            Ok(payload) => payload,
            Err(error) => return Err(PaymentRefusal::new(reason::INVALID_PAYLOAD, error.to_string()).into()),
        };
        let key = self.key(&payload);
        // What was paid stays paid when its authorization is over.
        if let Some(held) = self.store.payment(key).await?.filter(|held| held.state != PaymentState::Failed) {
            return self.go_on(&payload, held, bound, now).await;
        }
        let payload = self.checked(payment, offer, now).await?;
        let head = self.token.chain().head().await?;
        let row = PaymentRow {
            key,
            bound,
            pay_to: payload.authorization.to,
            amount: payload.authorization.value,
            begun_at: now,
            from_block: head.number.saturating_sub(LOOK_BACK_BLOCKS),
            valid_before: Timestamp(payload.authorization.valid_before.try_into().unwrap_or(u64::MAX)),
            state: PaymentState::Reserved,
        };
        match self.store.reserve_payment(&row).await? {
            Reserved::New => self.submit(&payload, row, now).await,
            Reserved::Held(held) if held.state == PaymentState::Failed => {
                if !self.store.retake_payment(&row).await? {
                    return Err(self.elsewhere(&payload).into());
                }
                self.submit(&payload, row, now).await
            }
            Reserved::Held(held) => self.go_on(&payload, *held, bound, now).await,
        }
    }

    async fn go_on(
        &self,
        payload: &ExactPayload,
        held: PaymentRow,
        bound: B256,
        now: Timestamp,
    ) -> Result<Paid, PaymentsError> {
        if held.bound != bound {
            return Err(self.elsewhere(payload).into());
        }
        match held.state {
            PaymentState::Paid { tx } => Ok(Paid { key: held.key, tx, amount: held.amount, since: held.begun_at }),
            _ => self.submit(payload, held, now).await,
        }
    }

    async fn checked(
        &self,
        payment: &Payment,
        offer: &Requirements,
        now: Timestamp,
    ) -> Result<ExactPayload, PaymentsError> {
        if offer.asset != self.token.address() || offer.network != self.network() {
            let message = format!("payments are taken in {} on {}", self.token.address(), self.network());
            return Err(PaymentRefusal::new(reason::EXACT_NETWORK, message).into());
        }
        for (key, ours, code) in
            [("name", &self.name, reason::EXACT_NAME), ("version", &self.version, reason::EXACT_VERSION)]
        {
            if offer.extra_str(key).is_some_and(|theirs| theirs != ours) {
                return Err(PaymentRefusal::new(code, format!("the token's {key} is {ours:?}")).into());
            }
        }
        let (payload, signed) = check(payment, offer, &self.separator, now)?;
        let from = payload.authorization.from;
        if !signed && self.token.chain().code(from).await?.is_empty() {
            let message = "the authorization is not signed by its payer, for this token and chain";
            return Err(PaymentRefusal::new(reason::EXACT_SIGNATURE, message).by(from).into());
        }
        Ok(payload)
    }

    /// What only the chain knows.
    async fn ask(&self, payload: &ExactPayload) -> Result<(), PaymentsError> {
        let told = &payload.authorization;
        let refuse = |code, message: &str| PaymentsError::from(PaymentRefusal::new(code, message).by(told.from));
        if self.token.balance_of(told.from).await?.0 < told.value {
            return Err(refuse(reason::EXACT_BALANCE, "the payer has less than that"));
        }
        if self.token.authorization_used(told.from, told.nonce).await? {
            return Err(refuse(reason::EXACT_NONCE_USED, "the authorization was used"));
        }
        match self.token.chain().simulate(self.sender.teller().address(), &self.call(payload)).await {
            Ok(_) => Ok(()),
            Err(error @ ChainError::Reverted(_)) => Err(refuse(reason::EXACT_SIMULATION, &error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    async fn submit(&self, payload: &ExactPayload, row: PaymentRow, now: Timestamp) -> Result<Paid, PaymentsError> {
        let row = &Taking { row, now };
        let told = &payload.authorization;
        let purpose = format!("exact:{}:{}:{}:{}", row.key.chain_id, row.key.token, row.key.payer, row.key.nonce);
        // Somebody may have submitted it, or this did before a crash: then it is only looked for.
        let used = self.token.authorization_used(told.from, told.nonce).await?;
        let begun = self.sender.begun(&purpose).await?;
        if used && !begun {
            return self.moved(payload, row).await;
        }
        if !used
            && !begun
            && let Err(error) = self.ask(payload).await
        {
            return self.failed(payload, row, error).await;
        }
        match self.sender.carry_out_spare(&purpose, &self.call(payload)).await {
            Ok(Sent::Done(receipt)) if matches(&receipt, &self.token, payload) => {
                self.paid(row, receipt.logs.first().map_or(B256::ZERO, |log| log.tx)).await
            }
            Ok(Sent::Done(_)) => {
                let refusal = PaymentRefusal::new(reason::EXACT_EVENT, "the token moved something else").by(told.from);
                self.failed(payload, row, refusal.into()).await
            }
            Ok(Sent::Reverted { tx }) => {
                let refusal = PaymentRefusal::new(reason::EXACT_FAILED, format!("transaction {tx} failed"));
                self.failed(payload, row, refusal.by(told.from).into()).await
            }
            Ok(Sent::Unknown { tx }) => Err(PaymentsError::Unknown { tx }),
            Err(PaymentsError::Chain(error @ ChainError::Reverted(_))) => {
                let refusal = PaymentRefusal::new(reason::EXACT_SIMULATION, error.to_string()).by(told.from);
                self.failed(payload, row, refusal.into()).await
            }
            Err(error) => Err(error),
        }
    }

    /// It did not work here. A stranger may have been quicker, and then the money has moved all the same.
    async fn failed(&self, payload: &ExactPayload, row: &Taking, error: PaymentsError) -> Result<Paid, PaymentsError> {
        if !matches!(error, PaymentsError::Payment(_)) {
            return Err(error);
        }
        let told = &payload.authorization;
        if self.token.authorization_used(told.from, told.nonce).await? {
            return self.moved(payload, row).await;
        }
        self.store.set_payment_state(row.key, PaymentState::Failed).await?;
        Err(error)
    }

    /// The authorization was used: by whom does not matter, what moved does.
    async fn moved(&self, payload: &ExactPayload, row: &Taking) -> Result<Paid, PaymentsError> {
        let told = &payload.authorization;
        let found = self.token.authorized_transfer(told.from, told.nonce, row.from_block).await?;
        match found {
            Some(moved) if moved.to == told.to && moved.amount.0 == told.value => self.paid(row, moved.tx).await,
            // The node may be late with its log: what is not known to be otherwise may have paid.
            None if !self.cancelled(told.from, told.nonce, row.from_block).await? => {
                Err(PaymentsError::NotFound { nonce: told.nonce })
            }
            _ => {
                self.store.set_payment_state(row.key, PaymentState::Failed).await?;
                let message = "the authorization was used or cancelled, and did not pay this";
                Err(PaymentRefusal::new(reason::EXACT_NONCE_USED, message).by(told.from).into())
            }
        }
    }

    async fn cancelled(&self, from: Address, nonce: B256, since: u64) -> Result<bool, PaymentsError> {
        let topics = [Some(AuthorizationCanceled::SIGNATURE_HASH), Some(from.into_word()), Some(nonce)];
        Ok(!self.token.chain().logs(self.token.address(), &topics, since, None).await?.is_empty())
    }

    async fn paid(&self, row: &Taking, tx: B256) -> Result<Paid, PaymentsError> {
        self.store.set_payment_state(row.key, PaymentState::Paid { tx }).await?;
        Ok(Paid { key: row.key, tx, amount: row.amount, since: row.now })
    }

    fn elsewhere(&self, payload: &ExactPayload) -> PaymentRefusal {
        let message = "the authorization paid for something else: sign a new one";
        PaymentRefusal::new(reason::EXACT_NONCE_USED, message).by(payload.authorization.from)
    }

    fn key(&self, payload: &ExactPayload) -> PaymentKey {
        let told = &payload.authorization;
        PaymentKey { chain_id: self.network().0, token: self.token.address(), payer: told.from, nonce: told.nonce }
    }

    fn call(&self, payload: &ExactPayload) -> Call {
        let told = payload.authorization.typed();
        let what = Authorized {
            from: told.from,
            to: told.to,
            value: told.value,
            valid_after: told.validAfter,
            valid_before: told.validBefore,
            nonce: told.nonce,
        };
        transfer_with_authorization(self.token.address(), &what, payload.signature.clone()).with_gas(EXACT_GAS)
    }
}

/// A payment that is being taken.
struct Taking {
    row: PaymentRow,
    now: Timestamp,
}

impl std::ops::Deref for Taking {
    type Target = PaymentRow;

    fn deref(&self) -> &PaymentRow {
        &self.row
    }
}

/// Whether the transaction moved what was authorized.
fn matches(receipt: &Receipt, token: &Erc20, payload: &ExactPayload) -> bool {
    let told = &payload.authorization;
    receipt
        .logs
        .iter()
        .filter(|log| log.address == token.address())
        .filter_map(Transfer::read)
        .any(|moved| (moved.from, moved.to, moved.amount.0) == (told.from, told.to, told.value))
}
