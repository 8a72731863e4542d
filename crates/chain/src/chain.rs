//! One chain, reached over JSON-RPC: its head, balances, calls. Clones share connections and the head.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, U64, U256},
    providers::{Provider, RootProvider},
    rpc::{
        client::RpcClient,
        json_rpc::RpcError,
        types::{Filter, Log, TransactionReceipt, TransactionRequest},
    },
    sol_types::SolCall,
    transports::{
        TransportError,
        http::{Http, reqwest},
    },
};
use market::Timestamp;
use serde::Deserialize;
use tokio::sync::watch;

use crate::{
    Call, ChainConfig, ChainError, MarketRevert,
    account::Lane,
    config::POLLS_SKIPPED,
    heads::{Announced, Heads, News},
};

mod admit;
mod entry;
pub(crate) mod failure;
mod range;

pub(crate) use entry::Entry;

/// A block as far as anyone here needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Height.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// The hash of the block below.
    pub parent: B256,
    /// Block time.
    pub timestamp: Timestamp,
}

impl Block {
    /// Which block it is, and when.
    #[must_use]
    pub fn header(&self) -> BlockHeader {
        BlockHeader { number: self.number, hash: self.hash, timestamp: self.timestamp }
    }
}

/// Which block something stands in, and when that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// Height.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Block time.
    pub timestamp: Timestamp,
}

/// The fields of a block's answer that are used; the rest, often a hundred times as much, is skipped over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
}

impl From<Header> for Block {
    fn from(header: Header) -> Self {
        Self {
            number: header.number.to(),
            hash: header.hash,
            parent: header.parent_hash,
            timestamp: Timestamp(header.timestamp.to()),
        }
    }
}

/// A chain. Cheap to clone; clones share one connection pool, one view of the head and one nonce lane for each key.
#[derive(Clone)]
pub struct Chain(Arc<Shared>);

struct Shared {
    provider: RootProvider,
    config: ChainConfig,
    id: u64,
    head: tokio::sync::Mutex<Option<(Instant, Block)>>,
    heads: OnceLock<Heads>,
    lanes: Mutex<HashMap<Address, Arc<Lane>>>,
    development: tokio::sync::OnceCell<bool>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chain({} at {})", self.0.id, failure::host(&self.0.config.rpc))
    }
}

impl Chain {
    /// Connects and checks that it is the configured chain.
    pub async fn connect(config: ChainConfig) -> Result<Self, ChainError> {
        let local = failure::is_local(&config.rpc);
        let mut client = reqwest::Client::builder().timeout(config.request_timeout);
        if local {
            // A proxy that the environment names cannot reach this machine's loopback.
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| failure::unreachable(&config.rpc, &error))?;
        let provider = RootProvider::new(RpcClient::new(Http::with_client(client, config.rpc.clone()), local));
        let id = provider.get_chain_id().await.map_err(|error| failure::read(&config.rpc, "eth_chainId", error))?;
        match config.chain_id {
            Some(expected) if expected != id => {
                return Err(ChainError::WrongChain { expected, found: id });
            }
            _ => {}
        }
        Ok(Self(Arc::new(Shared {
            provider,
            config,
            id,
            head: tokio::sync::Mutex::new(None),
            heads: OnceLock::new(),
            lanes: Mutex::new(HashMap::new()),
            development: tokio::sync::OnceCell::new(),
        })))
    }

    /// The chain's id.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The settings that it was connected with.
    #[must_use]
    pub fn config(&self) -> &ChainConfig {
        &self.0.config
    }

    /// The newest block, asked for now.
    pub async fn head(&self) -> Result<Block, ChainError> {
        let mut seen = self.0.head.lock().await;
        let (asked, head) = self.fetch_head().await?;
        *seen = Some((asked, head));
        Ok(head)
    }

