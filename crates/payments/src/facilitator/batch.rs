//! `batch-settlement` on chain: deposits, claims, payments to receivers and refunds, each done once and checked by what
//! it moved.

use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::{SolEvent, sol};
use chain::calls::x402 as calls;
use chain::{Call, ChainError, Channels, Erc20, Receipt};
use market::Timestamp;
use wire::x402::{
    BatchOffer, ChannelConfig, Deposit, DepositAuthorization, Requirements, VoucherClaim, VoucherFields,
    WITHDRAW_DELAY_MAX_S, WITHDRAW_DELAY_MIN_S, reason, typed,
};

use super::{Sender, Sent};
use crate::channel::{CLAIM_ROWS_MAX, ChannelState, Seen, recover};
use crate::exact::INCLUSION_S;
use crate::{PaymentRefusal, PaymentsError};

mod payout;
pub use payout::Payout;
pub(super) use payout::nothing_to_settle;

/// Gas for a deposit: its target is 125,000, and a payer that is a contract checks its signature for the rest.
pub const DEPOSIT_GAS: u64 = 250_000;
/// Gas for a claim, before its rows.
pub const CLAIM_GAS: u64 = 80_000;
/// Gas for each row: a fresh channel's takes 40,000.
pub const CLAIM_ROW_GAS: u64 = 45_000;
/// Gas for a refund, before the rows that it claims.
pub const REFUND_GAS: u64 = 150_000;

sol! {
    event Deposited(bytes32 indexed channelId, address indexed sender, uint128 amount, uint128 newBalance);
    event Claimed(bytes32 indexed channelId, address indexed sender, uint128 claimAmount, uint128 newTotalClaimed);
    event Refunded(bytes32 indexed channelId, address indexed sender, uint128 amount);
}

/// The channels of one contract and one token. Clones share everything.
#[derive(Clone, Debug)]
pub struct Batch {
    channels: Channels,
    token: Erc20,
    token_separator: B256,
    separator: B256,
    sender: Sender,
}

impl Batch {
    /// Serves channels of `channels` in `token`. Refused where the token takes no signatures.
    pub fn new(channels: Channels, token: Erc20, sender: Sender) -> Result<Self, PaymentsError> {
        let token_separator = token.domain_separator().ok_or(PaymentsError::NoSignatures { token: token.address() })?;
        let separator = typed::batch_domain(token.chain().id(), channels.address()).separator();
        Ok(Self { channels, token, token_separator, separator, sender })
    }

