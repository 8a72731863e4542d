//! The gateway over real sockets, with a real chain behind it: one file for each route.

#[cfg(test)]
mod stage;

#[cfg(test)]
mod sockets;

#[cfg(test)]
mod agents;
#[cfg(test)]
mod content;
#[cfg(test)]
mod gpus;
#[cfg(test)]
mod health;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod ws;
