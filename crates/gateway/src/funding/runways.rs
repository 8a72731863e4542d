//! Warns accounts whose money will not last: once each time that a bound is crossed, by spending or by time alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use market::Timestamp;
use payments::ledger::{RunwayWarning, runway};
use store::{AccountId, AssetId, HoldRow};
use tokio::time::{MissedTickBehavior, interval};
use wire::http::AccountNews;

use crate::{
    GatewayError,
    state::{Shared, now},
    wallet::{lasts, shown},
};

/// Between two looks at what accounts have left: a small part of the nearest bound.
const RUNWAYS_EVERY: Duration = Duration::from_secs(5);

/// The last bound that each account was found below. It is lost with the process, and then told once more.
type Below = BTreeMap<(AccountId, AssetId), RunwayWarning>;

pub(super) async fn follow(shared: &Shared) {
    if shared.wallet.is_none() {
        return;
    }
    let (mut turns, mut below) = (interval(RUNWAYS_EVERY), Below::new());
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        if let Err(error) = look(shared, &mut below).await {
            tracing::warn!(%error, "whose money runs out cannot be known now");
        }
    }
}

async fn look(shared: &Shared, below: &mut Below) -> Result<(), GatewayError> {
    let mut running: BTreeMap<AccountId, Vec<HoldRow>> = BTreeMap::new();
    for hold in shared.store.treasury_jobs().await? {
        running.entry(hold.account).or_default().push(hold);
    }
    // Without a job that costs there is no runway.
    running.retain(|_, holds| holds.iter().any(|hold| hold.started_at.is_some()));
    below.retain(|(account, _), _| running.contains_key(account));
    if running.is_empty() {
        return Ok(());
    }
    let assets = shared.store.assets().await?;
    for (account, holds) in running {
        let balances = shared.store.balances(account).await?;
        let held: BTreeSet<AssetId> = holds.iter().map(|hold| hold.asset).collect();
        for asset in assets.iter().filter(|asset| held.contains(&asset.asset)) {
            let available = balances.iter().find(|row| row.asset == asset.asset).map_or(0, |row| row.available);
            let found = runway(available, &holds, asset.asset, Timestamp(now()));
            let is_new = crossed(below, (account, asset.asset), found.and_then(|runway| runway.warning));
            if let Some(runway) = found.filter(|_| is_new) {
                let news = AccountNews::RunwayWarning { asset: shown(asset), runway: lasts(&runway, asset) };
                shared.accounts.tell(account, news, jiff::Timestamp::now());
            }
        }
    }
    Ok(())
}

/// Notes below which bound somebody is now, and says whether that is nearer to the end than where he was before.
fn crossed(below: &mut Below, whose: (AccountId, AssetId), warning: Option<RunwayWarning>) -> bool {
    let before = match warning {
        Some(warning) => below.insert(whose, warning),
        None => below.remove(&whose),
    };
    warning > before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_told_once_until_it_is_crossed_again() {
        use RunwayWarning::{Critical, Empty, Low};
        let (mut below, whose) = (Below::new(), (AccountId([1; 32].into()), AssetId(1)));
        let mut check = |warning, expected| assert_eq!(crossed(&mut below, whose, warning), expected, "{warning:?}");
        check(None, false);
        check(Some(Low), true);
        check(Some(Low), false);
        check(Some(Critical), true);
        check(Some(Empty), true);
        // A deposit, and down again.
        check(Some(Low), false);
        check(Some(Critical), true);
        check(None, false);
        check(Some(Critical), true);
    }
}
