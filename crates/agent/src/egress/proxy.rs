//! An HTTP proxy for one job (RFC 9110, sections 7.1 and 9.3.6): `CONNECT` for everything encrypted, whole addresses for
//! plain HTTP. A name is looked up once for each connection, and the address that was checked is the one that is dialled,
//! so that an answer which changes in between (DNS rebinding) leads nowhere.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use wire::Destination;

use super::Mirrors;
use super::address::is_public;
use super::meter::{Allowance, Metered};
use crate::limits::{EGRESS_CONNECTIONS_MAX, EGRESS_DIAL_WITHIN, EGRESS_LOOKUP_WITHIN, EGRESS_REQUEST_WITHIN};

/// After a failed accept: usually this process is out of files for a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;
/// Headers between two neighbours (RFC 9110, section 7.6.1), and what clients tell proxies.
const HOP_BY_HOP: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authorization"),
    HeaderName::from_static("te"),
    HeaderName::from_static("upgrade"),
];

type Body = Either<Incoming, Full<Bytes>>;

/// The proxy of one job.
#[derive(Debug)]
pub(super) struct Proxy {
    allowed: Vec<Destination>,
    mirrors: Mirrors,
    left: Allowance,
    room: Arc<Semaphore>,
}

/// Why a connection is not made.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    NoHost,
    NotListed(String, u16),
    NotPublic(String),
    Unknown(String),
    Unreachable(String, String),
    UsedUp,
}

impl Proxy {
    /// A proxy to these hosts, for so many bytes in both directions together.
    pub(super) fn new(allowed: Vec<Destination>, mirrors: Mirrors, bytes: u64) -> Self {
        let room = Arc::new(Semaphore::new(EGRESS_CONNECTIONS_MAX));
        Self { allowed, mirrors, left: Allowance::new(bytes), room }
    }

