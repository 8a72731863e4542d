//! How figures are told.

use std::io::Write;

/// One measured figure.
pub(crate) fn bench(name: &str, value: f64, unit: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "bench: {name}={value:.2} {unit}").ok();
}

/// Something that a reader of the figures should know.
pub(crate) fn note(text: &str) {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "note: {text}").ok();
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What else the machine does.
pub(crate) fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}
