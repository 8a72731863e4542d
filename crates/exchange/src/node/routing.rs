//! The routing table in the loop: telling the network what is here, finding out who has what.

use std::collections::{BTreeSet, HashMap};

use content::Cid;
use libp2p::kad::{self, AddProviderError, GetProvidersOk, QueryId, QueryResult, RecordKey};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{PeerId, identify};
use tokio::sync::oneshot;

use super::engine::{Engine, News};
use super::swarm::routing_protocol;
use crate::bitswap::SessionId;
use crate::config::Routing;
use crate::error::{Error, Result};

/// Providers of one block after which nobody else is looked for.
const PROVIDERS_MAX: usize = 32;

/// A question to the table, and who waits for its answer.
enum Query {
    Provide(oneshot::Sender<Result<()>>),
    Find(BTreeSet<PeerId>, oneshot::Sender<Result<Vec<PeerId>>>),
    Seek(usize, SessionId),
}

/// Questions that are not answered yet.
#[derive(Default)]
pub(super) struct Queries(HashMap<QueryId, Query>);

/// Providers are found by the hash alone, whatever the codec.
fn key(cid: &Cid) -> RecordKey {
    RecordKey::new(&cid.hash().to_bytes())
}

fn off() -> Error {
    Error::Routing { reason: "this node has none".to_owned() }
}

impl Engine {
    pub(super) fn enter(&mut self) {
        let Routing::Public { entry } = self.config.routing.clone() else { return };
        let Some(table) = self.swarm.behaviour_mut().kad.as_mut() else { return };
        for address in entry {
            if let Some(libp2p::multiaddr::Protocol::P2p(peer)) = address.iter().last() {
                table.add_address(&peer, address);
            }
        }
        if let Err(error) = table.bootstrap() {
            tracing::warn!(%error, "nobody is known through whom the routing table could be entered");
        }
    }

    pub(super) fn provide(&mut self, cid: &Cid, done: oneshot::Sender<Result<()>>) {
        let started = match self.swarm.behaviour_mut().kad.as_mut() {
            Some(table) => {
                table.start_providing(key(cid)).map_err(|error| Error::Routing { reason: error.to_string() })
            }
            None => Err(off()),
        };
        match started {
            Ok(query) => drop(self.queries.0.insert(query, Query::Provide(done))),
            Err(error) => drop(done.send(Err(error))),
        }
    }

    pub(super) fn find_providers(&mut self, cid: &Cid, done: oneshot::Sender<Result<Vec<PeerId>>>) {
        match self.swarm.behaviour_mut().kad.as_mut().map(|table| table.get_providers(key(cid))) {
            Some(query) => drop(self.queries.0.insert(query, Query::Find(BTreeSet::new(), done))),
            None => drop(done.send(Err(off()))),
        }
    }

    pub(super) fn seek(&mut self, session: SessionId, cid: &Cid) {
        match self.swarm.behaviour_mut().kad.as_mut().map(|table| table.get_providers(key(cid))) {
            Some(query) => drop(self.queries.0.insert(query, Query::Seek(0, session))),
            None => self.tell(session, News::Sought),
        }
    }

    pub(super) fn on_routing(&mut self, event: kad::Event) {
        let kad::Event::OutboundQueryProgressed { id, result, step, .. } = event else { return };
        match result {
            QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })) => {
                self.found(id, providers.into_iter().collect());
            }
            QueryResult::StartProviding(answer) => {
                if let Some(Query::Provide(done)) = self.queries.0.remove(&id) {
                    let answer = answer.map(drop).map_err(|AddProviderError::Timeout { .. }| Error::Routing {
                        reason: "too few peers took the record in time".to_owned(),
                    });
                    drop(done.send(answer));
                }
                return;
            }
            _ => {}
        }
        if step.last {
            self.end(id);
        }
    }

    fn found(&mut self, id: QueryId, providers: Vec<PeerId>) {
        let own = *self.swarm.local_peer_id();
        let mut wanted = Vec::new();
        let is_enough = match self.queries.0.get_mut(&id) {
            Some(Query::Find(found, _)) => {
                found.extend(providers);
                found.len() >= PROVIDERS_MAX
            }
            Some(Query::Seek(count, _)) => {
                wanted.extend(providers.into_iter().filter(|peer| *peer != own).take(PROVIDERS_MAX - *count));
                *count += wanted.len();
                *count >= PROVIDERS_MAX
            }
            _ => false,
        };
        for peer in wanted {
            // The table knows the addresses only while the question is open.
            if !self.swarm.is_connected(&peer)
                && let Err(error) = self.swarm.dial(DialOpts::from(peer))
            {
                tracing::debug!(%peer, %error, "a provider cannot be dialled");
            }
        }
        let table = self.swarm.behaviour_mut().kad.as_mut();
        if let Some(mut query) = table.filter(|_| is_enough).and_then(|table| table.query_mut(&id)) {
            query.finish();
        }
    }

    fn end(&mut self, id: QueryId) {
        match self.queries.0.remove(&id) {
            Some(Query::Find(found, done)) => drop(done.send(Ok(found.into_iter().collect()))),
            Some(Query::Seek(_, session)) => self.tell(session, News::Sought),
            Some(Query::Provide(_)) | None => {}
        }
    }

    pub(super) fn on_identify(&mut self, event: identify::Event) {
        let identify::Event::Received { peer_id, info, .. } = event else { return };
        let Some(protocol) = routing_protocol(&self.config.routing) else { return };
        if info.protocols.contains(&protocol)
            && let Some(table) = self.swarm.behaviour_mut().kad.as_mut()
        {
            for address in info.listen_addrs {
                table.add_address(&peer_id, address);
            }
        }
    }
}
