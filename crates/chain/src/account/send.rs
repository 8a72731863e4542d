//! From a call to its receipt: simulate, price, sign, broadcast, wait.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::{BlockId, eip2718::Encodable2718, eip2930::AccessList},
    primitives::{Address, B256, Bytes, TxKind, U256},
    providers::Provider,
    rpc::types::{TransactionReceipt, TransactionRequest},
    sol_types::SolCall,
};

use super::{
    flight::{Fees, Flight, Signed},
    lane::Lane,
};
use crate::{Call, Chain, ChainError, MarketRevert, SendConfig, Wallet, chain::Rejection};

/// Gas granted over the estimate, in percent: another call may come first in the block and make this one dearer.
const GAS_MARGIN_PCT: u64 = 25;
/// Nodes replace a pooled transaction only for at least 10% more; 12.5% is what every client accepts.
const BUMP_DIVISOR: u128 = 8;
/// How often a nonce that turns out to be taken is exchanged for another before giving up.
const NONCE_TRIES: u32 = 5;
/// The first look for a receipt comes after this; later ones double up to the poll interval.
const FIRST_LOOK: Duration = Duration::from_millis(4);
/// Without a new block a receipt is looked for every so many turns: it may have been there a moment too late.
const UNLOOKED_MAX: u32 = 20;
/// A nonce that is used up while no receipt can be found is looked at so often before it counts as lost: behind one
/// endpoint there may be nodes that are not equally far.
const REPLACED_LOOKS: u32 = 4;

/// One call to send.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    /// `None` creates a contract.
    pub(crate) to: Option<Address>,
    pub(crate) input: Bytes,
    /// Gas that it gets, when that is known better than an estimate would.
    pub(crate) gas: Option<u64>,
}

impl Action {
    /// Creates a contract.
    pub(crate) fn create(input: Bytes) -> Self {
        Self { to: None, input, gas: None }
    }

    /// Calls one.
    pub(crate) fn call<C: SolCall>(to: Address, call: &C) -> Self {
        Self { to: Some(to), input: call.abi_encode().into(), gas: None }
    }
}

impl From<&Call> for Action {
    fn from(call: &Call) -> Self {
        Self { to: Some(call.to), input: call.input.clone(), gas: call.gas }
    }
}

/// Sends with one key. Clones share the lane.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) chain: Chain,
    pub(crate) wallet: Wallet,
    lane: Arc<Lane>,
    config: SendConfig,
}

impl Sender {
    pub(crate) fn new(chain: Chain, wallet: Wallet, config: SendConfig) -> Self {
        let lane = chain.lane(wallet.address());
        Self { chain, wallet, lane, config }
    }

    /// Sends and waits until it is mined. Any error but `NotMined` means that nothing was or will be done.
    pub(crate) async fn send(&self, call: Action) -> Result<TransactionReceipt, ChainError> {
        let flight = self.begin(call).await?;
        self.finish(flight).await
    }

    /// Sends without waiting.
    pub(crate) async fn begin(&self, call: Action) -> Result<Flight, ChainError> {
        let (gas, fees) = tokio::try_join!(self.estimate(&call), self.fees())?;
        self.launch(call, gas, fees).await
    }

    /// Waits until it is mined.
    pub(crate) async fn finish(&self, mut flight: Flight) -> Result<TransactionReceipt, ChainError> {
        let receipt = self.land(&mut flight).await?;
        self.lane.forget(flight.nonce());
        if receipt.status() {
            return Ok(receipt);
        }
        let mined_in = receipt.block_number.unwrap_or_default();
        Err(self.explain(&flight.call, receipt.transaction_hash, mined_in).await)
    }

    /// Runs the call as it would run now; a revert ends it here, before it costs anything.
    async fn estimate(&self, call: &Action) -> Result<u64, ChainError> {
        let chain = &self.chain;
        chain.admit(&self.wallet).await?;
        if let Some(gas) = call.gas {
            let request = self.request(call).gas_limit(gas);
            return chain.run(request, BlockId::pending()).await.map(|_| gas);
        }
        let estimate = chain.provider().estimate_gas(self.request(call)).block(BlockId::pending()).await;
        let gas = estimate.map_err(|error| chain.failed("eth_estimateGas", error))?;
        Ok(gas.saturating_add(gas.saturating_mul(GAS_MARGIN_PCT) / 100))
    }

    fn request(&self, call: &Action) -> TransactionRequest {
        let to = call.to.map_or(TxKind::Create, TxKind::Call);
        let request = TransactionRequest { to: Some(to), ..TransactionRequest::default() };
        request.from(self.wallet.address()).input(call.input.clone().into())
    }

    async fn fees(&self) -> Result<Fees, ChainError> {
        let now = self.chain.provider().estimate_eip1559_fees().await;
        let now = now.map_err(|error| self.chain.failed("eth_feeHistory", error))?;
        let (max, limit) = (now.max_fee_per_gas, self.config.max_fee_per_gas);
        // The estimate leaves room for the base fee to double, so half of it may still be mined.
        if max / 2 > limit {
            return Err(ChainError::FeeTooHigh { asked: max / 2, limit });
        }
        let max = max.min(limit);
        Ok(Fees { max, tip: now.max_priority_fee_per_gas.min(max) })
    }

