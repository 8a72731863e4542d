//! The payer's side: signs before it is asked, so that a paid call takes one round trip.
//!
//! Nothing here speaks HTTP: a payment goes out as a header's name and value, and answers come in as headers.

use alloy_primitives::{Address, B256, Bytes, U256};
use chain::{ChainError, Wallet};
use market::Timestamp;
use serde_json::Map;
use wire::WireError;
use wire::x402::{
    Authorization, BATCH_SETTLEMENT, BatchOffer, BatchPayload, ChannelConfig, Deposit, DepositAuthorization, EXACT,
    Erc3009Deposit, ExactPayload, PAYMENT_SIGNATURE, Payment, PaymentRequired, PaymentV1, PaymentV2, Requirements,
    SettleResponse, Version, VoucherFields, X_PAYMENT, encode, reason, typed,
};

use crate::channel::{ChannelState, Seen, recover};

/// An authorization is good for so many seconds at most: what is not used by then never is.
const VALID_S: u64 = 600;
/// Clocks of others go wrong by so much, in seconds.
const CLOCK_S: u64 = 600;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The offer cannot be taken by this program.
    #[error("the offer cannot be paid: {reason}")]
    Offer {
        /// What is missing or wrong.
        reason: String,
    },
    /// The offer costs more than the caller allows.
    #[error("{asked} is asked and {most} is allowed: raise the limit to pay that")]
    TooDear {
        /// As asked, smallest units.
        asked: u128,
        /// As allowed.
        most: u128,
    },
    /// The channel does not hold so much.
    #[error("the channel holds {left} more, and {asked} is asked: deposit")]
    Empty {
        /// As asked, smallest units.
        asked: u128,
        /// What was not charged yet.
        left: u128,
    },
    /// The server says that more was charged than was signed.
    #[error("the server claims {claimed} charged and proves {proven}: pay it nothing more")]
    Overcharged {
        /// As claimed.
        claimed: u128,
        /// As signed.
        proven: u128,
    },
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] ChainError),
    /// The payment does not fit into a header.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// A header to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

impl Header {
    /// The header of a payment.
    pub fn of(payment: &Payment) -> Result<Self, ClientError> {
        let (name, value) = match payment {
            Payment::V1(payment) => (X_PAYMENT, encode("the payment", payment)?),
            Payment::V2(payment) => (PAYMENT_SIGNATURE, encode("the payment", payment)?),
        };
        Ok(Self { name, value })
    }
}

/// Signs a payment of exactly what `offer` asks, at most `most`. `nonce` must never have been used: 32 random bytes, or
/// the hash of what is bought.
pub fn exact(
    wallet: &Wallet,
    offer: &Requirements,
    most: u128,
    nonce: B256,
    now: Timestamp,
) -> Result<Payment, ClientError> {
    let payload = exact_payload(wallet, offer, most, nonce, now)?;
    Ok(Payment::V2(version_2(offer, serde_json::json!(payload))))
}

/// The same for a server of version 1.
pub fn exact_v1(
    wallet: &Wallet,
    offer: &Requirements,
    most: u128,
    nonce: B256,
    now: Timestamp,
) -> Result<Payment, ClientError> {
    let payload = serde_json::json!(exact_payload(wallet, offer, most, nonce, now)?);
    let unnamed = || ClientError::Offer { reason: format!("version 1 has no name for {}", offer.network) };
    let network = offer.network.v1_name().ok_or_else(unnamed)?.to_owned();
    Ok(Payment::V1(PaymentV1 { x402_version: Version, scheme: EXACT.to_owned(), network, payload }))
}

fn exact_payload(
    wallet: &Wallet,
    offer: &Requirements,
    most: u128,
    nonce: B256,
    now: Timestamp,
) -> Result<ExactPayload, ClientError> {
    if offer.scheme != EXACT || !offer.is_eip3009() {
        return Err(ClientError::Offer { reason: "it is not exact by EIP-3009".into() });
    }
    if offer.amount > most {
        return Err(ClientError::TooDear { asked: offer.amount, most });
    }
    let domain = domain_of(offer)?;
    let authorization = Authorization {
        from: wallet.address(),
        to: offer.pay_to,
        value: offer.amount,
        valid_after: u128::from(now.0.saturating_sub(CLOCK_S)),
        valid_before: u128::from(now.0.saturating_add(offer.max_timeout_seconds.min(VALID_S))),
        nonce,
    };
    let signature = wallet.sign_digest(typed::digest(&domain, &authorization.typed()))?;
    Ok(ExactPayload { signature: Bytes::from(signature.0), authorization })
}

