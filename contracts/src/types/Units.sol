// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// Smallest units of the settlement token.
type Amount is uint256;

/// Smallest units of the settlement token per hour of clock.
type PerHour is uint256;

/// Whole seconds of a job's clock, not of the calendar.
type Seconds is uint256;

using {_addAmount as +, _subAmount as -, _equalAmount as ==, _unequalAmount as !=, _lessAmount as <} for Amount global;
using {_addSeconds as +, _equalSeconds as ==, _lessSeconds as <} for Seconds global;
using AmountBounds for Amount global;
using SecondsBounds for Seconds global;

Amount constant NO_AMOUNT = Amount.wrap(0);
Seconds constant NO_SECONDS = Seconds.wrap(0);
Seconds constant ONE_SECOND = Seconds.wrap(1);

function _addAmount(Amount a, Amount b) pure returns (Amount) {
    return Amount.wrap(Amount.unwrap(a) + Amount.unwrap(b));
}

function _subAmount(Amount a, Amount b) pure returns (Amount) {
    return Amount.wrap(Amount.unwrap(a) - Amount.unwrap(b));
}

function _equalAmount(Amount a, Amount b) pure returns (bool) {
    return Amount.unwrap(a) == Amount.unwrap(b);
}

function _unequalAmount(Amount a, Amount b) pure returns (bool) {
    return Amount.unwrap(a) != Amount.unwrap(b);
}

function _lessAmount(Amount a, Amount b) pure returns (bool) {
    return Amount.unwrap(a) < Amount.unwrap(b);
}

function _addSeconds(Seconds a, Seconds b) pure returns (Seconds) {
    return Seconds.wrap(Seconds.unwrap(a) + Seconds.unwrap(b));
}

function _equalSeconds(Seconds a, Seconds b) pure returns (bool) {
    return Seconds.unwrap(a) == Seconds.unwrap(b);
}

function _lessSeconds(Seconds a, Seconds b) pure returns (bool) {
    return Seconds.unwrap(a) < Seconds.unwrap(b);
}

library AmountBounds {
    function min(Amount a, Amount b) internal pure returns (Amount) {
        return a < b ? a : b;
    }

    function max(Amount a, Amount b) internal pure returns (Amount) {
        return a < b ? b : a;
    }
}

library SecondsBounds {
    function min(Seconds a, Seconds b) internal pure returns (Seconds) {
        return a < b ? a : b;
    }

    function max(Seconds a, Seconds b) internal pure returns (Seconds) {
        return a < b ? b : a;
    }
}
