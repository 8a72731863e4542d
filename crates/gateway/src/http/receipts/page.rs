//! `GET /api/v1/receipts/{nid}/verify`: where the link in a receipt leads: JSON, or a page for people.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{Html, IntoResponse, Response},
};
use wire::receipt::{Receipt, Verification, VerifiedLine};

use super::{Nid, found, record, told, verify::verified};
use crate::{GatewayError, auth::Headers, state::Shared};

/// The page is text: nothing is loaded, nothing runs, nobody frames it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// Verify a receipt that is kept here, now. Browsers get a page.
#[utoipa::path(get, path = "/api/v1/receipts/{nid}/verify", tag = "receipts",
    params(("nid" = String, Path, description = "The receipt: the CID of its document.")),
    responses(
        (status = 200, description = "What was found, a line for each thing that was checked.", content(
            (Verification = "application/json"),
            (String = "text/html"),
        )),
        (status = 501, description = "This gateway knows no register to look for commits in."),
    ),
)]
pub(crate) async fn page(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    Nid(nid): Nid,
) -> Result<Response, GatewayError> {
    let row = found(&shared, &nid).await?;
    let record = record(&shared, row.job).await?;
    let receipt = told(&shared, &headers, row, record)?;
    let verification = verified(&shared, &receipt, None).await?;
    let vary = [(header::VARY, "Accept")];
    if !wants_page(&headers) {
        return Ok((vary, Json(verification)).into_response());
    }
    let policy = [(HeaderName::from_static("content-security-policy"), POLICY)];
    Ok((vary, policy, Html(html(&receipt, &verification))).into_response())
}

/// Browsers name HTML; programs take whatever comes.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}

fn html(receipt: &Receipt, found: &Verification) -> String {
    let verdict = if found.verified { "verified" } else { "not verified" };
    let lines: String = found.lines.iter().map(line).collect();
    let document = &receipt.document;
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Receipt {verdict}</title><style>\
         body{{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}}\
         td,th{{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0}}</style></head><body>\
         <h1>{kind}: {verdict}</h1><p>Receipt <code>{nid}</code> of job <code>{job}</code>.</p>\
         <table><thead><tr><th>Holds</th><th>Line</th><th>What was compared</th></tr></thead><tbody>{lines}</tbody></table>\
         <p>This gateway asked its own chain endpoint. To trust nobody, run <code>bourse receipt verify</code> with an \
         endpoint of your own.</p></body></html>\n",
        kind = document.event_type.name(),
        nid = escaped(&receipt.nid),
        job = document.job_id,
    )
}

fn line(line: &VerifiedLine) -> String {
    let holds = if line.holds { "yes" } else { "no" };
    format!("<tr><td>{holds}</td><td>{}</td><td>{}</td></tr>", escaped(&line.name), escaped(&line.detail))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_stays_text() {
        let bad = VerifiedLine { name: "x".into(), holds: false, detail: "<script>alert('1')</script>&\"".into() };
        let shown = line(&bad);
        assert!(shown.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;"), "{shown}");
    }

    #[test]
    fn only_browsers_get_a_page() {
        let wants = |accept: &'static str| {
            wants_page(&[(header::ACCEPT, accept.parse().unwrap())].into_iter().collect::<HeaderMap>())
        };
        assert!(wants("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(wants("application/xhtml+xml, text/html;q=0.9"));
        assert!(!wants("*/*"));
        assert!(!wants("application/json"));
        assert!(!wants_page(&HeaderMap::new()));
    }
}
