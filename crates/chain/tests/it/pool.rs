//! Looks into the chain's pool of transactions that are not mined.

use std::{collections::BTreeMap, time::Duration};

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::eip2718::Encodable2718,
    network::TxSignerSync,
    primitives::{Address, B256, TxKind, U128},
    providers::{Provider, RootProvider},
    rpc::client::RpcClient,
    signers::local::PrivateKeySigner,
};
use serde::Deserialize;
use testkit::{TestMarket, eventually};

/// Long for a look into a pool on this machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pooled {
    pub(crate) hash: B256,
    pub(crate) max_fee_per_gas: U128,
    pub(crate) max_priority_fee_per_gas: U128,
}

/// The transactions of `account` by nonce.
pub(crate) async fn of(t: &TestMarket, account: Address) -> BTreeMap<u64, Pooled> {
    #[derive(Debug, Deserialize)]
    struct Content {
        pending: BTreeMap<Address, BTreeMap<String, Pooled>>,
        queued: BTreeMap<Address, BTreeMap<String, Pooled>>,
    }
    let provider: RootProvider = RootProvider::new(RpcClient::new_http(t.dev.rpc()));
    let content: Content = provider.client().request_noparams("txpool_content").await.unwrap();
    let both = content.pending.into_iter().chain(content.queued);
    both.filter(|(who, _)| *who == account)
        .flat_map(|(_, list)| list)
        .map(|(nonce, pooled)| (nonce.parse().unwrap(), pooled))
        .collect()
}

/// Waits until the pool holds `count` transactions of `account`.
pub(crate) async fn wait_for(t: &TestMarket, account: Address, count: usize) -> BTreeMap<u64, Pooled> {
    eventually(LIMIT, async || Some(of(t, account).await).filter(|pool| pool.len() == count)).await
}

/// How many transactions of `account` are mined.
pub(crate) async fn mined(t: &TestMarket, account: Address) -> u64 {
    let provider: RootProvider = RootProvider::new(RpcClient::new_http(t.dev.rpc()));
    provider.get_transaction_count(account).await.unwrap()
}

/// Another program with the same key takes the place of a transaction in the pool.
pub(crate) async fn replace(t: &TestMarket, secret: &str, nonce: u64, fee: u128) {
    let key: PrivateKeySigner = secret.parse().unwrap();
    let mut unsigned = TxEip1559 {
        chain_id: t.chain.id(),
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: fee,
        max_priority_fee_per_gas: fee,
        to: TxKind::Call(key.address()),
        ..TxEip1559::default()
    };
    let signature = key.sign_transaction_sync(&mut unsigned).unwrap();
    let raw = TxEnvelope::from(unsigned.into_signed(signature)).encoded_2718();
    let provider: RootProvider = RootProvider::new(RpcClient::new_http(t.dev.rpc()));
    let _: B256 = *provider.send_raw_transaction(&raw).await.unwrap().tx_hash();
}
