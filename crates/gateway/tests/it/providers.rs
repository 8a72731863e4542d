//! Who rents out.

mod earnings;
mod metrics;
mod show;
mod unsigned;
