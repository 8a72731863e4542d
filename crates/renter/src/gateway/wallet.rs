//! Money that a gateway keeps for people, and accounts with e-mail address and password.

use alloy_primitives::Address;
use wire::http::{
    AccountSessionJson, CreateJobBody, CreatedJobJson, DepositBody, DepositJson, LoginBody, Page, SessionJson,
    SignupBody, SpendingJson, WalletEntryJson, WalletJson, WithdrawBody, WithdrawJson, WithdrawalJson,
};

use super::{GatewayClient, Session};
use crate::RenterError;

impl GatewayClient {
    /// Makes an account and signs it in.
    pub async fn sign_up(&self, email: &str, password: &str, chain_id: u64) -> Result<Session, RenterError> {
        let body = SignupBody { email: email.to_owned(), password: password.to_owned(), name: None };
        let opened = self.post("api/v1/auth/signup", &body).await?;
        self.opened(&opened, chain_id)
    }

    /// Signs an account in with its password. The session lasts an hour.
    pub async fn login_by_email(&self, email: &str, password: &str, chain_id: u64) -> Result<Session, RenterError> {
        let body = LoginBody { email: email.to_owned(), password: password.to_owned(), grant_type: None };
        let opened = self.post("api/v1/auth/login", &body).await?;
        self.opened(&opened, chain_id)
    }

    fn opened(&self, body: &[u8], chain_id: u64) -> Result<Session, RenterError> {
        let opened: AccountSessionJson = self.parsed(body)?;
        // The last 20 bytes of its id stand for an account where an address does; no key signs for them.
        let address = Address::from_word(opened.account);
        let json = SessionJson { token: opened.token, address, expires_at: opened.expires_at };
        Ok(Session { gateway: self.base().clone(), chain_id, json })
    }

    /// What who is signed in has in the market wallet.
    pub async fn wallet(&self) -> Result<WalletJson, RenterError> {
        self.get("api/v1/wallets/balance", &[]).await
    }

    /// How to deposit. Nothing happens.
    pub async fn deposit(&self, body: &DepositBody) -> Result<DepositJson, RenterError> {
        let answer = self.post("api/v1/wallets/deposit", body).await?;
        self.parsed(&answer)
    }

    /// A withdrawal: without `confirm` what it would do, with it and a key the withdrawal itself. The same key again means
    /// the same withdrawal.
    pub async fn withdraw(&self, body: &WithdrawBody, key: Option<&str>) -> Result<WithdrawJson, RenterError> {
        let request = self.http.post(self.url("api/v1/wallets/withdraw")?).json(body);
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let answer = self.answer(request).await?;
        self.parsed(&answer)
    }

    /// The newest withdrawals of who is signed in.
    pub async fn withdrawals(&self) -> Result<Vec<WithdrawalJson>, RenterError> {
        let page: Page<WithdrawalJson> = self.get("api/v1/wallets/withdrawals", &[]).await?;
        Ok(page.items)
    }

    /// What happened to the money of who is signed in, newest first, at most so much.
    pub async fn wallet_history(&self, most: usize) -> Result<Vec<WalletEntryJson>, RenterError> {
        self.all("api/v1/wallets/transactions", &[], Some(most)).await
    }

    /// What the jobs of who is signed in cost, by `day`, `week` or `month`, oldest first.
    pub async fn spending(&self, period: &str) -> Result<Vec<SpendingJson>, RenterError> {
        let query = [("period".to_owned(), period.to_owned())];
        let page: Page<SpendingJson> = self.get("api/v1/wallets/analytics", &query).await?;
        Ok(page.items)
    }

    /// Asks what a job costs, or orders it with the terms that were answered.
    pub async fn order(&self, body: &CreateJobBody) -> Result<CreatedJobJson, RenterError> {
        let answer = self.post("api/v1/jobs", body).await?;
        self.parsed(&answer)
    }
}