    /// Serves until it is dropped; its connections end with it.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let over = CancellationToken::new();
        let _ends_all = over.clone().drop_guard();
        loop {
            // The semaphore is never closed.
            let Ok(permit) = self.room.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(self.clone().connection(stream, permit, over.clone()))),
                Err(error) => {
                    tracing::debug!(%error, "a job's connection was not taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, permit: OwnedSemaphorePermit, over: CancellationToken) {
        let permit = Arc::new(permit);
        let ends = over.clone();
        let service = hyper::service::service_fn(move |request| {
            let (proxy, permit, over) = (self.clone(), permit.clone(), over.clone());
            async move { Ok::<_, Infallible>(proxy.answer(request, permit, over).await) }
        });
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(EGRESS_REQUEST_WITHIN)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        if let Some(Err(error)) = ends.run_until_cancelled(served).await {
            tracing::debug!(%error, "a job's connection ended");
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        permit: Arc<OwnedSemaphorePermit>,
        over: CancellationToken,
    ) -> Response<Body> {
        let answered = if request.method() == Method::CONNECT {
            self.tunnel(request, permit, over).await
        } else {
            self.forward(request, over).await
        };
        answered.unwrap_or_else(|refusal| {
            tracing::info!(%refusal, "a job was kept from the network");
            let mut answer = Response::new(Either::Right(Full::from(format!("{refusal}\n"))));
            *answer.status_mut() = refusal.status();
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            answer
        })
    }

    /// Bytes in both directions, unread.
    async fn tunnel(
        &self,
        request: Request<Incoming>,
        permit: Arc<OwnedSemaphorePermit>,
        over: CancellationToken,
    ) -> Result<Response<Body>, Refusal> {
        let mut outside = self.dial(request.uri(), None).await?;
        tokio::spawn(over.run_until_cancelled_owned(async move {
            let _permit = permit;
            let Ok(inside) = hyper::upgrade::on(request).await else { return };
            if let Err(error) = tokio::io::copy_bidirectional(&mut TokioIo::new(inside), &mut outside).await {
                tracing::debug!(%error, "a job's tunnel ended");
            }
        }));
        Ok(Response::new(Either::Right(Full::default())))
    }

    /// One request of plain HTTP, to the host that its address names and no other.
    async fn forward(
        &self,
        mut request: Request<Incoming>,
        over: CancellationToken,
    ) -> Result<Response<Body>, Refusal> {
        if request.uri().scheme_str() != Some("http") {
            return Err(Refusal::NoHost);
        }
        let outside = self.dial(request.uri(), Some(80)).await?;
        let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let lost = |error: hyper::Error| Refusal::Unreachable(authority.clone(), error.to_string());
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(outside)).await.map_err(lost)?;
        tokio::spawn(over.run_until_cancelled_owned(connection));
        HOP_BY_HOP.iter().for_each(|name| drop(request.headers_mut().remove(name)));
        // The header that a server goes by says the same as the address that was checked.
        let host = HeaderValue::from_str(&authority).map_err(|_| Refusal::NoHost)?;
        request.headers_mut().insert(HOST, host);
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse::<Uri>().map_err(|_| Refusal::NoHost)?;
        let answer = sender.send_request(request).await.map_err(lost)?;
        Ok(answer.map(Either::Left))
    }

    /// A connection to a host that is allowed, at an address that is public.
    async fn dial(&self, uri: &Uri, usual: Option<u16>) -> Result<Metered<TcpStream>, Refusal> {
        let authority = uri.authority().ok_or(Refusal::NoHost)?;
        let port = authority.port_u16().or(usual).ok_or(Refusal::NoHost)?;
        let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
        if !self.allowed.iter().any(|destination| destination.covers(&host, port)) {
            return Err(Refusal::NotListed(host, port));
        }
        if self.left.is_used_up() {
            return Err(Refusal::UsedUp);
        }
        if let Some(mirror) = self.mirrors.get(&host) {
            return self.connect(&host, &[*mirror], false).await;
        }
        let found = look_up(&host, port).await?;
        let public = public(&host, found)?;
        self.connect(&host, &public, true).await
    }

    async fn connect(&self, host: &str, to: &[SocketAddr], elsewhere: bool) -> Result<Metered<TcpStream>, Refusal> {
        let unreachable = |error: io::Error| Refusal::Unreachable(host.to_owned(), error.to_string());
        let dialled = tokio::time::timeout(EGRESS_DIAL_WITHIN, TcpStream::connect(to)).await;
        let inner = dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(unreachable)?;
        // A machine speaks with itself from the very address that it dials: a public address of this machine.
        let own: (IpAddr, IpAddr) =
            (inner.local_addr().map_err(unreachable)?.ip(), inner.peer_addr().map_err(unreachable)?.ip());
        if elsewhere && own.0 == own.1 {
            return Err(Refusal::NotPublic(host.to_owned()));
        }
        Ok(Metered { inner, left: self.left.clone() })
    }
}

async fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
    let asked = tokio::time::timeout(EGRESS_LOOKUP_WITHIN, tokio::net::lookup_host((host, port))).await;
    match asked {
        Ok(Ok(found)) => Ok(found.take(ADDRESSES_MAX).collect()),
        Ok(Err(_)) | Err(_) => Err(Refusal::Unknown(host.to_owned())),
    }
}

/// Of what a name stands for, what may be dialled.
fn public(host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refusal> {
    let public: Vec<SocketAddr> = found.into_iter().filter(|address| is_public(address.ip())).collect();
    if public.is_empty() { Err(Refusal::NotPublic(host.to_owned())) } else { Ok(public) }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoHost => StatusCode::BAD_REQUEST,
            Self::NotListed(..) | Self::NotPublic(_) | Self::UsedUp => StatusCode::FORBIDDEN,
            Self::Unknown(_) | Self::Unreachable(..) => StatusCode::BAD_GATEWAY,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => write!(f, "this is a proxy: send CONNECT host:port, or a whole http:// address"),
            Self::NotListed(host, port) => {
                write!(f, "{host}:{port} is not in the job's list of hosts; name it in the job's `network`")
            }
            Self::NotPublic(host) => write!(f, "{host} leads to an address that is not public"),
            Self::Unknown(host) => write!(f, "{host} was not found"),
            Self::Unreachable(host, reason) => write!(f, "{host} was not reached: {reason}"),
            Self::UsedUp => write!(f, "the job's network allowance is used up"),
        }
    }
}

#[cfg(test)]
mod tests;
