//! What a market on this machine costs and how fast it is: `bench: name=value unit` lines on standard output.
//!
//! Runs beside nothing else; every figure is measured here and now, peers in the same run.

mod content_speed;
mod idle;
mod order;
mod up;

use std::io::Write;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// One measured figure.
fn bench(name: &str, value: f64, unit: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "bench: {name}={value:.1} {unit}").ok();
}

fn main() -> Outcome<()> {
    content_speed::measure()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let market = up::Up::start().await?;
        idle::measure(market.pid())?;
        order::measure(&market).await?;
        market.stop().await
    })
}
