//! What one would write without a ledger: two updates and an insert in a transaction, by 64 clients with a connection
//! each.

use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, Statement, TransactionTrait};
use testkit::TestDatabase;

use crate::{ACCOUNTS, CLIENTS, FOR};

/// Transactions in a second; the sums are compared afterwards.
pub(crate) async fn measure(database: &TestDatabase) -> f64 {
    let mut options = ConnectOptions::new(database.url().to_string());
    options.max_connections(CLIENTS as u32).min_connections(CLIENTS as u32).sqlx_logging(false);
    options.acquire_timeout(Duration::from_secs(60));
    let pool = Database::connect(options).await.unwrap();
    let engine = pool.get_database_backend();
    pool.execute_unprepared(&format!(
        "CREATE TABLE plain (account BIGINT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0)); \
         CREATE TABLE moved (id BIGSERIAL PRIMARY KEY, payer BIGINT NOT NULL, payee BIGINT NOT NULL, \
         amount BIGINT NOT NULL); INSERT INTO plain SELECT n, 1000000 FROM generate_series(1, {ACCOUNTS}) n"
    ))
    .await
    .unwrap();
    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let (mut done, mut n) = (0_u64, 0);
                while began.elapsed() < FOR {
                    n += 1;
                    let payer = (1 + (client * 31 + n) % ACCOUNTS).cast_signed();
                    let payee = (1 + (client * 31 + n + 1) % ACCOUNTS).cast_signed();
                    let sql =
                        |text: &str, values: Vec<sea_orm::Value>| Statement::from_sql_and_values(engine, text, values);
                    let transaction = pool.begin().await.unwrap();
                    // In the order of the accounts, so that no two wait for each other.
                    let mut legs = [(payer, -1_i64), (payee, 1_i64)];
                    legs.sort_unstable();
                    for (account, amount) in legs {
                        let update = "UPDATE plain SET balance = balance + $1 WHERE account = $2";
                        transaction.execute_raw(sql(update, vec![amount.into(), account.into()])).await.unwrap();
                    }
                    let insert = "INSERT INTO moved (payer, payee, amount) VALUES ($1, $2, 1)";
                    transaction.execute_raw(sql(insert, vec![payer.into(), payee.into()])).await.unwrap();
                    transaction.commit().await.unwrap();
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for client in clients {
        done += client.await.unwrap();
    }
    let rate = done as f64 / began.elapsed().as_secs_f64();
    let sums = database.psql("SELECT SUM(balance) FROM plain") + "/" + &database.psql("SELECT COUNT(*) FROM moved");
    assert_eq!(sums, format!("{}/{done}", 1_000_000 * ACCOUNTS));
    rate
}