    /// The newest block as it was announced, or as of at most one poll interval ago: however many wait for it, one
    /// asks.
    pub(crate) async fn recent_head(&self) -> Result<Block, ChainError> {
        let mut seen = self.0.head.lock().await;
        let announced = self.announced().filter(|announced| announced.has_changed().is_ok());
        let announced = announced.map(|announced| *announced.borrow()).unwrap_or_default();
        let newer = announced.head.filter(|(at, _)| seen.is_none_or(|(asked, _)| *at > asked));
        *seen = newer.or(*seen);
        let patience = self.patience(&announced).mul_f64(0.9);
        match *seen {
            // What came before the announcements may have been followed by blocks that were not announced.
            Some((at, head)) if at.elapsed() < patience && announced.since.is_none_or(|since| at >= since) => Ok(head),
            _ => {
                let (asked, head) = self.fetch_head().await?;
                *seen = Some((asked, head));
                Ok(head)
            }
        }
    }

    /// Waits for new blocks; they are announced from the first call on, where somebody announces any.
    pub(crate) fn news(&self) -> News {
        News::of(self.announced())
    }

    /// The same, without asking anybody to begin announcing.
    pub(crate) fn old_news(&self) -> News {
        News::of(self.0.heads.get().map(Heads::announced))
    }

    /// New blocks as they are announced, from the first call on; `None` where nobody announces any.
    fn announced(&self) -> Option<watch::Receiver<Announced>> {
        let config = &self.0.config;
        let ws = config.ws.as_ref()?;
        let subscribe = || Heads::subscribe(ws.clone(), config.request_timeout);
        Some(self.0.heads.get_or_init(subscribe).announced())
    }

    /// How long nobody need ask for the newest block.
    pub(crate) fn patience(&self, announced: &Announced) -> Duration {
        let poll = self.0.config.poll;
        if announced.since.is_some() { poll * POLLS_SKIPPED } else { poll }
    }

    /// The newest block, and since when it may be outdated.
    async fn fetch_head(&self) -> Result<(Instant, Block), ChainError> {
        let what = "eth_getBlockByNumber";
        let missing = || ChainError::BadAnswer { what, message: "no newest block".into() };
        let asked = Instant::now();
        Ok((asked, self.header(what, "latest".to_owned()).await?.ok_or_else(missing)?))
    }

    /// The block of this height, `None` when the chain is shorter.
    pub async fn block(&self, number: u64) -> Result<Option<Block>, ChainError> {
        self.header("eth_getBlockByNumber", format!("{number:#x}")).await
    }

    /// The block of this hash, `None` when the node does not know it.
    pub async fn block_by_hash(&self, hash: B256) -> Result<Option<Block>, ChainError> {
        self.header("eth_getBlockByHash", hash.to_string()).await
    }

    /// What a unit of gas costs now, in wei, with what block builders take.
    pub async fn gas_price(&self) -> Result<u128, ChainError> {
        self.provider().get_gas_price().await.map_err(|error| self.failed("eth_gasPrice", error))
    }

    /// The newest block that the chain will never take back, by its own word (tag `finalized`).
    pub async fn finalized(&self) -> Result<Block, ChainError> {
        let what = "eth_getBlockByNumber";
        let missing = || ChainError::BadAnswer { what, message: "no finalized block".into() };
        self.header(what, "finalized".to_owned()).await?.ok_or_else(missing)
    }

    async fn header(&self, what: &'static str, which: String) -> Result<Option<Block>, ChainError> {
        let answer: Option<Header> = self.request(what, (which, false)).await?;
        Ok(answer.map(Block::from))
    }

    /// Native coin of `account`, in wei.
    pub async fn balance(&self, account: Address) -> Result<U256, ChainError> {
        self.0.provider.get_balance(account).await.map_err(|error| self.failed("eth_getBalance", error))
    }

