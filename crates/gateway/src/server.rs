//! Accepts connections: so many at once, each with a time to say what it wants.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{Router, extract::Request};
use hyper::{
    body::Incoming,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{config::Limits, http::Peer};

mod stall;
use stall::Stall;

/// After a failed accept, as when no file handle is left, others get this long to end.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(200);

/// Serves `router` until `shutdown`, then lets requests under way end.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: &Limits, shutdown: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let open = TaskTracker::new();
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head_within);
    let accept_all = async {
        loop {
            // Who finds no place waits in the listener's queue; the semaphore is never closed.
            let Ok(place) = places.clone().acquire_owned().await else {
                return;
            };
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(AFTER_FAILED_ACCEPT).await;
                    continue;
                }
            };
            // News are small and wait for nothing; where it cannot be set they come a little later.
            let _ = stream.set_nodelay(true);
            let stream = Stall::new(stream, limits.write_within);
            let connection = connection(builder.clone(), stream, peer.ip(), router.clone(), shutdown.clone());
            open.spawn(async move {
                connection.await;
                drop(place);
            });
        }
    };
    shutdown.run_until_cancelled(accept_all).await;
    drop(listener);
    open.close();
    if timeout(limits.shutdown_within, open.wait()).await.is_err() {
        tracing::warn!(open = open.len(), "some requests did not end in time");
    }
}

async fn connection(
    builder: Builder<TokioExecutor>,
    stream: Stall<TcpStream>,
    peer: IpAddr,
    router: Router,
    shutdown: CancellationToken,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.call(request)
    });
    let mut connection = std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection broke");
    }
}
