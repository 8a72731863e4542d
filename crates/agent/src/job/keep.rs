//! What a program leaves: stored here and handed to the gateway, whoever pays for it.

use content::{Cid, ImportConfig};
use tokio_tungstenite::tungstenite::http::{HeaderMap, header::AUTHORIZATION};
use url::Url;
use wire::http::UploadPass;
use wire::signed;

use crate::AgentError;
use crate::host::{Host, wall};
use crate::journal::Journal;
use crate::scratch::Room;

/// Stores what the program wrote into `/outputs`.
pub(crate) async fn outputs(host: &Host, room: &Room) -> Result<Cid, AgentError> {
    // After a restart of the machine it is not mounted any more.
    room.reopen();
    let (outputs, store) = (room.outputs(), host.store.clone());
    let work = tokio::task::spawn_blocking(move || content::add_tree(&store, &outputs, &ImportConfig::default()));
    Ok(work.await.map_err(|_| AgentError::ShuttingDown)??.cid)
}

/// Stores everything that the program said.
pub(crate) async fn log(host: &Host, journal: &Journal) -> Result<Cid, AgentError> {
    let (text, store) = (journal.log_text()?, host.store.clone());
    let work =
        tokio::task::spawn_blocking(move || content::add_bytes(&store, text.as_bytes(), &ImportConfig::default()));
    Ok(work.await.map_err(|_| AgentError::ShuttingDown)??.cid)
}

/// Hands what was stored to the gateway.
pub(crate) async fn push(host: &Host, gateway: &Url, roots: &[String]) -> Result<(), AgentError> {
    for root in roots {
        let pass = || pass(host, root).unwrap_or_default();
        content::push(&host.store, &content::parse_cid(root)?, gateway, &pass, None).await?;
    }
    Ok(())
}

/// The signed pass of one upload request. One that cannot be made is refused by the gateway, and the push is tried again.
fn pass(host: &Host, root: &str) -> Option<HeaderMap> {
    let at = wall();
    let upload = signed::Upload { root: root.to_owned(), at: alloy_primitives::aliases::U40::saturating_from(at) };
    let signature = host.account.wallet().sign(&host.market.domain(), &upload).ok()?;
    let pass = UploadPass { who: host.account.address(), at, signature }.header();
    Some(HeaderMap::from_iter([(AUTHORIZATION, pass.parse().ok()?)]))
}
