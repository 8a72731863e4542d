//! Verifies and settles payments for servers that ask: `/verify`, `/settle`, `/supported`, `/discovery/resources`.
//!
//! It pays the gas of others, so it serves only receivers that this market knows, within budgets.

use std::sync::Arc;

use alloy_primitives::{Address, B256, keccak256};
use market::Timestamp;
use serde_json::{Map, Value};
use store::Store;
use wire::x402::{
    BATCH_SETTLEMENT, BatchPayload, EXACT, FacilitatorRequest, Kind, Payment, Requirements, SettleResponse, Supported,
    VerifyResponse, reason,
};

use crate::channel::{ChannelState, Desk};
use crate::exact::{EXACT_GAS, Exact};
use crate::{PaymentRefusal, PaymentsError};

mod batch;
pub use batch::{Batch, CLAIM_GAS, CLAIM_ROW_GAS, DEPOSIT_GAS, Payout, REFUND_GAS};

mod limits;
pub use limits::{
    EXACT_GAS_TAKEN, GasPrice, Limits, MIN_DEPOSIT_GAS_MULTIPLE, MIN_DEPOSIT_MAX, SET_UP_GAS_MULTIPLE,
    WORTH_GAS_MULTIPLE,
};

mod routes;
pub use routes::{FACILITATOR_BODY_BYTES_MAX, Listed, routes};

mod settle;

mod sender;
pub(crate) use sender::now;
pub use sender::{FollowConfig, Sender, Sent};

mod watcher;
pub use watcher::{CLAIM_EVERY, Claimer, WATCH_BLOCKS_MAX};

/// Gas budgets begin anew every so many seconds.
pub const DAY_S: u64 = 86_400;

/// Tells whether this market lists a receiver.
pub type Receivers = Arc<dyn Fn(Address) -> bool + Send + Sync>;

/// A facilitator for one token, and for channels in it where the chain has their contract. Clones share everything.
#[derive(Clone)]
pub struct Facilitator {
    exact: Exact,
    batch: Option<(Batch, Desk)>,
    store: Store,
    limits: Limits,
    receivers: Receivers,
}

impl std::fmt::Debug for Facilitator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Facilitator({:?}, batch: {})", self.exact.token(), self.batch.is_some())
    }
}

impl Facilitator {
    /// Serves what `receivers` knows.
    #[must_use]
    pub fn new(exact: Exact, batch: Option<(Batch, Desk)>, store: Store, limits: Limits, receivers: Receivers) -> Self {
        Self { exact, batch, store, limits, receivers }
    }

    /// What is taken by `exact`.
    #[must_use]
    pub fn exact(&self) -> &Exact {
        &self.exact
    }

