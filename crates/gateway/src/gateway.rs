//! Binding, serving and stopping.

use std::{net::SocketAddr, sync::Arc};

use chain::{Account, Market};
use content::BlockStore;
use indexer::Progress;
use store::Store;
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    GatewayConfig, GatewayError, board, collect, funding, gauges, http, orders, server,
    state::{Parts, State},
    watcher,
};

/// The keys that a gateway signs with. Without them it serves and relays all the same.
#[derive(Clone, Debug, Default)]
pub struct GatewayKeys {
    /// Watches over jobs that name it as their controller: signs Ready, counts beats, reports silence, and pays the gas
    /// of jobs that were authorised.
    pub watcher: Option<Account>,
}

/// A gateway that has its address and does not serve yet.
pub struct Gateway {
    listener: TcpListener,
    local: SocketAddr,
    config: GatewayConfig,
    parts: Parts,
}

impl Gateway {
    /// Takes the address, so that the caller knows the port before anything is served. `index` is the progress of the
    /// indexer that writes `store`.
    pub async fn bind(
        config: GatewayConfig,
        market: Market,
        blocks: Arc<BlockStore>,
        store: Store,
        index: watch::Receiver<Progress>,
        keys: GatewayKeys,
    ) -> Result<Self, GatewayError> {
        if config.public_url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            let reason = "give the address that agents dial, https://… or http://…".into();
            return Err(GatewayError::Malformed { field: "public_url".into(), reason });
        }
        let failed = |source| GatewayError::Bind { listen: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, local, config, parts: Parts { market, blocks, store, index, keys } })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `shutdown`, then tells every socket, waits for a moment and returns.
    pub async fn serve(self, shutdown: CancellationToken) -> Result<(), GatewayError> {
        let limits = self.config.limits.clone();
        // Connections are tasks of their own: they end too when this future is dropped.
        let ends = shutdown.child_token();
        let _guard = ends.clone().drop_guard();
        let state = State::new(&self.config, self.parts, ends.clone());
        let tasks = TaskTracker::new();
        // Nobody gets an empty list because he was the first to ask.
        let had = board::load(&state).await;
        tasks.spawn(board::follow(state.clone(), had));
        tasks.spawn(orders::follow(state.clone()));
        tasks.spawn(funding::run(state.clone()));
        tasks.spawn(gauges::run(state.clone()));
        tasks.spawn(collect::run(state.clone()));
        tasks.spawn(watcher::run(state.clone(), self.local));
        let router = http::router(&state, &self.config);
        tracing::info!(listen = %self.local, "the gateway serves");
        server::serve(self.listener, router, &limits, ends.clone()).await;
        ends.cancel();
        tasks.close();
        state.sockets.close();
        let ended = async { tokio::join!(state.sockets.wait(), tasks.wait()) };
        if timeout(limits.shutdown_within, ended).await.is_err() {
            tracing::warn!(open = state.sockets.len(), "some sockets did not close in time");
        }
        tracing::info!("the gateway stopped");
        Ok(())
    }
}

/// Binds and serves until `shutdown`.
pub async fn run(
    config: GatewayConfig,
    market: Market,
    blocks: Arc<BlockStore>,
    store: Store,
    index: watch::Receiver<Progress>,
    keys: GatewayKeys,
    shutdown: CancellationToken,
) -> Result<(), GatewayError> {
    Gateway::bind(config, market, blocks, store, index, keys).await?.serve(shutdown).await
}
