//! Binding, serving and stopping.

use std::{net::SocketAddr, sync::Arc};

use chain::Market;
use content::BlockStore;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{GatewayConfig, GatewayError, http, server, state::State};

/// A gateway that has its address and does not serve yet.
pub struct Gateway {
    listener: TcpListener,
    local: SocketAddr,
    config: GatewayConfig,
    market: Market,
    store: Arc<BlockStore>,
}

impl Gateway {
    /// Takes the address, so that the caller knows the port before anything is served.
    pub async fn bind(config: GatewayConfig, market: Market, store: Arc<BlockStore>) -> Result<Self, GatewayError> {
        if config.public_url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            let reason = "give the address that agents dial, https://… or http://…".into();
            return Err(GatewayError::Malformed { field: "public_url".into(), reason });
        }
        let failed = |source| GatewayError::Bind { listen: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, local, config, market, store })
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
        let state = State::new(&self.config, self.market, self.store, ends.clone());
        let router = http::router(&state, &self.config);
        tracing::info!(listen = %self.local, "the gateway serves");
        server::serve(self.listener, router, &limits, ends).await;
        state.sockets.close();
        if timeout(limits.shutdown_within, state.sockets.wait()).await.is_err() {
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
    store: Arc<BlockStore>,
    shutdown: CancellationToken,
) -> Result<(), GatewayError> {
    Gateway::bind(config, market, store).await?.serve(shutdown).await
}
