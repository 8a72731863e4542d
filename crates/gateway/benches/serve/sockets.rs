//! A thousand sockets follow one provider; its agent measures; how long until each has heard.

use std::time::{Duration, Instant};

use alloy_primitives::B256;
use futures_util::{SinkExt, StreamExt};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};
use wire::{
    http::{FromClient, MetricsPoint, ProviderNews, Subscribe, ToClient},
    link::{FromAgent, FromGateway, PATH, VERSION},
    signed,
};

use crate::{Outcome, bench, place::Place};

/// Sockets that follow.
const SOCKETS: usize = 1000;
/// Measurements whose way is measured.
const MEASUREMENTS: u32 = 50;
/// Between two measurements: each has reached everybody before the next is sent.
const APART: Duration = Duration::from_millis(100);
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

type Line = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) async fn measure(place: &Place) -> Outcome<()> {
    let mut agent = link(place).await?;
    let (heard, mut all_heard) = mpsc::unbounded_channel();
    for _ in 0..SOCKETS {
        let mut line = follow(place).await?;
        let heard = heard.clone();
        tokio::spawn(async move {
            while let Ok(said) = hear::<ToClient>(&mut line).await {
                if let ToClient::Provider { event, .. } = said
                    && let ProviderNews::GpuMetricsUpdate { metrics } = event.news
                    && heard.send((metrics.at, Instant::now())).is_err()
                {
                    return;
                }
            }
        });
    }
    let mut latencies = Vec::new();
    for number in 0..MEASUREMENTS {
        let at = jiff::Timestamp::now();
        let machine = MetricsPoint { at, utilisation_pct: 50, memory_mib: number, temperature_c: 60, power_w: 300 };
        let said = Instant::now();
        say(&mut agent, &FromAgent::Metrics { machine, jobs: Vec::new() }).await?;
        for _ in 0..SOCKETS {
            let (which, when) = tokio::time::timeout(PATIENCE, all_heard.recv()).await?.ok_or("all sockets closed")?;
            if which == at {
                latencies.push(when.duration_since(said).as_secs_f64() * 1000.0);
            }
        }
        tokio::time::sleep(APART).await;
    }
    latencies.sort_unstable_by(f64::total_cmp);
    let at = |share: usize| latencies.get(latencies.len() * share / 100).copied().unwrap_or(f64::NAN);
    bench("ws.latency_ms_p50", at(50), "ms");
    bench("ws.latency_ms_p99", at(99), "ms");
    Ok(())
}

/// The agent's link.
async fn link(place: &Place) -> Outcome<Line> {
    let (mut line, _) = connect_async(format!("ws://{}{PATH}", place.host)).await?;
    let FromGateway::Challenge { nonce, .. } = hear(&mut line).await? else { return Err("no challenge".into()) };
    let resources: Vec<B256> = place.announced.iter().map(|resource| resource.id).collect();
    let agent = place.agent.address();
    let hello = signed::Hello { nonce, gateway: format!("ws://{}", place.host), agent, resources };
    let signature = place.agent.sign(&place.town.market.domain(), &hello)?;
    let hello = FromAgent::Hello { version: VERSION, agent, resources: place.announced.clone(), signature };
    say(&mut line, &hello).await?;
    match hear(&mut line).await? {
        FromGateway::Welcome {} => Ok(line),
        other => Err(format!("{other:?}").into()),
    }
}

async fn follow(place: &Place) -> Outcome<Line> {
    let (mut line, _) = connect_async(format!("ws://{}/api/v1/ws", place.host)).await?;
    let topic = format!("provider:{}", place.provider);
    say(&mut line, &FromClient::Subscribe(Subscribe { topic, since: 0, proof: None })).await?;
    match hear(&mut line).await? {
        ToClient::Notice { kind, .. } if kind == "SUBSCRIBED" => Ok(line),
        other => Err(format!("{other:?}").into()),
    }
}

async fn say(line: &mut Line, document: &impl Serialize) -> Outcome<()> {
    Ok(line.send(Message::text(serde_json::to_string(document)?)).await?)
}

async fn hear<T: DeserializeOwned>(line: &mut Line) -> Outcome<T> {
    loop {
        match line.next().await.ok_or("closed")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Close(frame) => return Err(format!("{frame:?}").into()),
            _ => {}
        }
    }
}
