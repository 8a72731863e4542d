//! Binding, serving and stopping.

use std::{net::SocketAddr, sync::Arc};

use chain::Market;
use content::BlockStore;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{GatewayConfig, GatewayError, http, state::State};

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
    pub async fn bind(
        config: GatewayConfig,
        market: Market,
        store: Arc<BlockStore>,
    ) -> Result<Self, GatewayError> {
        let failed = |source| GatewayError::Bind {
            listen: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            local,
            config,
            market,
            store,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `shutdown`, then tells every socket, waits for a moment and returns.
    pub async fn serve(self, shutdown: CancellationToken) -> Result<(), GatewayError> {
        let state = State::new(self.config.limits.clone(), self.market, self.store);
        let router = http::router(&state, &self.config);
        tracing::info!(listen = %self.local, "the gateway serves");
        // Sockets end with the server, however it ends.
        let ends = state.shutdown.clone().drop_guard();
        let stop = {
            let (shutdown, ends) = (shutdown.clone(), state.shutdown.clone());
            async move {
                shutdown.cancelled().await;
                ends.cancel();
            }
        };
        let server = axum::serve(self.listener, router).with_graceful_shutdown(stop);
        let mut server = std::pin::pin!(server.into_future());
        let served = tokio::select! {
            served = &mut server => served,
            () = shutdown.cancelled() => {
                timeout(self.config.limits.shutdown_within, server).await.unwrap_or(Ok(()))
            }
        };
        drop(ends);
        state.sockets.close();
        if timeout(self.config.limits.shutdown_within, state.sockets.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                open = state.sockets.len(),
                "some sockets did not close in time"
            );
        }
        tracing::info!("the gateway stopped");
        served.map_err(|source| GatewayError::Serve { source })
    }
}

/// Binds and serves until `shutdown`.
pub async fn run(
    config: GatewayConfig,
    market: Market,
    store: Arc<BlockStore>,
    shutdown: CancellationToken,
) -> Result<(), GatewayError> {
    Gateway::bind(config, market, store)
        .await?
        .serve(shutdown)
        .await
}
