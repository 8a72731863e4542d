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

// How long the last second of a job may be disputed. Pay comes this late unless stake covers it.
uint256 constant WINDOW = 1 hours;

// A dispute that no judge has answered by then is settled half and half by anyone.
uint256 constant ANSWER_WITHIN = 7 days;

// Longer than a slash takes to be proposed, contested and decided, so that nobody escapes one by unstaking.
uint256 constant UNBONDING = 14 days;

// What a resource's owner has to contest a slash.
uint256 constant CONTEST_WITHIN = 48 hours;

// One proposal takes at most a fifth of the stake that is tied to no job.
uint256 constant SLASH_BPS_MAX = 2000;

// What a dispute's opener puts down, of the pot; it keeps idle disputes from being free.
uint256 constant BOND_BPS = 1000;

// A cancelled reservation never costs more than a quarter of its lock.
uint16 constant CANCEL_FEE_BPS_MAX = 2500;

// Resources keep their cancel fee in one byte, in steps of a tenth of a percent.
uint16 constant CANCEL_FEE_STEP = 10;

// A provider that lets a reservation's start pass for so long is owed no fee when the renter cancels.
uint256 constant CANCEL_FEE_WITHIN = 10 minutes;

// Where burned stake goes.
address constant NOWHERE = 0x000000000000000000000000000000000000dEaD;
