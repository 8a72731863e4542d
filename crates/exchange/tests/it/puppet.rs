//! Peers whose every word is the test's.

use exchange::bitswap::{Behaviour, Event, Message};
use exchange::{Multiaddr, PeerId};
use futures_util::StreamExt;
use libp2p::swarm::SwarmEvent;
use libp2p::{Swarm, SwarmBuilder, noise, tcp, yamux};
use tokio::sync::mpsc;

/// A peer that speaks bitswap and does nothing by itself.
pub(crate) struct Puppet {
    pub(crate) peer: PeerId,
    pub(crate) address: Multiaddr,
    out: mpsc::UnboundedSender<(PeerId, Message)>,
    heard: mpsc::UnboundedReceiver<(PeerId, Message)>,
}

/// A swarm of any behaviour, over TCP.
pub(crate) fn swarm<B: libp2p::swarm::NetworkBehaviour>(behaviour: B) -> Swarm<B> {
    let builder = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap();
    let idle = std::time::Duration::from_secs(60);
    builder
        .with_behaviour(|_| behaviour)
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(idle))
        .build()
}

impl Puppet {
    /// Listens, and dials whom it is given.
    pub(crate) async fn start(dial: Option<Multiaddr>) -> Self {
        let mut swarm = swarm(Behaviour::default());
        swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
        let peer = *swarm.local_peer_id();
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address.with(libp2p::multiaddr::Protocol::P2p(peer));
            }
        };
        let (out, mut orders) = mpsc::unbounded_channel::<(PeerId, Message)>();
        let (tell, heard) = mpsc::unbounded_channel();
        if let Some(dial) = dial {
            swarm.dial(dial).unwrap();
            while !matches!(swarm.select_next_some().await, SwarmEvent::Behaviour(Event::Connected(_))) {}
        }
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    event = swarm.select_next_some() => {
                        if let SwarmEvent::Behaviour(Event::Received { peer, message, .. }) = event
                            && tell.send((peer, message)).is_err()
                        {
                            return;
                        }
                    }
                    order = orders.recv() => match order {
                        Some((peer, message)) => swarm.behaviour_mut().send(peer, &message, 0),
                        None => return,
                    },
                }
            }
        });
        Self { peer, address, out, heard }
    }

    pub(crate) fn say(&self, to: PeerId, message: Message) {
        self.out.send((to, message)).unwrap();
    }

    pub(crate) async fn hear(&mut self) -> Message {
        crate::fixture::within(self.heard.recv()).await.expect("the puppet has ended").1
    }

    /// What was heard and not taken yet.
    pub(crate) fn unheard(&mut self) -> Vec<Message> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).map(|(_, message)| message).collect()
    }

    /// Answers each message as `answer` says, until the test ends.
    pub(crate) fn answering(mut self, mut answer: impl FnMut(Message) -> Vec<Message> + Send + 'static) -> Multiaddr {
        let address = self.address.clone();
        tokio::spawn(async move {
            while let Some((peer, message)) = self.heard.recv().await {
                answer(message).into_iter().for_each(|it| self.say(peer, it));
            }
        });
        address
    }
}