/// A channel as its payer keeps it. Keep it on disk: what is lost is found again with the server's help, at the price of
/// a round trip.
#[derive(Clone, Debug)]
pub struct PayerChannel {
    wallet: Wallet,
    offer: Requirements,
    told: BatchOffer,
    state: ChannelState,
}

impl PayerChannel {
    /// A channel of `wallet`'s for this offer. `salt` tells channels between the same two apart; `seen` is what the
    /// contract says of it, and `charged` what was paid from it so far.
    pub fn new(
        wallet: Wallet,
        offer: Requirements,
        salt: B256,
        seen: Seen,
        charged: u128,
    ) -> Result<Self, ClientError> {
        if offer.scheme != BATCH_SETTLEMENT || !offer.is_eip3009() {
            return Err(ClientError::Offer { reason: "it is not batch-settlement with deposits by EIP-3009".into() });
        }
        let told = BatchOffer::of_extra(&offer.extra)
            .ok_or_else(|| ClientError::Offer { reason: "it tells no receiverAuthorizer, delay or token".into() })?;
        let config = ChannelConfig {
            payer: wallet.address(),
            payer_authorizer: wallet.address(),
            receiver: offer.pay_to,
            receiver_authorizer: told.receiver_authorizer,
            token: offer.asset,
            withdraw_delay: told.withdraw_delay,
            salt,
        };
        let separator = typed::batch_domain(offer.network.0, typed::BATCH_SETTLEMENT).separator();
        let state = ChannelState::new(config, separator).synced(seen, 0);
        let state = ChannelState { charged: state.charged.max(charged), ..state };
        Ok(Self { wallet, offer, told, state })
    }

    /// The channel as the payer knows it.
    #[must_use]
    pub fn state(&self) -> &ChannelState {
        &self.state
    }

    /// What a call may cost before a deposit is due.
    #[must_use]
    pub fn left(&self) -> u128 {
        self.state.balance.saturating_sub(self.state.charged)
    }

    /// Signs a voucher that pays `amount` more. Until [`absorb`](Self::absorb) hears that it was charged, the next one
    /// takes its place.
    pub fn voucher(&self, amount: u128) -> Result<Payment, ClientError> {
        let left = self.left();
        if amount > left {
            return Err(ClientError::Empty { asked: amount, left });
        }
        let channel_config = self.state.config.clone();
        let payload = BatchPayload::Voucher { channel_config, voucher: self.signed(self.state.charged + amount)? };
        Ok(self.wrapped(amount, &payload))
    }

    /// Signs a deposit of `deposit`, together with a voucher that pays `amount`. `salt` tells deposits to the channel
    /// apart.
    pub fn deposit(&self, deposit: u128, amount: u128, salt: U256, now: Timestamp) -> Result<Payment, ClientError> {
        let least = self.told.min_deposit.unwrap_or(0);
        if deposit < least {
            return Err(ClientError::Offer { reason: format!("a deposit has {least} at least") });
        }
        let left = self.left().saturating_add(deposit);
        if amount > left {
            return Err(ClientError::Empty { asked: amount, left });
        }
        let valid_before = now.0.saturating_add(VALID_S);
        let statement = typed::ReceiveWithAuthorization {
            from: self.wallet.address(),
            to: typed::ERC3009_COLLECTOR,
            value: U256::from(deposit),
            validAfter: U256::ZERO,
            validBefore: U256::from(valid_before),
            nonce: typed::deposit_nonce(self.state.id, salt),
        };
        let signature = self.wallet.sign_digest(typed::digest(&domain_of(&self.offer)?, &statement))?;
        let leave = Erc3009Deposit {
            valid_after: 0,
            valid_before: u128::from(valid_before),
            salt,
            signature: Bytes::from(signature.0),
        };
        let payload = BatchPayload::Deposit {
            channel_config: self.state.config.clone(),
            voucher: self.signed(self.state.charged + amount)?,
            deposit: Deposit { amount: deposit, authorization: DepositAuthorization::Erc3009Authorization(leave) },
        };
        Ok(self.wrapped(amount, &payload))
    }