    /// Channels and their vouchers, where the chain has them.
    #[must_use]
    pub fn batch(&self) -> Option<&(Batch, Desk)> {
        self.batch.as_ref()
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What can be verified and settled. The receivers' keys are theirs, so no `receiverAuthorizer` is offered.
    #[must_use]
    pub fn supported(&self) -> Supported {
        let network = self.exact.network();
        let mut kinds = vec![Kind::v2(EXACT, network, Map::new())];
        kinds.extend(Kind::v1(EXACT, network));
        if self.batch.is_some() {
            kinds.push(Kind::v2(BATCH_SETTLEMENT, network, Map::new()));
        }
        let sender = match &self.batch {
            Some((batch, _)) => vec![batch.sender().teller().address()],
            None => Vec::new(),
        };
        Supported { kinds, extensions: Vec::new(), signers: [("eip155:*".to_owned(), sender)].into() }
    }

    /// Answers `/verify`. An error is this side's: it says nothing about the payment.
    pub async fn verify(&self, request: &FacilitatorRequest, now: Timestamp) -> Result<VerifyResponse, PaymentsError> {
        match self.verified(request, now).await {
            Ok((payer, extra)) => {
                Ok(VerifyResponse { is_valid: true, payer: Some(payer), extra, ..VerifyResponse::default() })
            }
            Err(error) => error.into_refusal().map(|refusal| refusal.to_verify()),
        }
    }

    /// Answers `/settle`. Asked again for the same payment it answers the same. An error is this side's, and
    /// [`PaymentsError::Unknown`] means that a transaction is on its way.
    pub async fn settle(&self, request: &FacilitatorRequest, now: Timestamp) -> Result<SettleResponse, PaymentsError> {
        let network = called(&request.payment_payload);
        match self.settled(request, now).await {
            Ok(settled) => Ok(SettleResponse { success: true, network, ..settled }),
            Err(error) => error.into_refusal().map(|refusal| refusal.to_settle(network)),
        }
    }

    async fn verified(
        &self,
        request: &FacilitatorRequest,
        now: Timestamp,
    ) -> Result<(Address, Map<String, Value>), PaymentsError> {
        let (payment, offer) = self.asked(request)?;
        if payment.scheme() == EXACT {
            let payload = self.exact.verify(payment, &offer, now).await?;
            self.worth(offer.amount, EXACT_GAS_TAKEN, reason::INVALID_REQUIREMENTS).await?;
            return Ok((payload.authorization.from, Map::new()));
        }
        let (batch, _) = self.batch_of(payment, &offer)?;
        match payload_of(payment)? {
            BatchPayload::Deposit { channel_config, voucher, deposit } => {
                batch.check_deposit(&channel_config, &voucher, &deposit, &offer, now)?;
                self.worth(deposit.amount, DEPOSIT_GAS, reason::BATCH_MIN_DEPOSIT).await?;
                batch.simulate_deposit(&channel_config, &deposit).await?;
                let seen = batch.look(voucher.channel_id).await?;
                let after = seen.balance.saturating_add(deposit.amount);
                let state = ChannelState::new(channel_config.clone(), batch.separator());
                let state = state.synced(crate::channel::Seen { balance: after, ..seen }, now.0);
                state.voucher_covered(&voucher)?;
                Ok((channel_config.payer, told(&state)))
            }
            BatchPayload::Voucher { channel_config, voucher } => {
                batch.check_config(&channel_config, &offer)?;
                let state = ChannelState::new(channel_config.clone(), batch.separator());
                state.signed(&voucher)?;
                let state = state.synced(batch.look(state.id).await?, now.0);
                state.voucher_covered(&voucher)?;
                Ok((channel_config.payer, told(&state)))
            }
            BatchPayload::Refund { channel_config, voucher, .. } => {
                batch.check_config(&channel_config, &offer)?;
                let state = ChannelState::new(channel_config.clone(), batch.separator());
                state.signed(&voucher)?;
                let state = state.synced(batch.look(state.id).await?, now.0);
                Ok((channel_config.payer, told(&state)))
            }
            BatchPayload::Claim { .. } | BatchPayload::Settle { .. } => Err(kind()),
        }
    }

    /// Refuses what is not worth the gas that moves it: the gas is this side's, and the amount is what a stranger says.
    async fn worth(&self, amount: u128, gas: u64, code: &'static str) -> Result<(), PaymentsError> {
        let least = self.limits.gas_price(self.exact.token().chain()).await?.least(gas);
        if amount >= least {
            return Ok(());
        }
        let message = format!("{least} or more is moved at a time here, for the gas is paid by the facilitator");
        Err(PaymentRefusal::new(code, message).into())
    }

    /// The payment and what was asked for, when both are for this facilitator.
    fn asked<'a>(&self, request: &'a FacilitatorRequest) -> Result<(&'a Payment, Requirements), PaymentsError> {
        let payment = &request.payment_payload;
        let refuse = |code, message: String| Err(PaymentRefusal::new(code, message).into());
        let offer = request
            .requirements()
            .map_err(|error| PaymentRefusal::new(reason::INVALID_REQUIREMENTS, error.to_string()))?;
        if request.x402_version != payment.version() {
            return refuse(reason::INVALID_PAYLOAD, "x402Version is not the payment's".into());
        }
        if ![EXACT, BATCH_SETTLEMENT].contains(&offer.scheme.as_str()) {
            return refuse(reason::UNSUPPORTED_SCHEME, format!("{:?} is not served here", offer.scheme));
        }
        if offer.network != self.exact.network() {
            return refuse(reason::INVALID_NETWORK, format!("{} is served here", self.exact.network()));
        }
        if !(self.receivers)(offer.pay_to) {
            return Err(stranger());
        }
        Ok((payment, offer))
    }

    fn batch_of(&self, payment: &Payment, offer: &Requirements) -> Result<&(Batch, Desk), PaymentsError> {
        if payment.scheme() != offer.scheme {
            return Err(PaymentRefusal::new(reason::BATCH_SCHEME, "the payment is by another scheme").into());
        }
        let none = || PaymentRefusal::new(reason::UNSUPPORTED_SCHEME, "this chain has no channels");
        Ok(self.batch.as_ref().ok_or_else(none)?)
    }
}

/// What an authorization pays for when a server elsewhere asks: this payment to this receiver.
fn bound(payment: &Payment, offer: &Requirements) -> B256 {
    let payment = serde_json::to_vec(payment).unwrap_or_default();
    keccak256([keccak256(payment).as_slice(), offer.pay_to.as_slice()].concat())
}

fn called(payment: &Payment) -> String {
    match payment {
        Payment::V1(payment) => payment.network.clone(),
        Payment::V2(payment) => payment.accepted.network.to_string(),
    }
}

fn payload_of(payment: &Payment) -> Result<BatchPayload, PaymentsError> {
    payment.batch().map_err(|error| malformed(&error))
}

fn malformed(error: &dyn std::fmt::Display) -> PaymentsError {
    PaymentRefusal::new(reason::INVALID_PAYLOAD, error.to_string()).into()
}

fn kind() -> PaymentsError {
    PaymentRefusal::new(reason::BATCH_TYPE, "a payload of this type does not belong here").into()
}

fn stranger() -> PaymentsError {
    let message = "this facilitator pays gas for receivers that its market lists only";
    PaymentRefusal::new(reason::RECEIVER_UNKNOWN, message).into()
}

fn told(state: &ChannelState) -> Map<String, Value> {
    match serde_json::json!({
        "channelId": state.id,
        "balance": state.balance.to_string(),
        "totalClaimed": state.claimed.to_string(),
        "withdrawRequestedAt": state.withdraw_at.unwrap_or(0),
        "refundNonce": state.refund_nonce.to_string(),
    }) {
        Value::Object(extra) => extra,
        _ => Map::new(),
    }
}

fn answered(tx: B256, state: &ChannelState, amount: u128) -> SettleResponse {
    let mut channel = told(state);
    channel.insert(
        "channelState".into(),
        serde_json::json!(wire::x402::ChannelStateJson { charged_cumulative_amount: None, ..state.to_json() }),
    );
    SettleResponse {
        transaction: tx.to_string(),
        amount: Some(amount.to_string()),
        payer: Some(state.config.payer),
        extra: channel,
        ..SettleResponse::default()
    }
}
