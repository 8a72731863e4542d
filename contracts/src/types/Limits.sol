// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// A provider that has not answered by then leaves the renter free to look elsewhere.
uint256 constant ACCEPT_WITHIN = 10 minutes;

// Long enough to fetch and verify a large image; counted from the later of accept and `notBefore`.
uint256 constant START_WITHIN = 60 minutes;

// How old a `Ready` may be by its own date. It bounds what a provider can bill between the signature and the start: to
// this, and to `READY_AHEAD` more when the signer's clock runs ahead.
uint256 constant READY_WITHIN = 120 seconds;

// How far the signer's clock may run ahead of block time, which lags behind by up to a block.
uint256 constant READY_AHEAD = 15 seconds;

// How far back a silence may be dated, and how long the agent has to come back after the report.
uint256 constant SILENCE_WITHIN = 10 minutes;

// A provider may hold a job's clock for a day in all, silences included; then anyone may end the job where the clock
// stands.
uint256 constant PAUSE_WITHIN = 24 hours;

// What a provider has to collect its pay after the clock's end before anyone may close.
uint256 constant COLLECT_WITHIN = 2 hours;

// The longest clock that can be bought at once, by an order or by an extension. Keeps one lock from binding a machine
// for years by a slip.
uint32 constant DURATION_MAX = 30 days;

// `minCharge` is at most the cost of this many seconds.
uint256 constant MIN_CHARGE_SECONDS = 10 minutes;

// No role can take more than 5% of what a provider earns.
uint16 constant FEE_BPS_MAX = 500;

// One whole in hundredths of a percent.
uint256 constant BPS = 10_000;
