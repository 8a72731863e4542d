//! The channels that pay this agent, each a file: a voucher counts once its file is on disk.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::B256;
use tokio::sync::OwnedMutexGuard;

use super::channel::Channel;
use crate::host::wall;
use crate::limits::CHANNELS_MAX;
use crate::{AgentError, disk};

/// All of them.
#[derive(Debug)]
pub(crate) struct Book {
    dir: PathBuf,
    channels: Mutex<HashMap<B256, Arc<tokio::sync::Mutex<Option<Channel>>>>>,
}

/// One channel, held alone.
#[derive(Debug)]
pub(crate) struct Held {
    id: B256,
    path: PathBuf,
    channel: OwnedMutexGuard<Option<Channel>>,
}

impl Book {
    /// Reads the files below `state_dir`. One that cannot be read is said and left: its money can still be claimed by
    /// hand.
    pub(crate) fn open(state_dir: &Path) -> Result<Self, AgentError> {
        let dir = state_dir.join("channels");
        std::fs::create_dir_all(&dir).map_err(AgentError::io(&dir))?;
        let mut channels = HashMap::new();
        for entry in std::fs::read_dir(&dir).map_err(AgentError::io(&dir))? {
            let path = entry.map_err(AgentError::io(&dir))?.path();
            let name = path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse::<B256>().ok());
            let Some(id) = name else { continue };
            match disk::load::<Channel>(&path) {
                Ok(channel) => drop(channels.insert(id, Arc::new(tokio::sync::Mutex::new(channel)))),
                Err(error) => {
                    tracing::error!(channel = %id, %error, "a CHANNEL CANNOT BE READ; nothing is claimed of it");
                }
            }
        }
        Ok(Self { dir, channels: Mutex::new(channels) })
    }

    /// The channels that are known.
    pub(crate) fn ids(&self) -> Vec<B256> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Waits for a channel and holds it; nothing where there is no room for another one.
    pub(crate) async fn hold(&self, id: B256) -> Option<Held> {
        let channel = {
            // Every change under the lock is complete before anything in it can panic.
            let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
            if !channels.contains_key(&id) && channels.len() >= CHANNELS_MAX {
                channels.retain(|_, channel| channel.try_lock().map_or(true, |channel| channel.is_some()));
                if channels.len() >= CHANNELS_MAX {
                    return None;
                }
            }
            channels.entry(id).or_default().clone()
        };
        let path = self.path(id);
        Some(Held { id, path, channel: channel.lock_owned().await })
    }

    fn path(&self, id: B256) -> PathBuf {
        self.dir.join(format!("{id}.json"))
    }
}

impl Held {
    /// The channel as it is on disk; nothing for one that never paid.
    pub(crate) fn channel(&self) -> Option<&Channel> {
        self.channel.as_ref()
    }

    /// Writes the next state down, and only then goes over to it.
    pub(crate) fn save(&mut self, mut next: Channel) -> Result<(), AgentError> {
        next.note(wall());
        if self.channel.as_ref() == Some(&next) {
            return Ok(());
        }
        disk::save(&self.path, &next)?;
        *self.channel = Some(next);
        Ok(())
    }

    /// Changes the channel, if it is known; says whether it is.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Channel)) -> Result<bool, AgentError> {
        let Some(mut next) = self.channel.clone() else { return Ok(false) };
        change(&mut next);
        self.save(next).map(|()| true)
    }

    /// The channel's id.
    pub(crate) fn id(&self) -> B256 {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;
    use wire::x402::ChannelConfig;

    use super::*;
    use crate::lease::channel::OnChain;

    #[tokio::test]
    async fn what_is_saved_is_there_after_a_crash_and_what_is_not_never_was() {
        let dir = tempfile::tempdir().unwrap();
        let config = ChannelConfig {
            payer: Address::ZERO,
            payer_authorizer: Address::ZERO,
            receiver: Address::ZERO,
            receiver_authorizer: Address::ZERO,
            token: Address::ZERO,
            withdraw_delay: 900,
            salt: B256::ZERO,
        };
        let (id, other) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let chain = OnChain { balance: 10, claimed: 0, withdraw_at: None, refund_nonce: 0, at: 0 };
        let book = Book::open(dir.path()).unwrap();
        let mut held = book.hold(id).await.unwrap();
        assert!(!held.change(|channel| channel.charged = 1).unwrap(), "nothing is made up");
        held.save(Channel::new(config, chain)).unwrap();
        held.change(|channel| channel.charged = 7).unwrap();
        drop(held);
        std::fs::write(book.path(other), "{").unwrap();
        drop(book);
        let book = Book::open(dir.path()).unwrap();
        assert_eq!(book.ids(), [id], "a file that is torn takes no other with it");
        let mut held = book.hold(id).await.unwrap();
        assert_eq!(held.channel().unwrap().charged, 7);
        // A disk that does not take the next state leaves the one before, also in memory.
        std::fs::remove_dir_all(dir.path()).unwrap();
        assert!(held.change(|channel| channel.charged = 9).is_err());
        assert_eq!(held.channel().unwrap().charged, 7);
    }
}
