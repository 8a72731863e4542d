//! `POST /api/v1/receipts/verify`: what `bourse receipt verify` finds, by this gateway's endpoint.

use axum::{Json, extract::State};
use chain::Register;
use tokio::time::timeout;
use wire::receipt::{DOCUMENT_BYTES_MAX, Receipt, Trust, TrustedMarket, VERSION, Verification, VerifyReceiptBody};

use super::{committer, of_oracle};
use crate::{
    GatewayError,
    config::{JSON_BODY_BYTES_MAX, VERIFY_WITHIN},
    http::{
        body::{Bytes, parse},
        page::malformed,
    },
    state::Shared,
};

// A receipt with its envelope must fit into a body.
const _: () = assert!(2 * DOCUMENT_BYTES_MAX < JSON_BODY_BYTES_MAX);

/// Verify a receipt against the chain: its document, its commit, and what it says of terms, times and money. Without a
/// trust, this market's own recorder counts. Who trusts no gateway runs `bourse receipt verify` with an endpoint of his
/// own; the answer is the same.
#[utoipa::path(post, path = "/api/v1/receipts/verify", tag = "receipts",
    request_body = VerifyReceiptBody,
    responses(
        (status = 200, description = "What was found, a line for each thing that was checked.", body = Verification),
        (status = 501, description = "This gateway knows no register to look for commits in."),
    ),
)]
pub(crate) async fn verify(
    State(shared): State<Shared>,
    Bytes(bytes): Bytes,
) -> Result<Json<Verification>, GatewayError> {
    let (receipt, trust) = read(&bytes)?;
    known("version", receipt.version)?;
    known("document.version", receipt.document.version)?;
    verified(&shared, &receipt, trust).await.map(Json)
}

/// Another version may mean something else by the same fields: saying what holds of it would be a guess.
fn known(field: &str, version: u32) -> Result<(), GatewayError> {
    if version == VERSION {
        return Ok(());
    }
    Err(malformed(field, format!("{version} is not known here, only {VERSION}; ask a newer gateway")))
}

/// A receipt, alone or with whom to believe. Which of the two it is shows in its first field, so that errors name theirs.
fn read(bytes: &[u8]) -> Result<(Receipt, Option<Trust>), GatewayError> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct By {
        receipt: Receipt,
        trust: Option<Trust>,
    }
    let shape: serde_json::Value = parse(bytes)?;
    if !shape.is_object() {
        return Err(malformed("body", "send a receipt as GET /api/v1/receipts/{nid} answers it"));
    }
    if shape.get("receipt").is_some() {
        let By { receipt, trust } = parse(bytes)?;
        return Ok((receipt, trust));
    }
    Ok((parse(bytes)?, None))
}

/// Asks the chain and judges; by this market's own trust where none is given.
pub(super) async fn verified(
    shared: &Shared,
    receipt: &Receipt,
    trust: Option<Trust>,
) -> Result<Verification, GatewayError> {
    let Some(ours) = committer(shared) else {
        let what = "this gateway was set up without a register of receipts; verify with `bourse receipt verify` and an \
                    RPC endpoint";
        return Err(GatewayError::NotHere { what: what.into() });
    };
    let trust = trust.unwrap_or_else(|| Trust {
        markets: vec![TrustedMarket {
            chain_id: ours.chain_id,
            market: shared.market.address(),
            register: ours.register,
        }],
        recorders: vec![ours.recorder],
    });
    let Ok(_place) = shared.verifications.try_acquire() else {
        return Err(GatewayError::Busy { what: "too many receipts are being verified" });
    };
    let market = &shared.market;
    let look = async {
        let register = Register::open(market.chain().clone(), ours.register).await?;
        oracle::receipts::verify(receipt, market, &register, shared.from_block, &trust).await
    };
    match timeout(VERIFY_WITHIN, look).await {
        Ok(found) => found.map_err(of_oracle),
        Err(_) => Err(GatewayError::Chain { reason: format!("no answer within {} s", VERIFY_WITHIN.as_secs()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_names_its_field() {
        let refused = |text: &str, words: &str| {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        };
        refused("", "EOF");
        refused("[]", "send a receipt");
        refused("7", "send a receipt");
        refused("{}", "missing field");
        refused(r#"{"receipt": {}}"#, "missing field");
        refused(r#"{"receipt": {"version": "1"}}"#, "receipt.version");
        refused(r#"{"version": 1, "nid": 7}"#, "nid");
    }
}
