// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Accrual} from "../../src/libraries/Accrual.sol";
import {Amount, PerHour, Seconds} from "../../src/types/Units.sol";

/// The money functions in the open, for the differential test against the crate `market`.
contract AccrualHarness {
    function cost(uint256 pricePerHour, uint256 duration) external pure returns (uint256) {
        return Amount.unwrap(Accrual.cost(PerHour.wrap(pricePerHour), Seconds.wrap(duration)));
    }

    function earned(uint256 pricePerHour, uint256 minCharge, uint256 locked, uint256 duration)
        external
        pure
        returns (uint256)
    {
        return Amount.unwrap(
            Accrual.earned({
                price: PerHour.wrap(pricePerHour),
                minCharge: Amount.wrap(minCharge),
                locked: Amount.wrap(locked),
                duration: Seconds.wrap(duration)
            })
        );
    }

    function fee(uint256 earned_, uint16 feeBps) external pure returns (uint256) {
        return Amount.unwrap(Accrual.fee(Amount.wrap(earned_), feeBps));
    }

    function net(uint256 earned_, uint16 feeBps) external pure returns (uint256) {
        return Amount.unwrap(Accrual.net(Amount.wrap(earned_), feeBps));
    }
}