    /// Separator of the domain that vouchers are signed under.
    #[must_use]
    pub fn separator(&self) -> B256 {
        self.separator
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &Erc20 {
        &self.token
    }

    /// The contract.
    #[must_use]
    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Who sends.
    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// What the contract says of a channel now.
    pub async fn look(&self, id: B256) -> Result<Seen, PaymentsError> {
        let (channel, pending, nonce) = tokio::try_join!(
            self.channels.channel(id),
            self.channels.pending_withdrawal(id),
            self.channels.refund_nonce(id)
        )?;
        Ok(Seen {
            balance: channel.balance,
            claimed: channel.claimed,
            withdraw_at: pending.map(|pending| pending.announced_at.0),
            refund_nonce: nonce.saturating_to(),
        })
    }

    /// Checks a channel against an offer: both sides, token, delay, and a key that signs vouchers.
    pub fn check_config(&self, config: &ChannelConfig, offer: &Requirements) -> Result<(), PaymentRefusal> {
        let told = BatchOffer::of_extra(&offer.extra);
        let refuse = |code, message: &str| Err(PaymentRefusal::new(code, message).by(config.payer));
        let Some(told) = told else {
            return refuse(reason::BATCH_DOMAIN, "the offer tells no receiverAuthorizer, delay or token domain");
        };
        if config.receiver != offer.pay_to {
            return refuse(reason::BATCH_RECEIVER, "the channel pays somebody else: open one to payTo");
        }
        if config.receiver_authorizer != told.receiver_authorizer || config.receiver_authorizer.is_zero() {
            return refuse(reason::BATCH_RECEIVER_AUTHORIZER, "the channel is claimed by another key: open a new one");
        }
        if config.token != offer.asset || config.token != self.token.address() {
            return refuse(reason::BATCH_TOKEN, "the channel is of another token");
        }
        if !(WITHDRAW_DELAY_MIN_S..=WITHDRAW_DELAY_MAX_S).contains(&config.withdraw_delay) {
            return refuse(reason::BATCH_DELAY_RANGE, "no channel may have such a withdrawDelay");
        }
        if config.withdraw_delay != told.withdraw_delay {
            return refuse(reason::BATCH_DELAY, "the channel has another withdrawDelay than was offered");
        }
        if config.payer_authorizer.is_zero() {
            return refuse(
                reason::BATCH_VOUCHER_SIGNATURE,
                "name a payerAuthorizer: vouchers are checked against a key",
            );
        }
        Ok(())
    }

    /// Checks a deposit as far as that goes without the chain, and its first voucher's signature.
    pub fn check_deposit(
        &self,
        config: &ChannelConfig,
        voucher: &VoucherFields,
        deposit: &Deposit,
        offer: &Requirements,
        now: Timestamp,
    ) -> Result<(), PaymentRefusal> {
        self.check_config(config, offer)?;
        let refuse = |code, message: &str| Err(PaymentRefusal::new(code, message).by(config.payer));
        let id = config.id(&self.separator);
        if voucher.channel_id != id {
            return refuse(reason::BATCH_CHANNEL_ID, "the voucher is for another channel, contract or chain");
        }
        let digest = typed::voucher_digest(&self.separator, &id, voucher.max_claimable_amount);
        if recover(&digest, &voucher.signature).is_none_or(|(signer, _)| signer != config.payer_authorizer) {
            return refuse(reason::BATCH_VOUCHER_SIGNATURE, "the voucher is not signed by payerAuthorizer");
        }
        let least = BatchOffer::of_extra(&offer.extra).and_then(|told| told.min_deposit).unwrap_or(0);
        if deposit.amount == 0 || deposit.amount < least {
            return refuse(reason::BATCH_MIN_DEPOSIT, &format!("deposit {least} or more"));
        }
        let DepositAuthorization::Erc3009Authorization(leave) = &deposit.authorization else {
            return refuse(reason::BATCH_ERC3009, "deposits are taken by EIP-3009");
        };
        if leave.valid_after >= u128::from(now.0) {
            return refuse(reason::BATCH_VALID_AFTER, "the deposit is not valid yet");
        }
        if leave.valid_before <= u128::from(now.0.saturating_add(INCLUSION_S)) {
            return refuse(reason::BATCH_VALID_BEFORE, "the deposit is over, or too soon");
        }
        let statement = typed::ReceiveWithAuthorization {
            from: config.payer,
            to: typed::ERC3009_COLLECTOR,
            value: U256::from(deposit.amount),
            validAfter: U256::from(leave.valid_after),
            validBefore: U256::from(leave.valid_before),
            nonce: typed::deposit_nonce(id, leave.salt),
        };
        let digest = typed::digest(&self.token_separator, &statement);
        let signature = <[u8; 65]>::try_from(leave.signature.as_ref()).ok().map(wire::SignatureBytes);
        // A signature that is not a key's may be a contract wallet's: the simulation decides.
        if signature.is_some_and(|it| recover(&digest, &it).is_some_and(|(signer, _)| signer != config.payer)) {
            return refuse(reason::BATCH_DEPOSIT_SIGNATURE, "the deposit is not signed by the payer");
        }
        Ok(())
    }

    /// The call that makes a deposit, and its purpose; deposits by Permit2 are not made here.
    pub fn deposit_call(&self, config: &ChannelConfig, deposit: &Deposit) -> Result<(String, Call), PaymentRefusal> {
        let DepositAuthorization::Erc3009Authorization(leave) = &deposit.authorization else {
            return Err(PaymentRefusal::new(reason::BATCH_ERC3009, "deposits are taken by EIP-3009").by(config.payer));
        };
        let (after, before) = (U256::from(leave.valid_after), U256::from(leave.valid_before));
        let brought = calls::erc3009_data(after, before, leave.salt, leave.signature.clone());
        let collector = typed::ERC3009_COLLECTOR;
        let call = calls::deposit(self.channels.address(), &config.typed(), deposit.amount, collector, brought);
        let nonce = typed::deposit_nonce(config.id(&self.separator), leave.salt);
        Ok((format!("deposit:{}:{nonce}", self.token.chain().id()), call.with_gas(DEPOSIT_GAS)))
    }

    /// Whether the contract would take the deposit now.
    pub async fn simulate_deposit(&self, config: &ChannelConfig, deposit: &Deposit) -> Result<(), PaymentsError> {
        let (_, call) = self.deposit_call(config, deposit)?;
        if self.token.balance_of(config.payer).await?.0 < deposit.amount {
            let refusal = PaymentRefusal::new(reason::BATCH_BALANCE, "the payer has less than that");
            return Err(refusal.by(config.payer).into());
        }
        self.simulate(&call, reason::BATCH_DEPOSIT_SIMULATION).await
    }

    /// Makes the deposit once, and returns its transaction when it counts: not reverted, deep enough, and the money in
    /// the channel.
    pub async fn deposit(&self, config: &ChannelConfig, deposit: &Deposit) -> Result<B256, PaymentsError> {
        let (purpose, call) = self.deposit_call(config, deposit)?;
        let id = config.id(&self.separator);
        let receipt =
            self.send(&purpose, &call, reason::BATCH_DEPOSIT_SIMULATION, reason::BATCH_DEPOSIT_FAILED).await?;
        let brought = |log: Deposited| log.channelId == id && log.amount == deposit.amount;
        self.seen(&receipt, brought, reason::BATCH_DEPOSIT_FAILED, "the channel did not get the money")
    }

    /// The call that claims rows for their authorizer, whose signature over all of them comes along; and its purpose.
    pub fn claim_call(&self, rows: &[VoucherClaim], signature: Bytes) -> Result<(String, Call), PaymentRefusal> {
        if rows.is_empty() || rows.len() > CLAIM_ROWS_MAX {
            let message = format!("a claim has 1 to {CLAIM_ROWS_MAX} rows");
            return Err(PaymentRefusal::new(reason::BATCH_CLAIM_SIMULATION, message));
        }
        let claims: Vec<_> = rows.iter().map(claim_of).collect();
        let call = calls::claim_with_signature(self.channels.address(), &claims, signature);
        Ok((self.claim_purpose(rows), call.with_gas(claim_gas(rows.len()))))
    }

    /// Claims rows for their authorizer, once.
    pub async fn claim_signed(&self, rows: &[VoucherClaim], signature: Bytes) -> Result<B256, PaymentsError> {
        let (purpose, call) = self.claim_call(rows, signature)?;
        let receipt = self.send(&purpose, &call, reason::BATCH_CLAIM_SIMULATION, reason::BATCH_CLAIM_FAILED).await?;
        self.seen(&receipt, |_: Claimed| true, reason::BATCH_CLAIM_FAILED, "nothing was claimed")
    }

    /// Claims rows with our own key, which is their authorizer or receiver. Each row is tried alone first; bad ones stay
    /// out, so that one channel cannot keep the others unpaid. Returns the ids of the channels that were claimed.
    pub async fn claim(&self, rows: &[VoucherClaim]) -> Result<Vec<B256>, PaymentsError> {
        let (from, at) = (self.sender.teller().address(), self.channels.address());
        let mut good = Vec::new();
        for row in rows.iter().take(CLAIM_ROWS_MAX) {
            let alone = calls::claim(at, &[claim_of(row)]).with_gas(claim_gas(1));
            match self.token.chain().simulate(from, &alone).await {
                Ok(_) => good.push(row.clone()),
                Err(error @ ChainError::Reverted(_)) => {
                    tracing::warn!(%error, payer = %row.voucher.channel.payer, "a row of a claim is left out");
                }
                Err(error) => return Err(error.into()),
            }
        }
        if good.is_empty() {
            return Ok(Vec::new());
        }
        let claims: Vec<_> = good.iter().map(claim_of).collect();
        let call = calls::claim(at, &claims).with_gas(claim_gas(claims.len()));
        let sent = self.sender.carry_out(&self.claim_purpose(&good), &call).await;
        let receipt = Self::mined(sent, reason::BATCH_CLAIM_SIMULATION, reason::BATCH_CLAIM_FAILED)?;
        Ok(self.logged::<Claimed>(&receipt).map(|log| log.channelId).collect())
    }

    /// The call that gives money back with the signature of the receiver's authorizer, and its purpose.
    #[must_use]
    pub fn refund_call(&self, config: &ChannelConfig, amount: u128, nonce: u128, signature: Bytes) -> (String, Call) {
        let id = config.id(&self.separator);
        let at = self.channels.address();
        let call = calls::refund_with_signature(at, &config.typed(), amount, U256::from(nonce), signature);
        (format!("refund:{}:{id}:{nonce}", self.token.chain().id()), call.with_gas(REFUND_GAS))
    }

    /// Gives money back with the signature of the receiver's authorizer, once.
    pub async fn refund(
        &self,
        config: &ChannelConfig,
        amount: u128,
        nonce: u128,
        signature: Bytes,
    ) -> Result<B256, PaymentsError> {
        let id = config.id(&self.separator);
        let (purpose, call) = self.refund_call(config, amount, nonce, signature);
        let failed = reason::BATCH_REFUND_FAILED;
        let receipt = self.send(&purpose, &call, reason::BATCH_REFUND_SIMULATION, failed).await?;
        // The contract gives back what is left where less than the amount is left, or nothing at all.
        self.seen(&receipt, |log: Refunded| log.channelId == id && log.amount > 0, failed, "nothing was given back")
    }

    /// Gives money back with our own key, which is the receiver's authorizer; the newest voucher is claimed in the same
    /// call where there is one to claim.
    pub async fn close(&self, state: &ChannelState, amount: u128) -> Result<B256, PaymentsError> {
        let at = self.channels.address();
        let row = crate::channel::row_of(state);
        let call = match &row {
            Some(row) => calls::close(at, &claim_of(row), amount, Bytes::new()),
            None => calls::refund(at, &state.config.typed(), amount),
        };
        let failed = reason::BATCH_REFUND_FAILED;
        let call = call.with_gas(REFUND_GAS + CLAIM_GAS + CLAIM_ROW_GAS);
        let sent = self.sender.carry_out(&self.close_purpose(state), &call).await;
        let receipt = Self::mined(sent, reason::BATCH_REFUND_SIMULATION, failed)?;
        self.seen(&receipt, |log: Refunded| log.channelId == state.id, failed, "nothing was given back")
    }

    /// What became of the last [`close`](Self::close) of a channel as it stands, as far as that is known now; nothing when
    /// none was begun.
    pub async fn closing(&self, state: &ChannelState) -> Result<Option<Sent>, PaymentsError> {
        self.sender.peek(&self.close_purpose(state)).await
    }

    fn close_purpose(&self, state: &ChannelState) -> String {
        format!("refund:{}:{}:{}", self.token.chain().id(), state.id, state.refund_nonce)
    }

    /// Whether a call would succeed now; `code` where it would not.
    pub(super) async fn simulate(&self, call: &Call, code: &'static str) -> Result<(), PaymentsError> {
        match self.token.chain().simulate(self.sender.teller().address(), call).await {
            Ok(_) => Ok(()),
            Err(error @ ChainError::Reverted(_)) => Err(PaymentRefusal::new(code, error.to_string()).into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn send(
        &self,
        purpose: &str,
        call: &Call,
        refused: &'static str,
        failed: &'static str,
    ) -> Result<Receipt, PaymentsError> {
        Self::mined(self.sender.carry_out_spare(purpose, call).await, refused, failed)
    }

    fn mined(
        sent: Result<Sent, PaymentsError>,
        refused: &'static str,
        failed: &'static str,
    ) -> Result<Receipt, PaymentsError> {
        match sent {
            Ok(Sent::Done(receipt)) => Ok(*receipt),
            Ok(Sent::Reverted { tx }) => Err(PaymentRefusal::new(failed, format!("transaction {tx} failed")).into()),
            Ok(Sent::Unknown { tx }) => Err(PaymentsError::Unknown { tx }),
            Err(PaymentsError::Chain(error @ ChainError::Reverted(_))) => {
                Err(PaymentRefusal::new(refused, error.to_string()).into())
            }
            Err(error) => Err(error),
        }
    }

    fn logged<'a, E: SolEvent + 'a>(&'a self, receipt: &'a Receipt) -> impl Iterator<Item = E> + 'a {
        let ours = receipt.logs.iter().filter(|log| log.address == self.channels.address());
        ours.filter_map(|log| E::decode_raw_log_validate(log.topics.iter().copied(), &log.data).ok())
    }

    fn seen<E: SolEvent>(
        &self,
        receipt: &Receipt,
        wanted: impl Fn(E) -> bool,
        code: &'static str,
        message: &str,
    ) -> Result<B256, PaymentsError> {
        if self.logged::<E>(receipt).any(wanted) {
            return Ok(tx_of(receipt));
        }
        Err(PaymentRefusal::new(code, message).into())
    }

    /// Names a batch of rows: claimed once.
    fn claim_purpose(&self, rows: &[VoucherClaim]) -> String {
        let entries = rows.iter().map(|row| typed::ClaimEntry {
            channelId: row.voucher.channel.id(&self.separator),
            maxClaimableAmount: row.voucher.max_claimable_amount,
            totalClaimed: row.total_claimed,
        });
        let digest = typed::digest(&self.separator, &typed::ClaimBatch { claims: entries.collect() });
        format!("claim:{}:{digest}", self.token.chain().id())
    }
}

fn claim_of(row: &VoucherClaim) -> calls::Claim {
    calls::Claim {
        channel: row.voucher.channel.typed(),
        max_claimable: row.voucher.max_claimable_amount,
        signature: row.signature.0.into(),
        total_claimed: row.total_claimed,
    }
}

fn claim_gas(rows: usize) -> u64 {
    CLAIM_GAS + CLAIM_ROW_GAS * u64::try_from(rows).unwrap_or(u64::MAX / CLAIM_ROW_GAS / 2)
}

fn tx_of(receipt: &Receipt) -> B256 {
    receipt.logs.first().map_or(B256::ZERO, |log| log.tx)
}
