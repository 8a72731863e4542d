//! User stories of the whole program: real chain, real containers, real processes that are really killed.

mod engine;
mod faults;
mod look;
mod money;
mod refuse;
mod run;
mod world;
