//! How much each client may ask for: by its address, and by its account where it is signed in.

use std::{
    convert::Infallible,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use alloy_primitives::Address;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{Extensions, HeaderMap, Method, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use crate::{
    GatewayError,
    config::{RELAYED_EVERY, RELAYED_MAX, Rate, RateLimits, SESSION_EVERY, SESSIONS_MAX},
    state::Shared,
};

/// Full budgets are looked for this often when there is no room.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Budgets of those that there is no room to remember one by one. Whoever fills the room has one network or a few, and
/// then shares a budget with himself; so many that hardly anybody else is in it.
const CROWDS: u64 = 4096;

/// What tries to sign in.
const SIGN_IN: [&str; 5] =
    ["/api/v1/auth/siwe/", "/api/v1/auth/signup", "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/link"];

/// What a client's requests are counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
    SignIn,
}

impl Kind {
    /// None for content, whose own limits are on bytes: an image may have thousands of blocks.
    fn of(method: &Method, path: &str) -> Option<Self> {
        match path {
            path if path.starts_with("/ipfs/") || path.starts_with("/api/v1/images/") => None,
            path if SIGN_IN.iter().any(|begin| path.starts_with(begin)) => Some(Self::SignIn),
            _ if method.is_safe() => Some(Self::Read),
            _ => Some(Self::Write),
        }
    }
}

/// The other end of a connection, put into each of its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    Client(IpAddr),
    Account(Address),
    /// Whoever came when there was no room to remember him, with others of his network.
    Crowd(u64),
}

/// The budgets of everybody.
pub(crate) struct Rates {
    reads: Budget,
    writes: Budget,
    sign_in: Budget,
    /// Sessions of one account, whatever addresses it signs in from.
    sessions: Budget,
    /// Jobs of one account that this gateway pays gas for.
    relayed: Budget,
    trusted_proxies: Vec<IpAddr>,
    spare_loopback: bool,
}

impl Rates {
    pub(crate) fn new(limits: &RateLimits, trusted_proxies: Vec<IpAddr>) -> Self {
        let budget =
            |rate: Rate| Budget::new(Quota::per_second(rate.per_second).allow_burst(rate.burst), limits.clients);
        let slow = |every, most| {
            let quota = Quota::with_period(every).unwrap_or(Quota::per_hour(NonZeroU32::MIN));
            Budget::new(quota.allow_burst(most), limits.clients)
        };
        Self {
            reads: budget(limits.reads),
            writes: budget(limits.writes),
            sign_in: budget(limits.sign_in),
            sessions: slow(SESSION_EVERY, SESSIONS_MAX),
            relayed: slow(RELAYED_EVERY, RELAYED_MAX),
            trusted_proxies,
            spare_loopback: limits.spare_loopback,
        }
    }

    /// Counts a request of a signed-in account; its address is counted already.
    pub(crate) fn account(&self, account: Address, method: &Method) -> Result<(), GatewayError> {
        let kind = if method.is_safe() { Kind::Read } else { Kind::Write };
        self.budget(kind).take(Who::Account(account))
    }

    /// Counts a session that an account is about to open.
    pub(crate) fn session(&self, account: Address) -> Result<(), GatewayError> {
        self.sessions.take(Who::Account(account))
    }

    /// Counts a job of an account that this gateway is about to pay gas for.
    pub(crate) fn relayed(&self, account: Address) -> Result<(), GatewayError> {
        self.relayed.take(Who::Account(account))
    }

    /// Counts a request of a client.
    fn client(&self, client: IpAddr, kind: Kind) -> Result<(), GatewayError> {
        if self.spares(client) {
            return Ok(());
        }
        self.budget(kind).take(Who::Client(subscriber(client)))
    }

    fn spares(&self, client: IpAddr) -> bool {
        self.spare_loopback && client.is_loopback()
    }

    fn budget(&self, kind: Kind) -> &Budget {
        match kind {
            Kind::Read => &self.reads,
            Kind::Write => &self.writes,
            Kind::SignIn => &self.sign_in,
        }
    }
}

/// One budget for each client.
struct Budget {
    buckets: DefaultKeyedRateLimiter<Who>,
    clock: DefaultClock,
    clients: usize,
    swept: Mutex<Instant>,
    /// Keyed anew in each process: nobody can choose whose crowd he is in.
    crowds: RandomState,
}

impl Budget {
    fn new(quota: Quota, clients: usize) -> Self {
        Self {
            buckets: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            clients,
            swept: Mutex::new(Instant::now()),
            crowds: RandomState::new(),
        }
    }

    fn take(&self, who: Who) -> Result<(), GatewayError> {
        let who = if self.has_room() { who } else { self.crowd(who) };
        self.buckets.check_key(&who).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            GatewayError::TooMany { retry_after_s: wait.as_secs() + u64::from(wait.subsec_nanos() > 0) }
        })
    }

    fn crowd(&self, who: Who) -> Who {
        let who = match who {
            Who::Client(client) => Who::Client(network(client)),
            other => other,
        };
        Who::Crowd(self.crowds.hash_one(who) % CROWDS)
    }

    /// Forgets who has his whole budget again when there is no room for more.
    fn has_room(&self) -> bool {
        if self.buckets.len() < self.clients {
            return true;
        }
        // All are looked at, so not for everybody who comes.
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.elapsed() >= SWEEP_EVERY {
            *swept = Instant::now();
            self.buckets.retain_recent();
            self.buckets.shrink_to_fit();
        }
        self.buckets.len() < self.clients
    }
}

/// Who has the address: an IPv6 subscriber has at least a /64 of them.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