    /// Gives the call a nonce and hands it to the node.
    async fn launch(&self, call: Action, gas: u64, fees: Fees) -> Result<Flight, ChainError> {
        let mut next = self.lane.next.lock().await;
        if self.lane.is_idle() {
            *next = self.pending_nonce().await?;
        }
        let mut tries = 0;
        loop {
            let nonce = *next;
            let signed = self.sign(&call, nonce, gas, fees)?;
            // Taken before it goes out: whatever becomes of this future, the nonce counts as used.
            let ticket = self.lane.enter(nonce, signed.raw.clone());
            *next = nonce + 1;
            let known = match self.chain.broadcast(&signed.raw).await {
                Ok(()) => true,
                Err(Rejection::Unknown(error)) => {
                    tracing::debug!(%error, tx = %signed.hash, "a transaction may or may not have reached the node");
                    false
                }
                Err(Rejection::NonceUsed | Rejection::Underpriced) if tries < NONCE_TRIES => {
                    // Used by this very transaction, if an answer was lost on the way; who cannot tell waits for it.
                    if matches!(self.chain.receipt(signed.hash).await, Ok(None)) {
                        tries += 1;
                        self.lane.forget(nonce);
                        *next = self.pending_nonce().await?.max(nonce + 1);
                        continue;
                    }
                    true
                }
                Err(rejection) => {
                    self.lane.forget(nonce);
                    *next = nonce;
                    return Err(self.rejected(rejection).await);
                }
            };
            let now = Instant::now();
            let resend_after = if known { self.config.resend_every } else { self.chain.config().poll };
            return Ok(Flight {
                ticket,
                call,
                gas,
                offers: vec![signed],
                began: now,
                bump_at: now + self.config.bump_after,
                resend_at: now + resend_after,
                lost_looks: 0,
            });
        }
    }

    /// Signs a call at this nonce and sends nothing. Whoever sends it numbers this key's transactions.
    pub(crate) async fn prepare(&self, call: &Action, nonce: u64) -> Result<(B256, Bytes), ChainError> {
        let (gas, fees) = tokio::try_join!(self.estimate(call), self.fees())?;
        let Signed { hash, raw, .. } = self.sign(call, nonce, gas, fees)?;
        Ok((hash, raw))
    }

    /// The same at more than was `paid` for a unit of gas, in all and to the block's builder.
    pub(crate) async fn prepare_dearer(
        &self,
        call: &Action,
        nonce: u64,
        gas: u64,
        paid: (u128, u128),
    ) -> Result<(B256, Bytes), ChainError> {
        let fees = dearer(Fees { max: paid.0, tip: paid.1 }, self.fees().await?);
        let limit = self.config.max_fee_per_gas;
        if fees.max > limit {
            return Err(ChainError::FeeTooHigh { asked: fees.max, limit });
        }
        let Signed { hash, raw, .. } = self.sign(call, nonce, gas, fees)?;
        Ok((hash, raw))
    }

    pub(crate) async fn rejected(&self, rejection: Rejection) -> ChainError {
        let what = "eth_sendRawTransaction";
        match rejection {
            Rejection::Poor => {
                let account = self.wallet.address();
                let balance = self.chain.balance(account).await.unwrap_or_default();
                ChainError::InsufficientGas { account, balance }
            }
            Rejection::NonceUsed | Rejection::Underpriced => {
                ChainError::Refused { what, message: "every nonce tried was taken by another program".into() }
            }
            Rejection::Unknown(error) | Rejection::Other(error) => error,
        }
    }

    async fn pending_nonce(&self) -> Result<u64, ChainError> {
        let count = self.chain.provider().get_transaction_count(self.wallet.address()).pending().await;
        count.map_err(|error| self.chain.failed("eth_getTransactionCount", error))
    }

    fn sign(&self, call: &Action, nonce: u64, gas: u64, fees: Fees) -> Result<Signed, ChainError> {
        let mut unsigned = TxEip1559 {
            chain_id: self.chain.id(),
            nonce,
            gas_limit: gas,
            max_fee_per_gas: fees.max,
            max_priority_fee_per_gas: fees.tip,
            to: call.to.map_or(TxKind::Create, TxKind::Call),
            value: U256::ZERO,
            access_list: AccessList::default(),
            input: call.input.clone(),
        };
        let signature =
            self.wallet.transactions().sign_transaction_sync(&mut unsigned).map_err(|_| ChainError::BadKey)?;
        let envelope = TxEnvelope::from(unsigned.into_signed(signature));
        Ok(Signed { hash: *envelope.tx_hash(), raw: envelope.encoded_2718().into(), fees })
    }

