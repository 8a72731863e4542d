//! What can be rented here now.

pub(crate) mod list;
pub(crate) mod show;

use wire::http::GpuJson;

use crate::state::{Shared, now};

/// What agents announced that were heard not too long ago, by id.
fn announced(shared: &Shared) -> Vec<GpuJson> {
    shared.links.resources(now().saturating_sub(shared.limits.agent_silent_after.as_secs()))
}