/// The network that an address is likely to be one of many of: what a registry hands to one provider of IPv6 (/32), and
/// an ordinary site of IPv4 (/16).
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 16))),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 96))),
    }
}

/// Who asks: the peer, or whom the proxies that are trusted say they forward for. The last address that is no trusted
/// proxy's is the one that a trusted proxy saw; what stands before it anybody can have written.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let peer = peer.to_canonical();
    if !trusted.contains(&peer) {
        return peer;
    }
    let named: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut client = peer;
    for name in named.into_iter().rev() {
        let Ok(address) = name.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !trusted.contains(&client) {
            break;
        }
    }
    client
}

/// Who asks, as budgets count him; nobody on this machine where its own programs are spared.
pub(crate) struct Client(pub(crate) Option<IpAddr>);

impl FromRequestParts<Shared> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Infallible> {
        let client = of_request(&parts.extensions, &parts.headers, &shared.rates.trusted_proxies);
        Ok(Self((!shared.rates.spares(client)).then_some(client)))
    }
}

fn of_request(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let peer = extensions.get::<Peer>().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.0);
    client(peer, headers, trusted)
}

/// Lets a request through while its client has budget left.
pub(crate) async fn limit(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let client = of_request(request.extensions(), request.headers(), &shared.rates.trusted_proxies);
    let counted = Kind::of(request.method(), request.uri().path());
    match counted.map_or(Ok(()), |kind| shared.rates.client(client, kind)) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_trusted_proxies_say_whom_they_forward_for() {
        let check = |peer: &str, forwarded: &[&'static str], trusted: &[&str], expected: &str| {
            let headers =
                forwarded.iter().map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap())).collect();
            let trusted: Vec<_> = trusted.iter().map(|address| ip(address)).collect();
            assert_eq!(client(ip(peer), &headers, &trusted), ip(expected), "{peer} {forwarded:?} {trusted:?}");
        };
        check("9.9.9.9", &["1.1.1.1"], &[], "9.9.9.9");
        check("9.9.9.9", &["1.1.1.1"], &["8.8.8.8"], "9.9.9.9");
        check("8.8.8.8", &["1.1.1.1"], &["8.8.8.8"], "1.1.1.1");
        check("::ffff:8.8.8.8", &["1.1.1.1"], &["8.8.8.8"], "1.1.1.1");
        check("8.8.8.8", &["6.6.6.6, 1.1.1.1"], &["8.8.8.8"], "1.1.1.1");
        check("8.8.8.8", &["6.6.6.6", "1.1.1.1, 7.7.7.7"], &["8.8.8.8", "7.7.7.7"], "1.1.1.1");
        check("8.8.8.8", &["1.1.1.1, nonsense"], &["8.8.8.8"], "8.8.8.8");
        check("8.8.8.8", &[], &["8.8.8.8"], "8.8.8.8");
    }

    #[test]
    fn a_subscriber_has_one_budget_for_all_his_addresses() {
        assert_eq!(subscriber(ip("2001:db8::1:2:3:4")), subscriber(ip("2001:db8::9")));
        assert_ne!(subscriber(ip("2001:db8:0:1::1")), subscriber(ip("2001:db8:0:2::1")));
        assert_eq!(subscriber(ip("::ffff:1.2.3.4")), ip("1.2.3.4"));
    }

    #[test]
    fn who_has_used_his_budget_is_told_when_to_come_again() {
        let limits = RateLimits { reads: Rate::new(1, 2), clients: 2, ..RateLimits::default() };
        let rates = Rates::new(&limits, Vec::new());
        let mut others = (1..=200).map(|number| IpAddr::V4(Ipv4Addr::new(10, 0, 0, number)));
        let one = ip("1.1.1.1");
        rates.client(one, Kind::Read).unwrap();
        rates.client(one, Kind::Read).unwrap();
        let refused = rates.client(one, Kind::Read).unwrap_err();
        assert!(matches!(refused, GatewayError::TooMany { retry_after_s: 1 }), "{refused}");
        rates.client(one, Kind::Write).unwrap();
        // Beyond those that are remembered a network shares one budget.
        assert!(others.any(|other| rates.client(other, Kind::Read).is_err()));
        assert!(rates.reads.buckets.len() <= limits.clients + 1, "{}", rates.reads.buckets.len());
        // Whoever fills the room with his addresses takes nothing from others.
        let elsewhere = (20..100).map(|number| IpAddr::V4(Ipv4Addr::new(number, 9, 9, 9)));
        let served = elsewhere.filter(|other| rates.client(*other, Kind::Read).is_ok()).count();
        assert!(served > 70, "{served} of 80");
    }

    #[test]
    fn an_account_has_so_much_whatever_its_addresses() {
        let rates = Rates::new(&RateLimits::default(), Vec::new());
        let (one, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        for _ in 0..RELAYED_MAX.get() {
            rates.relayed(one).unwrap();
        }
        let GatewayError::TooMany { retry_after_s } = rates.relayed(one).unwrap_err() else { panic!() };
        assert!((1..=RELAYED_EVERY.as_secs()).contains(&retry_after_s), "{retry_after_s}");
        rates.relayed(other).unwrap();
        rates.session(one).unwrap();
    }

    #[test]
    fn loopback_is_spared_only_where_that_is_said() {
        for (spare_loopback, expected) in [(false, false), (true, true)] {
            let limits = RateLimits { reads: Rate::new(1, 1), spare_loopback, ..RateLimits::default() };
            let rates = Rates::new(&limits, Vec::new());
            let all = (0..5).all(|_| rates.client(ip("127.0.0.1"), Kind::Read).is_ok());
            assert_eq!(all, expected);
        }
    }
}
