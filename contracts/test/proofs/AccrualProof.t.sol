// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Accrual} from "../../src/libraries/Accrual.sol";
import {FEE_BPS_MAX} from "../../src/types/Limits.sol";
import {Amount, PerHour, Seconds} from "../../src/types/Units.sol";

/// The money functions, proved by halmos for every input in their range: prices of 72 bits as listings keep them,
/// seconds of 32 bits, fees up to the cap. That the ceiling of `tie` is one and that `vouched` inverts it is not proved:
/// no solver here decides it. Those are fuzzed, and compared with Rust.
contract AccrualProof {
    function check_CostIsTheFloorOfPriceTimesSeconds(uint72 price, uint32 duration) external pure {
        uint256 product = uint256(price) * duration;
        uint256 cost = Amount.unwrap(Accrual.cost(PerHour.wrap(price), Seconds.wrap(duration)));
        unchecked {
            assert(cost * 3600 <= product);
            assert(product < cost * 3600 + 3600);
        }
    }

    function check_CostNeverFalls(uint72 price, uint32 less, uint32 more) external pure {
        if (less > more) return;
        Amount before = Accrual.cost(PerHour.wrap(price), Seconds.wrap(less));
        Amount later = Accrual.cost(PerHour.wrap(price), Seconds.wrap(more));
        assert(Amount.unwrap(before) <= Amount.unwrap(later));
    }

    function check_EarnedIsNeverAboveTheLock(uint72 price, uint96 minCharge, uint128 locked, uint32 duration)
        external
        pure
    {
        Amount earned = Accrual.earned({
            price: PerHour.wrap(price),
            minCharge: Amount.wrap(minCharge),
            locked: Amount.wrap(locked),
            duration: Seconds.wrap(duration)
        });
        assert(Amount.unwrap(earned) <= locked);
        assert(duration != 0 || Amount.unwrap(earned) == 0);
        assert(duration == 0 || Amount.unwrap(earned) >= (minCharge < locked ? minCharge : locked));
    }

    function check_VouchedSecondsAreNeverMoreThanAsked(uint72 price, uint72 free, uint16 most) external pure {
        if (price == 0) return;
        Seconds vouched = Accrual.vouched(PerHour.wrap(price), Amount.wrap(free), Seconds.wrap(most));
        assert(Seconds.unwrap(vouched) <= most);
    }

    function check_FeeAndNetAreTheWhole(uint128 earned, uint16 feeBps) external pure {
        if (feeBps > FEE_BPS_MAX) return;
        uint256 fee = Amount.unwrap(Accrual.fee(Amount.wrap(earned), feeBps));
        assert(Amount.unwrap(Accrual.net(Amount.wrap(earned), feeBps)) + fee == earned);
    }

    function check_FeeIsTheFloorOfItsPart(uint128 earned, uint16 feeBps) external pure {
        if (feeBps > FEE_BPS_MAX) return;
        uint256 fee = Amount.unwrap(Accrual.fee(Amount.wrap(earned), feeBps));
        unchecked {
            assert(fee * 10_000 <= uint256(earned) * feeBps);
            assert(uint256(earned) * feeBps < fee * 10_000 + 10_000);
        }
    }

    /// With a fee that may be any number this is beyond the solvers; so for the least, a usual one and the most.
    function check_NetNeverFalls(uint128 less, uint128 more) external pure {
        if (less > more) return;
        _netNeverFalls(less, more, 1);
        _netNeverFalls(less, more, 200);
        _netNeverFalls(less, more, FEE_BPS_MAX);
    }

    function check_FeeIsAtMostATwentieth(uint128 earned) external pure {
        assert(Amount.unwrap(Accrual.fee(Amount.wrap(earned), FEE_BPS_MAX)) <= earned / 20);
    }

    function _netNeverFalls(uint128 less, uint128 more, uint16 feeBps) private pure {
        Amount before = Accrual.net(Amount.wrap(less), feeBps);
        assert(Amount.unwrap(before) <= Amount.unwrap(Accrual.net(Amount.wrap(more), feeBps)));
    }
}
