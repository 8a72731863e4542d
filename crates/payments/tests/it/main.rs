//! Payments against real chains and real databases.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

/// Makes a test of each named function for each engine.
macro_rules! on_both_engines {
    ($($name:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(&testkit::TestDatabase::sqlite()).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let Some(database) = testkit::TestDatabase::postgres() else { return };
                    super::$name(&database).await;
                }
            )*
        }
    };
}

mod accounts;
mod clients;
mod ledger;
mod ledger_model;
mod ledger_property;
mod ledger_views;
mod official;
mod shop;
mod treasury;
mod treasury_limits;
mod x402_channel;
mod x402_exact;
mod x402_facilitator;
mod x402_layer;
mod x402_reqwest;
mod x402_sender;
