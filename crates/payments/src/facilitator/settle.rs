//! `/settle`: whatever moves money is sent once for each payment, and only then its gas is taken from somebody's budget.

use alloy_primitives::{Address, Bytes};
use chain::Call;
use market::Timestamp;
use wire::SignatureBytes;
use wire::x402::{
    BatchPayload, ChannelConfig, EXACT, FacilitatorRequest, Payment, Requirements, SettleResponse, VoucherClaim,
    VoucherFields, reason,
};

use super::batch::{CLAIM_GAS, CLAIM_ROW_GAS, DEPOSIT_GAS, REFUND_GAS, nothing_to_settle};
use super::{Batch, DAY_S, EXACT_GAS_TAKEN, Facilitator, answered, bound, kind, malformed, payload_of, stranger};
use crate::channel::{ChannelState, Desk};
use crate::exact::EXACT_GAS;
use crate::layer::REPEATED_FOR_S;
use crate::{PaymentRefusal, PaymentsError};

impl Facilitator {
    pub(super) async fn settled(
        &self,
        request: &FacilitatorRequest,
        now: Timestamp,
    ) -> Result<SettleResponse, PaymentsError> {
        let (payment, offer) = self.asked(request)?;
        if payment.scheme() == EXACT {
            return self.settle_exact(payment, &offer, now).await;
        }
        let (batch, desk) = self.batch_of(payment, &offer)?;
        match payload_of(payment)? {
            BatchPayload::Deposit { channel_config: config, voucher, deposit } => {
                let made @ (purpose, _) = &batch.deposit_call(&config, &deposit)?;
                if !batch.sender().begun(purpose).await? {
                    batch.check_deposit(&config, &voucher, &deposit, &offer, now)?;
                    self.worth(deposit.amount, DEPOSIT_GAS, reason::BATCH_MIN_DEPOSIT).await?;
                }
                let code = reason::BATCH_DEPOSIT_SIMULATION;
                self.afford(batch, config.payer, DEPOSIT_GAS, made, code, now).await?;
                let tx = batch.deposit(&config, &deposit).await?;
                let state = ChannelState::new(config, batch.separator());
                let state = desk.sync(&state, batch.look(state.id).await?, now.0).await?;
                Ok(answered(tx, &state, deposit.amount))
            }
            BatchPayload::Claim { claims, claim_authorizer_signature } => {
                let Some(signature) = claim_authorizer_signature else {
                    let message = "a claim needs claimAuthorizerSignature";
                    return Err(PaymentRefusal::new(reason::BATCH_CLAIM_SIMULATION, message).into());
                };
                let tx = self.claim(batch, &claims, signature, now).await?;
                Ok(SettleResponse { transaction: tx.to_string(), ..SettleResponse::default() })
            }
            BatchPayload::Settle { receiver, token } => self.pay_out(batch, receiver, token, now).await,
            BatchPayload::Refund {
                channel_config: config,
                voucher,
                amount,
                refund_nonce,
                claims,
                refund_authorizer_signature,
                claim_authorizer_signature,
            } => {
                batch.check_config(&config, &offer)?;
                let (Some(amount), Some(nonce), Some(leave)) = (amount, refund_nonce, refund_authorizer_signature)
                else {
                    let message = "a refund needs amount, refundNonce and refundAuthorizerSignature";
                    return Err(PaymentRefusal::new(reason::BATCH_REFUND_PAYLOAD, message).into());
                };
                let refund = Refund { config, voucher, amount, nonce, leave };
                if let (Some(signature), false) = (claim_authorizer_signature, claims.is_empty()) {
                    ChannelState::new(refund.config.clone(), batch.separator()).signed(&refund.voucher)?;
                    self.claim(batch, &claims, signature, now).await?;
                }
                self.refund(batch, desk, refund, now).await
            }
            BatchPayload::Voucher { .. } => Err(kind()),
        }
    }

    async fn settle_exact(
        &self,
        payment: &Payment,
        offer: &Requirements,
        now: Timestamp,
    ) -> Result<SettleResponse, PaymentsError> {
        let payload = payment.exact().map_err(|error| malformed(&error))?;
        let payer = payload.authorization.from;
        if !self.exact.begun(&payload).await? {
            self.worth(offer.amount, EXACT_GAS_TAKEN, reason::INVALID_REQUIREMENTS).await?;
            // A stranger must not use up the budget of the one that he names: the payment is verified first.
            match self.exact.verify(payment, offer, now).await {
                Ok(_) => self.budget(payer, EXACT_GAS, EXACT, now).await?,
                // Somebody submitted it already, and it is only looked for.
                Err(PaymentsError::Payment(refusal)) if refusal.code == reason::EXACT_NONCE_USED => {}
                Err(error) => return Err(error),
            }
        }
        let paid = self.exact.settle(payment, offer, bound(payment, offer), now).await?;
        if now.0.saturating_sub(paid.since.0) >= REPEATED_FOR_S {
            // Or a server that trusts this answer would serve for one payment for ever.
            let message = "this payment was settled long ago: sign a new one";
            return Err(PaymentRefusal::new(reason::EXACT_NONCE_USED, message).by(payer).into());
        }
        let (transaction, amount) = (paid.tx.to_string(), Some(paid.amount.to_string()));
        Ok(SettleResponse { transaction, amount, payer: Some(payer), ..SettleResponse::default() })
    }