    /// One request whose parameters and answer are as JSON has them.
    pub(crate) async fn request<P, R>(&self, what: &'static str, params: P) -> Result<R, ChainError>
    where
        P: alloy::rpc::json_rpc::RpcSend,
        R: alloy::rpc::json_rpc::RpcRecv,
    {
        self.0.provider.client().request(what, params).await.map_err(|error| self.failed(what, error))
    }

    /// Asks a view function, at the newest block or another.
    pub(crate) async fn call<C: SolCall>(&self, to: Address, call: &C, at: BlockId) -> Result<C::Return, ChainError> {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let answer = self.run(request, at).await?;
        C::abi_decode_returns(&answer)
            .map_err(|error| ChainError::BadAnswer { what: C::SIGNATURE, message: error.to_string() })
    }

    /// Runs a call as if `from` sent it in the next block, and sends nothing. A revert comes back decoded.
    pub async fn simulate(&self, from: Address, call: &Call) -> Result<Bytes, ChainError> {
        let request = TransactionRequest::default().from(from).with_to(call.to).with_input(call.input.clone());
        let request = call.gas.into_iter().fold(request, TransactionRequest::gas_limit);
        self.run(request, BlockId::pending()).await
    }

    /// Runs a request without sending it; a revert comes back decoded.
    pub(crate) async fn run(&self, request: TransactionRequest, at: BlockId) -> Result<Bytes, ChainError> {
        self.0.provider.call(request).block(at).await.map_err(|error| self.failed("eth_call", error))
    }

    /// The code at an address; empty for a plain key and where nothing is. A key that delegates (EIP-7702) has 23 bytes
    /// that begin with `0xef0100`.
    pub async fn code(&self, address: Address) -> Result<Bytes, ChainError> {
        let code = self.0.provider.get_code_at(address).block_id(BlockId::latest()).await;
        code.map_err(|error| self.failed("eth_getCode", error))
    }

    pub(crate) async fn find_logs(&self, filter: &Filter) -> Result<Vec<Log>, ChainError> {
        self.0.provider.get_logs(filter).await.map_err(|error| self.failed("eth_getLogs", error))
    }

    pub(crate) async fn receipt(&self, tx: B256) -> Result<Option<TransactionReceipt>, ChainError> {
        let what = "eth_getTransactionReceipt";
        self.0.provider.get_transaction_receipt(tx).await.map_err(|error| self.failed(what, error))
    }

    pub(crate) fn provider(&self) -> &RootProvider {
        &self.0.provider
    }

    pub(crate) fn failed(&self, what: &'static str, error: TransportError) -> ChainError {
        failure::read(&self.0.config.rpc, what, error)
    }

    /// The nonce lane of a key, the same for every clone.
    pub(crate) fn lane(&self, key: Address) -> Arc<Lane> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }
}

/// What a node said to a signed transaction that it did not take.
pub(crate) enum Rejection {
    /// The nonce is used up, by this transaction or by another.
    NonceUsed,
    /// The pool holds another transaction with this nonce that pays as much.
    Underpriced,
    /// The key has too little of the chain's coin.
    Poor,
    /// It cannot be told whether the node has it.
    Unknown(ChainError),
    /// Anything else; the node does not have it.
    Other(ChainError),
}

impl Chain {
    /// Hands a signed transaction to the node. That the node has it already is success.
    pub(crate) async fn broadcast(&self, raw: &[u8]) -> Result<(), Rejection> {
        let Err(error) = self.0.provider.send_raw_transaction(raw).await else {
            return Ok(());
        };
        let RpcError::ErrorResp(payload) = &error else {
            return Err(Rejection::Unknown(self.failed("eth_sendRawTransaction", error)));
        };
        let said = payload.message.to_lowercase();
        // The words of geth, reth, nethermind, erigon, besu and anvil.
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if says(&["already known", "already imported", "known transaction", "already exists", "alreadyknown"]) {
            return Ok(());
        }
        if says(&["nonce too low", "nonce is too low", "oldnonce", "old nonce"]) {
            return Err(Rejection::NonceUsed);
        }
        if says(&["underpriced", "replacement", "feetoolow"]) {
            return Err(Rejection::Underpriced);
        }
        if says(&["insufficient funds", "insufficientfunds", "insufficient balance", "upfront cost"]) {
            return Err(Rejection::Poor);
        }
        let failed = self.failed("eth_sendRawTransaction", error);
        Err(if failed.is_retryable() { Rejection::Unknown(failed) } else { Rejection::Other(failed) })
    }
}

impl From<Bytes> for MarketRevert {
    fn from(data: Bytes) -> Self {
        Self::decode(&data)
    }
}
