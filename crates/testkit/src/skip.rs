//! Tests that need what a machine may lack: skipped where it is absent, loudly, and failed where it must be there.

use std::time::Duration;

/// What a test may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A Docker Engine.
    Docker,
    /// Other people's implementations, installed from npm.
    Peers,
    /// The programs of PostgreSQL.
    Postgres,
    /// A Vulkan driver, if only one that computes on the processor.
    Vulkan,
}

impl Need {
    /// With this set to 1 a missing need fails the test.
    fn required_by(self) -> &'static str {
        match self {
            Self::Docker => "BOURSE_REQUIRE_DOCKER",
            Self::Peers => "BOURSE_REQUIRE_PEERS",
            Self::Postgres => "BOURSE_REQUIRE_POSTGRES",
            Self::Vulkan => "BOURSE_REQUIRE_VULKAN",
        }
    }
}

/// Says that the test does not run for want of `need`, or fails it where the need is required.
/// Use it through [`skip!`](crate::skip), which also returns from the test.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen in the test's output")]
pub fn skipped(need: Need, why: &str) {
    let variable = need.required_by();
    if std::env::var(variable).is_ok_and(|value| value == "1") {
        panic!("{need:?} is missing and {variable}=1 requires it: {why}");
    }
    eprintln!("SKIPPED for want of {need:?}: {why} ({variable}=1 makes this a failure)");
}

/// Leaves the test, loudly: `skip!(Need::Docker, "no daemon answers")`.
#[macro_export]
macro_rules! skip {
    ($need:expr, $why:expr) => {{
        $crate::skipped($need, $why);
        return;
    }};
}

/// A daemon that hangs is as good as none.
const PING_WITHIN: Duration = Duration::from_secs(3);

/// Whether a Docker Engine answers on this machine.
pub async fn docker_available() -> bool {
    let Ok(docker) = bollard::Docker::connect_with_local_defaults() else {
        return false;
    };
    matches!(tokio::time::timeout(PING_WITHIN, docker.ping()).await, Ok(Ok(_)))
}
