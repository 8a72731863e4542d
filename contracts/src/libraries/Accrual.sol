// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {BPS} from "../types/Limits.sol";
import {Amount, NO_AMOUNT, NO_SECONDS, PerHour, Seconds} from "../types/Units.sol";

/// Money from seconds. Everything the market ever pays is a difference of two values of these functions, so neither
/// the number nor the order of payouts changes a total. The crate `market` holds the same functions in Rust.
library Accrual {
    /// ⌊price · duration / 3600⌋.
    function cost(PerHour price, Seconds duration) internal pure returns (Amount) {
        return Amount.wrap(PerHour.unwrap(price) * Seconds.unwrap(duration) / 1 hours);
    }

    /// ⌈price · duration / 3600⌉: stake that is worth at least what any run of so many seconds costs.
    function tie(PerHour price, Seconds duration) internal pure returns (Amount) {
        return Amount.wrap((PerHour.unwrap(price) * Seconds.unwrap(duration) + 1 hours - 1) / 1 hours);
    }

    /// The most seconds, up to `most`, that `free` stake can be tied for at a price above zero.
    function vouched(PerHour price, Amount free, Seconds most) internal pure returns (Seconds) {
        return Seconds.wrap(Amount.unwrap(free) * 1 hours / PerHour.unwrap(price)).min(most);
    }

    /// What a stream has earned after `duration` on its clock: nothing before it started, then at least `minCharge`
    /// and never more than was locked.
    function earned(PerHour price, Amount minCharge, Amount locked, Seconds duration) internal pure returns (Amount) {
        if (duration == NO_SECONDS) return NO_AMOUNT;
        return cost(price, duration).max(minCharge).min(locked);
    }

    /// The platform's part of what was earned, rounded down.
    function fee(Amount earned_, uint16 feeBps) internal pure returns (Amount) {
        return Amount.wrap(Amount.unwrap(earned_) * feeBps / BPS);
    }

    /// The provider's part of what was earned. Never falls as `earned_` rises.
    function net(Amount earned_, uint16 feeBps) internal pure returns (Amount) {
        return earned_ - fee(earned_, feeBps);
    }
}
