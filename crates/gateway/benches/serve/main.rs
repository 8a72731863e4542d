//! What a gateway answers in a second, and how soon news reach those who follow: `bench: name=value unit` lines on
//! standard output.
//!
//! `GET /gpus` of a hundred listings is measured beside a bare hyper server that gives the same bytes: the same client,
//! the same run, taking turns. Build it with `--release`, or the figures are the debugger's.

mod bare;
mod load;
mod place;
mod sockets;

use std::io::Write;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Rounds in which the two servers take turns; the median counts.
const ROUNDS: usize = 7;

/// One measured figure.
fn bench(name: &str, value: f64, unit: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "bench: {name}={value:.2} {unit}").ok();
}

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let place = Box::pin(place::Place::new()).await?;
        http(&place).await?;
        sockets::measure(&place).await
    })
}

async fn http(place: &place::Place) -> Outcome<()> {
    let head = load::once(place.host, "/api/v1/gpus").await?;
    let bare = bare::serve(head.body.clone()).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(load::requests_per_s(place.host, "/api/v1/gpus").await?);
        theirs.push(load::requests_per_s(bare, "/api/v1/gpus").await?);
    }
    bench("http.req_per_s", median(ours), "requests/s");
    bench("http.bare_hyper_req_per_s", median(theirs), "requests/s");
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
