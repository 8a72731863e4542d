//! The gateway over real sockets, with a real chain behind it: one file for each route.

#[cfg(test)]
mod stage;

#[cfg(test)]
mod runways;
#[cfg(test)]
mod sockets;

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod agents;
#[cfg(test)]
mod auth;
#[cfg(test)]
mod beside;
#[cfg(test)]
mod content;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod deadlines;
#[cfg(test)]
mod disputes;
#[cfg(test)]
mod funded;
#[cfg(test)]
mod gpus;
#[cfg(test)]
mod health;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod lasting;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod payments;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod topics;
#[cfg(test)]
mod wallets;
#[cfg(test)]
mod watcher;
#[cfg(test)]
mod work;
#[cfg(test)]
mod ws;
#[cfg(test)]
mod x402;
