//! The contract that holds the channels: read, claimed from and closed with this agent's own key and gas.

use alloy_primitives::{Address, B256, Bytes};
use chain::calls::x402::{self, Claim};
use chain::{Account, Call, Channels, SendConfig, Tills};
use wire::x402::{ChannelConfig, typed};

use super::channel::{Channel, OnChain};
use crate::AgentError;
use crate::config::LeaseConfig;
use crate::host::{Host, wall};

/// The contract and the keys that may claim there.
#[derive(Clone)]
pub(crate) struct Escrow {
    channels: Channels,
    /// This agent's key first, then those it had before.
    accounts: Vec<Account>,
    token: Address,
    receiver: Address,
    separator: B256,
    /// It is our own deployment, which passes over bad rows and closes in one call.
    extended: bool,
}

impl std::fmt::Debug for Escrow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Escrow({})", self.channels.address())
    }
}

impl Escrow {
    pub(crate) async fn open(host: &Host, config: &LeaseConfig) -> Result<Self, AgentError> {
        let chain = host.market.chain().clone();
        let separator = typed::batch_domain(chain.id(), config.contract).separator();
        let channels = Channels::open(chain, config.contract).await?;
        let former = config.former.iter();
        let former = former.map(|key| Account::new(host.market.clone(), key.clone(), SendConfig::default()));
        let accounts = std::iter::once(host.account.clone()).chain(former).collect();
        let listed = host.market.resource(host.resource).await?;
        let listed = listed.ok_or(AgentError::NotListed { agent: host.account.address() })?;
        let tills = Tills::open(host.market.chain().clone(), config.tills).await?;
        let (token, receiver) = (host.market.token(), tills.till_of(listed.provider_id).await?);
        Ok(Self { channels, accounts, token, receiver, separator, extended: config.extended })
    }

    pub(super) fn token(&self) -> Address {
        self.token
    }

    /// The provider's till.
    pub(super) fn receiver(&self) -> Address {
        self.receiver
    }

    /// Of the contract's EIP-712 domain.
    pub(super) fn separator(&self) -> &B256 {
        &self.separator
    }

    /// A channel as the contract has it now.
    pub(super) async fn read(&self, id: B256) -> Result<OnChain, AgentError> {
        let at = wall();
        // First the announcement: a withdrawal that is over between the questions has lowered the balance.
        let pending = self.channels.pending_withdrawal(id).await?;
        let nonce = self.channels.refund_nonce(id).await?;
        let channel = self.channels.channel(id).await?;
        Ok(OnChain {
            balance: channel.balance,
            claimed: channel.claimed,
            withdraw_at: pending.map(|pending| pending.announced_at.0),
            refund_nonce: nonce.saturating_to(),
            at,
        })
    }

    /// The key that may claim from a channel; nothing where this agent never had it.
    fn key(&self, config: &ChannelConfig) -> Option<&Account> {
        self.accounts.iter().find(|account| account.address() == config.receiver_authorizer)
    }

    /// Whether new vouchers are taken for a channel: it is this key's, not one's that it had before.
    pub(super) fn is_current(&self, config: &ChannelConfig) -> bool {
        self.accounts.first().is_some_and(|account| account.address() == config.receiver_authorizer)
    }

    /// Claims what is earned in these channels, and has it paid to the receiver.
    pub(super) async fn claim(&self, channels: &[Channel]) -> Result<(), AgentError> {
        for account in &self.accounts {
            let of_key = channels.iter().filter(|channel| channel.config.receiver_authorizer == account.address());
            let rows: Vec<Claim> = of_key.filter_map(row).collect();
            let calls: Vec<Call> = match self.extended {
                _ if rows.is_empty() => continue,
                true => vec![x402::claim_try(self.channels.address(), &rows)],
                false => {
                    rows.iter().map(|row| x402::claim(self.channels.address(), std::slice::from_ref(row))).collect()
                }
            };
            for call in calls {
                account.execute(&call).await?;
            }
            account.execute(&x402::settle(self.channels.address(), self.receiver, self.token)).await?;
        }
        for channel in channels.iter().filter(|channel| self.key(&channel.config).is_none()) {
            let key = channel.config.receiver_authorizer;
            tracing::error!(%key, "a channel is claimed with a key that this agent does not have; name it as a former one");
        }
        Ok(())
    }

    /// Claims what is earned, has it paid, and gives `refund` back. What came of it, the channel tells.
    pub(super) async fn close(&self, channel: &Channel, refund: u128) -> Result<Option<B256>, AgentError> {
        let at = self.channels.address();
        let Some(account) = self.key(&channel.config) else {
            return Err(AgentError::refused("the channel is claimed with a key that this agent does not have"));
        };
        let back = x402::refund(at, &channel.config.typed(), refund);
        let tx = match row(channel) {
            None if refund == 0 => return Ok(None),
            None => account.execute(&back).await?.tx,
            Some(row) if self.extended => account.execute(&x402::close(at, &row, refund, Bytes::new())).await?.tx,
            Some(row) => {
                account.execute(&x402::claim(at, std::slice::from_ref(&row))).await?;
                let settled = account.execute(&x402::settle(at, self.receiver, self.token)).await?.tx;
                if refund == 0 { settled } else { account.execute(&back).await?.tx }
            }
        };
        Ok(Some(tx))
    }
}

/// The row that claims everything that is earned; nothing where nothing is.
fn row(channel: &Channel) -> Option<Claim> {
    let signature = channel.signature.filter(|_| channel.unclaimed() > 0)?;
    Some(Claim {
        channel: channel.config.typed(),
        max_claimable: channel.signed_max,
        signature: Bytes::copy_from_slice(&signature.0),
        total_claimed: channel.claimable(),
    })
}
