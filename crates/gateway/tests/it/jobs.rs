//! What a renter says to his agent.

mod ready;
