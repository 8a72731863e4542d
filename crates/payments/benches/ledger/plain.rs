//! What one would write without a ledger: two updates and an insert in a transaction, by the clients of `pgbench`, the
//! program that PostgreSQL brings for such measures.

use testkit::TestDatabase;

use crate::{ACCOUNTS, CLIENTS, FOR};

/// Two accounts by chance, never one twice; the lower is changed first, so that no two clients wait for each other for
/// ever.
const SCRIPT: &str = "\
\\set one random(0, :accounts - 1)
\\set other (:one + random(1, :accounts - 1)) % :accounts
\\set low least(:one, :other)
\\set high greatest(:one, :other)
BEGIN;
UPDATE plain SET balance = balance - 1 WHERE account = :low;
UPDATE plain SET balance = balance + 1 WHERE account = :high;
INSERT INTO moved (payer, payee, amount) VALUES (:low, :high, 1);
END;
";

/// Transactions in a second; the sums are compared afterwards.
pub(crate) fn measure(database: &TestDatabase) -> f64 {
    let tables = format!(
        "CREATE TABLE plain (account BIGINT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0)); \
         CREATE TABLE moved (id BIGSERIAL PRIMARY KEY, payer BIGINT NOT NULL, payee BIGINT NOT NULL, \
         amount BIGINT NOT NULL); INSERT INTO plain SELECT n, 1000000 FROM generate_series(0, {ACCOUNTS} - 1) n"
    );
    assert_eq!(database.psql(&tables), "");
    let define = format!("accounts={ACCOUNTS}");
    let (clients, seconds) = (CLIENTS.to_string(), FOR.as_secs().to_string());
    // Prepared statements are the quickest that it knows; the vacuum is for its own tables, which are not there.
    let args = ["-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds, "-D", &define];
    let printed = database.pgbench(&args, SCRIPT);
    let figure = |begin: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(begin));
        let number = line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse::<f64>().ok());
        number.unwrap_or_else(|| panic!("pgbench says no `{begin}`: {printed}"))
    };
    let (done, failed) =
        (figure("number of transactions actually processed: "), figure("number of failed transactions: "));
    let sums = database.psql("SELECT SUM(balance) || ' ' || (SELECT SUM(amount) FROM moved) FROM plain");
    assert_eq!((sums, failed), (format!("{} {done}", 1_000_000 * ACCOUNTS), 0.0));
    figure("tps = ")
}
