//! Money that waits, who reports silence, and what the platform sets.

use alloy_primitives::Address;
use chain::MarketEvent;
use market::Amount;
use store::{BlockRef, CreditRow, MarketRow, ReporterRow, Row};

use super::Drawn;
use crate::{Contradiction, Rows};

pub(super) fn changed(before: &Rows, block: BlockRef, event: &MarketEvent) -> Result<Drawn, Contradiction> {
    use MarketEvent as E;
    let changed = block.number;
    let waiting = |account: Address| before.credit(account).map_or(Amount::ZERO, |row| row.amount);
    let market = || MarketRow { changed, ..before.market() };
    let mut who = None;
    let row = match event {
        E::Credited { account, amount } => {
            Row::Credit(CreditRow { account: *account, amount: waiting(*account).saturating_add(*amount), changed })
        }
        E::CreditWithdrawn { account, amount, .. } => {
            let credit = waiting(*account);
            if credit < *amount {
                return Err(Contradiction::Overdrawn { account: *account, credit });
            }
            who = Some(*account);
            Row::Credit(CreditRow { account: *account, amount: credit.saturating_sub(*amount), changed })
        }
        E::WatcherChanged { watcher, registered } => {
            Row::Reporter(ReporterRow { address: *watcher, is_oracle: false, registered: *registered, changed })
        }
        E::OracleChanged { oracle, registered } => {
            Row::Reporter(ReporterRow { address: *oracle, is_oracle: true, registered: *registered, changed })
        }
        E::FeeChanged { fee } => Row::Market(MarketRow { fee_bps: Some(*fee), ..market() }),
        E::PauseChanged { paused } => Row::Market(MarketRow { paused: *paused, ..market() }),
        E::FeesWithdrawn { amount, .. } => {
            let row = market();
            Row::Market(MarketRow { fees_withdrawn: row.fees_withdrawn.saturating_add(*amount), ..row })
        }
        E::MinBondChanged { amount } => Row::Market(MarketRow { min_bond: Some(*amount), ..market() }),
        _ => return Err(Contradiction::UnknownEvent),
    };
    Ok(Drawn { who, rows: vec![row], ..Drawn::default() })
}