    /// Waits for the receipt, handing the transaction in again and raising its fee when it is time.
    async fn land(&self, flight: &mut Flight) -> Result<TransactionReceipt, ChainError> {
        let settings = self.chain.config();
        let (poll, limit) = (settings.poll, settings.receipt_timeout);
        let mut pause = FIRST_LOOK;
        let (mut looked_at, mut unlooked) = (None, 0);
        loop {
            let mut news = self.chain.old_news();
            // Until the poll interval is reached each turn looks for the receipt; from then on only a new block calls
            // for a look, or many turns without one.
            let head = if pause < poll { None } else { self.chain.recent_head().await.ok().map(|head| head.hash) };
            unlooked += 1;
            if head.is_none() || head != looked_at || unlooked >= UNLOOKED_MAX {
                (looked_at, unlooked) = (head, 0);
                match self.find(flight).await {
                    Ok(Some(receipt)) => return Ok(receipt),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::debug!(%error, "looking for a receipt");
                        looked_at = None;
                    }
                }
            }
            let waited = flight.began.elapsed();
            if waited >= limit {
                return Err(ChainError::NotMined { tx: flight.newest().hash, waited });
            }
            self.nudge(flight).await?;
            news.within(pause.min(limit.saturating_sub(waited))).await;
            pause = (pause * 2).min(poll);
        }
    }

    /// The receipt of any of the offers, once it lies deep enough.
    async fn find(&self, flight: &Flight) -> Result<Option<TransactionReceipt>, ChainError> {
        for offer in flight.offers.iter().rev() {
            let Some(receipt) = self.chain.receipt(offer.hash).await? else {
                continue;
            };
            let confirmations = self.chain.config().confirmations;
            let deep = match receipt.block_number {
                Some(number) if confirmations > 1 => {
                    self.chain.recent_head().await?.number + 1 >= number + confirmations
                }
                Some(_) => true,
                None => false,
            };
            return Ok(deep.then_some(receipt));
        }
        Ok(None)
    }

    /// Hands it in again or raises the fee, when that is due. It never fails for want of an answer: the transaction is
    /// out, so all that can be said then is that its outcome is not known.
    async fn nudge(&self, flight: &mut Flight) -> Result<(), ChainError> {
        let now = Instant::now();
        if now >= flight.bump_at {
            flight.bump_at = now + self.config.bump_after;
            if let Some(offer) = self.raise(flight).await? {
                flight.ticket.replace(offer.raw.clone());
                flight.offers.push(offer);
                flight.resend_at = now;
            }
        }
        if now < flight.resend_at {
            return Ok(());
        }
        flight.resend_at = now + self.config.resend_every;
        if let Some((nonce, raw)) = self.lane.lowest(flight.ticket.nonce)
            && nonce != flight.ticket.nonce
            && matches!(self.chain.broadcast(&raw).await, Err(Rejection::NonceUsed))
        {
            self.lane.forget(nonce);
        }
        match self.chain.broadcast(&flight.newest().raw).await {
            Err(Rejection::NonceUsed) => {
                flight.lost_looks += 1;
                flight.resend_at = now + self.chain.config().poll;
                if flight.lost_looks >= REPLACED_LOOKS && matches!(self.find_any(flight).await, Ok(None)) {
                    return Err(ChainError::Replaced { tx: flight.newest().hash });
                }
            }
            Err(Rejection::Other(error) | Rejection::Unknown(error)) => {
                tracing::debug!(%error, "handing in again");
            }
            Ok(()) | Err(Rejection::Underpriced | Rejection::Poor) => {}
        }
        Ok(())
    }

    /// A receipt of any offer at any depth.
    async fn find_any(&self, flight: &Flight) -> Result<Option<TransactionReceipt>, ChainError> {
        for offer in flight.offers.iter().rev() {
            if let Some(receipt) = self.chain.receipt(offer.hash).await? {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    /// The same call at the same nonce for an eighth more, or for what blocks ask now if that is more; `None` when
    /// the limits forbid it.
    async fn raise(&self, flight: &Flight) -> Result<Option<Signed>, ChainError> {
        let bumps = flight.offers.len().saturating_sub(1);
        if bumps >= usize::try_from(self.config.bumps_max).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let before = flight.newest().fees;
        let fees = dearer(before, self.fees().await.unwrap_or(before));
        if fees.max > self.config.max_fee_per_gas {
            return Ok(None);
        }
        tracing::info!(nonce = flight.ticket.nonce, max_fee_wei = fees.max, "raising the fee of a stuck transaction");
        self.sign(&flight.call, flight.ticket.nonce, flight.gas, fees).map(Some)
    }

    /// Why a mined transaction reverted: the call is run again on the block below its own, then on its own.
    pub(crate) async fn explain(&self, call: &Action, tx: B256, mined_in: u64) -> ChainError {
        for block in [mined_in.saturating_sub(1), mined_in] {
            match self.chain.run(self.request(call), BlockId::number(block)).await {
                Err(error @ ChainError::Reverted(_)) => return error,
                Err(error) => tracing::debug!(%error, "running a reverted call again"),
                Ok(_) => {}
            }
        }
        ChainError::Reverted(MarketRevert::Unexplained(tx))
    }
}

/// An eighth more than before, or what blocks ask now if that is more.
fn dearer(before: Fees, now: Fees) -> Fees {
    let more = |fee: u128| fee.saturating_add(fee / BUMP_DIVISOR).saturating_add(1);
    Fees { max: more(before.max).max(now.max), tip: more(before.tip).max(now.tip) }
}
