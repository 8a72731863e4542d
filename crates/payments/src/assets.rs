//! Which tokens a market wallet holds. Money of test networks is free, so a wallet holds only such money or none of it.

use alloy_primitives::Address;
use chain::{Chain, Erc20};
use store::{AssetId, AssetRow, AssetTotals, Store};

use crate::PaymentsError;

/// Most decimal places of a token here: amounts are 64-bit numbers of smallest units, and with nine places they still
/// count nine billion whole tokens.
pub const DECIMALS_MAX: u8 = 9;

/// Chains whose kind is known, and whether their money is free. Source: chainlist.org and the chains' own pages.
const KNOWN: [(u64, bool); 20] = [
    (1, false),
    (10, false),
    (56, false),
    (100, false),
    (137, false),
    (8453, false),
    (10_507, false),
    (42_161, false),
    (43_114, false),
    (59_144, false),
    (1337, true),
    (31_337, true),
    (17_000, true),
    (43_113, true),
    (59_141, true),
    (80_002, true),
    (84_532, true),
    (421_614, true),
    (11_155_111, true),
    (11_155_420, true),
];

/// Whether a chain's money is free; nothing where that is not known of it.
#[must_use]
pub fn is_testnet(chain_id: u64) -> Option<bool> {
    KNOWN.iter().find(|(known, _)| *known == chain_id).map(|(_, testnet)| *testnet)
}

/// A token that a wallet shall hold, as it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetConfig {
    /// The chain.
    pub chain_id: u64,
    /// The token's contract.
    pub token: Address,
    /// The chain's money is free.
    pub testnet: bool,
}

/// A token that a wallet holds.
#[derive(Clone, Debug)]
pub struct Held {
    /// Its number in the ledger.
    pub asset: AssetId,
    /// The token.
    pub token: Erc20,
}

/// Refuses a configuration that holds a test network beside a real one, or that calls one the other.
pub fn check(assets: &[AssetConfig]) -> Result<(), PaymentsError> {
    for asset in assets {
        if is_testnet(asset.chain_id).is_some_and(|testnet| testnet != asset.testnet) {
            return Err(PaymentsError::WrongKind { chain_id: asset.chain_id, testnet: asset.testnet });
        }
    }
    let of_kind = |testnet| assets.iter().find(|asset| asset.testnet == testnet).map(|asset| asset.chain_id);
    match (of_kind(true), of_kind(false)) {
        (Some(testnet), Some(mainnet)) => Err(PaymentsError::MixedNetworks { testnet, mainnet }),
        _ => Ok(()),
    }
}

/// Makes the configured tokens of one chain known to the ledger. What the database holds already counts as configured:
/// free money that lies there is never paid out as real money.
pub async fn open(store: &Store, chain: &Chain, assets: &[AssetConfig]) -> Result<Vec<Held>, PaymentsError> {
    let kept = store.assets().await?.into_iter();
    let kept = kept.map(|row| AssetConfig { chain_id: row.chain_id, token: row.token, testnet: row.testnet });
    let all: Vec<_> = kept.chain(assets.iter().copied()).collect();
    check(&all)?;
    let mut held = Vec::new();
    for config in assets.iter().filter(|config| config.chain_id == chain.id()) {
        let token = Erc20::open(chain.clone(), config.token).await?;
        if token.decimals() > DECIMALS_MAX {
            return Err(PaymentsError::TooFine { token: config.token, decimals: token.decimals() });
        }
        let row = AssetRow {
            asset: AssetId(0),
            chain_id: config.chain_id,
            token: config.token,
            symbol: token.symbol().chars().take(16).collect(),
            decimals: token.decimals(),
            testnet: config.testnet,
            totals: AssetTotals::default(),
            scanned: 0,
        };
        held.push(Held { asset: store.put_asset(&row).await?.asset, token });
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_money_and_real_money_are_never_held_together() {
        let asset = |chain_id, testnet| AssetConfig { chain_id, token: Address::ZERO, testnet };
        assert!(check(&[asset(1, false), asset(137, false)]).is_ok());
        assert!(check(&[asset(11_155_111, true), asset(80_002, true)]).is_ok());
        let mixed = check(&[asset(1, false), asset(80_002, true)]).unwrap_err();
        assert!(matches!(mixed, PaymentsError::MixedNetworks { testnet: 80_002, mainnet: 1 }), "{mixed}");
        for lie in [asset(84_532, false), asset(8453, true)] {
            assert!(matches!(check(&[lie]), Err(PaymentsError::WrongKind { .. })), "{lie:?}");
        }
        assert!(check(&[asset(123_456_789, true), asset(1337, true)]).is_ok(), "unknown chains are what one says");
    }
}