    /// Asks for money back: `amount`, or all that is left.
    pub fn refund(&self, amount: Option<u128>) -> Result<Payment, ClientError> {
        let payload = BatchPayload::Refund {
            channel_config: self.state.config.clone(),
            voucher: self.signed(self.state.charged)?,
            amount,
            refund_nonce: None,
            claims: Vec::new(),
            refund_authorizer_signature: None,
            claim_authorizer_signature: None,
        };
        Ok(self.wrapped(self.offer.amount, &payload))
    }

    /// Hears what a server charged. A charge that was not signed for is refused.
    pub fn absorb(&mut self, answer: &SettleResponse, signed: u128) -> Result<(), ClientError> {
        let told =
            answer.extra.get("channelState").cloned().map(serde_json::from_value::<wire::x402::ChannelStateJson>);
        let Some(Ok(told)) = told else { return Ok(()) };
        let charged = told.charged_cumulative_amount.unwrap_or(signed);
        if charged > signed {
            return Err(ClientError::Overcharged { claimed: charged, proven: signed });
        }
        self.state.charged = charged;
        self.state.balance = told.balance;
        self.state.claimed = told.total_claimed;
        Ok(())
    }

    /// Hears a 402 that says where the channel stands, and believes what this key signed. Whether another try may do.
    pub fn correct(&mut self, required: &PaymentRequired) -> Result<bool, ClientError> {
        let ours = [reason::BATCH_CUMULATIVE, reason::BATCH_BELOW_CLAIMED];
        if !required.error.as_deref().is_some_and(|code| ours.contains(&code)) {
            return Ok(false);
        }
        let found = required.accepts.iter().find(|offer| offer.scheme == BATCH_SETTLEMENT);
        let told = found.and_then(|offer| BatchOffer::of_extra(&offer.extra));
        let Some((state, proof)) = told.and_then(|told| told.channel_state.zip(told.voucher_state)) else {
            return Ok(false);
        };
        let Some(charged) = state.charged_cumulative_amount else { return Ok(false) };
        let proven = match (proof.signed_max_claimable, proof.signature) {
            (Some(signed), Some(signature)) => {
                let digest = typed::voucher_digest(&self.state.separator, &self.state.id, signed);
                let own = recover(&digest, &signature).is_some_and(|(signer, _)| signer == self.wallet.address());
                if own { signed } else { 0 }
            }
            _ => 0,
        };
        if charged > proven.max(self.state.claimed) {
            return Err(ClientError::Overcharged { claimed: charged, proven });
        }
        self.state.charged = charged;
        self.state.balance = state.balance;
        Ok(true)
    }

    fn signed(&self, total: u128) -> Result<VoucherFields, ClientError> {
        let digest = typed::voucher_digest(&self.state.separator, &self.state.id, total);
        let signature = self.wallet.sign_digest(digest)?;
        Ok(VoucherFields { channel_id: self.state.id, max_claimable_amount: total, signature })
    }

    fn wrapped(&self, amount: u128, payload: &BatchPayload) -> Payment {
        let offer = Requirements { amount, ..self.offer.clone() };
        Payment::V2(version_2(&offer, serde_json::json!(payload)))
    }
}

fn version_2(offer: &Requirements, payload: serde_json::Value) -> PaymentV2 {
    PaymentV2 { x402_version: Version, resource: None, accepted: offer.clone(), payload, extensions: Map::new() }
}

fn domain_of(offer: &Requirements) -> Result<B256, ClientError> {
    let missing = |key: &str| ClientError::Offer { reason: format!("it does not tell the token's {key}") };
    let name = offer.extra_str("name").ok_or_else(|| missing("name"))?;
    let version = offer.extra_str("version").ok_or_else(|| missing("version"))?;
    let token: Address = offer.asset;
    Ok(typed::token_domain(name, version, offer.network.0, token).separator())
}
