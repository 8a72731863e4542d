//! Payments against real chains and real databases.
