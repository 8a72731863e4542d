//! Stores, nodes and reproducible bytes for the tests.

use std::sync::Arc;
use std::time::Duration;

use content::{BlockStore, Cid, ImportConfig, StoreConfig};
use exchange::{Multiaddr, Node, NodeConfig, Patience, PeerCounters, PeerId};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A node over a store of its own, listening on this machine.
pub(crate) struct Peer {
    pub(crate) node: Node,
    pub(crate) store: Arc<BlockStore>,
    _dir: TempDir,
}

impl Peer {
    pub(crate) async fn start() -> Self {
        Self::with(NodeConfig::default()).await
    }

    /// Listens over TCP where the configuration says nothing.
    pub(crate) async fn with(mut config: NodeConfig) -> Self {
        if config.listen.is_empty() {
            config.listen.push("/ip4/127.0.0.1/tcp/0".parse().unwrap());
        }
        let dir = TempDir::new().unwrap();
        let store = Arc::new(BlockStore::open(dir.path().join("store"), StoreConfig::default()).unwrap());
        let node = Node::start(config, store.clone()).await.unwrap();
        Self { node, store, _dir: dir }
    }

    /// Adds and pins a file.
    pub(crate) fn hold(&self, bytes: &[u8]) -> Cid {
        let cid = content::add_bytes(&self.store, bytes, &ImportConfig::default()).unwrap().cid;
        self.store.pin("test", &cid).unwrap();
        cid
    }

    pub(crate) fn address(&self) -> Multiaddr {
        self.node.addresses().remove(0)
    }

    pub(crate) fn file(&self, cid: &Cid) -> Vec<u8> {
        content::read_small(&self.store, cid, u64::MAX).unwrap().to_vec()
    }

    pub(crate) fn counted(&self, peer: PeerId) -> PeerCounters {
        self.node.counters().into_iter().find(|(other, _)| *other == peer).map(|(_, it)| it).unwrap_or_default()
    }
}

/// Patient enough for a busy machine, and not more than a test has time for.
pub(crate) fn hasty() -> NodeConfig {
    let patience = Patience { block: Duration::from_secs(1), give_up: Duration::from_secs(20), ..Patience::default() };
    NodeConfig { patience, ..NodeConfig::default() }
}

/// Serves everything, pinned or not.
pub(crate) fn generous() -> NodeConfig {
    NodeConfig { serves: Some(Arc::new(|_| true)), ..NodeConfig::default() }
}

/// Bytes that look random and are the same for the same seed (xorshift64*).
pub(crate) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = std::iter::repeat_with(|| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    });
    words.take(length.div_ceil(8)).flatten().take(length).collect()
}

/// Fails the test where something takes longer than it ever should.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.expect("it took too long")
}