    async fn claim(
        &self,
        batch: &Batch,
        claims: &[VoucherClaim],
        signature: SignatureBytes,
        now: Timestamp,
    ) -> Result<alloy_primitives::B256, PaymentsError> {
        if !claims.iter().all(|row| (self.receivers)(row.voucher.channel.receiver)) {
            return Err(stranger());
        }
        // Whose signature it is: nobody can use up the gas of another.
        let Some(payer) = claims.first().map(|row| row.voucher.channel.receiver_authorizer) else {
            return Err(malformed(&"a claim has rows"));
        };
        let signature = Bytes::from(signature.0);
        let made = batch.claim_call(claims, signature.clone())?;
        let rows = u64::try_from(claims.len()).unwrap_or(u64::MAX);
        let gas = CLAIM_GAS.saturating_add(CLAIM_ROW_GAS.saturating_mul(rows));
        self.afford(batch, payer, gas, &made, reason::BATCH_CLAIM_SIMULATION, now).await?;
        batch.claim_signed(claims, signature).await
    }

    async fn pay_out(
        &self,
        batch: &Batch,
        receiver: Address,
        token: Address,
        now: Timestamp,
    ) -> Result<SettleResponse, PaymentsError> {
        if !(self.receivers)(receiver) {
            return Err(stranger());
        }
        let payout = batch.payout(receiver, token).await?;
        // What was paid out by this total is told again; what somebody else paid out is nobody's gas.
        if !payout.open && !batch.sender().begun(&payout.purpose).await? {
            return Err(nothing_to_settle().into());
        }
        let made = (payout.purpose.clone(), payout.call.clone());
        let gas = chain::calls::x402::SETTLE_GAS;
        self.afford(batch, receiver, gas, &made, reason::BATCH_SETTLE_FAILED, now).await?;
        let (tx, amount) = batch.pay_out(&payout).await?;
        let amount = Some(amount.to_string());
        Ok(SettleResponse { transaction: tx.to_string(), amount, ..SettleResponse::default() })
    }

    async fn refund(
        &self,
        batch: &Batch,
        desk: &Desk,
        refund: Refund,
        now: Timestamp,
    ) -> Result<SettleResponse, PaymentsError> {
        let Refund { config, voucher, amount, nonce, leave } = refund;
        let state = ChannelState::new(config.clone(), batch.separator());
        state.signed(&voucher)?;
        let leave = Bytes::from(leave.0);
        let made = batch.refund_call(&config, amount, nonce, leave.clone());
        self.afford(batch, config.payer, REFUND_GAS, &made, reason::BATCH_REFUND_SIMULATION, now).await?;
        let tx = batch.refund(&config, amount, nonce, leave).await?;
        let state = desk.sync(&state, batch.look(state.id).await?, now.0).await?;
        Ok(answered(tx, &state, amount))
    }

    /// Takes the gas of a call out of a payer's budget, unless the call was made and is only asked about again. A call
    /// that would revert costs nobody anything.
    async fn afford(
        &self,
        batch: &Batch,
        payer: Address,
        gas: u64,
        (purpose, call): &(String, Call),
        refused: &'static str,
        now: Timestamp,
    ) -> Result<(), PaymentsError> {
        if batch.sender().begun(purpose).await? {
            return Ok(());
        }
        batch.simulate(call, refused).await?;
        self.budget(payer, gas, purpose, now).await
    }

    /// Takes gas out of a payer's budget of the day.
    async fn budget(&self, payer: Address, gas: u64, purpose: &str, now: Timestamp) -> Result<(), PaymentsError> {
        let day = now.0 / DAY_S;
        if self.store.spend_gas(payer, day, gas, self.limits.gas_of(payer)).await? {
            return Ok(());
        }
        tracing::info!(%payer, purpose, "a payer has used up the gas that is paid for him today");
        let message = "the gas that is paid for this payer today is used up: pay from a channel, or come back tomorrow";
        Err(PaymentRefusal::new(reason::GAS_BUDGET, message).by(payer).into())
    }
}

/// A refund that the receiver's authorizer signed.
struct Refund {
    config: ChannelConfig,
    voucher: VoucherFields,
    amount: u128,
    nonce: u128,
    leave: SignatureBytes,
}
