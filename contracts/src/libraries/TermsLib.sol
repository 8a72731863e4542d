// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket, State, Terms} from "../interfaces/IMarket.sol";
import {DURATION_MAX, MIN_CHARGE_SECONDS} from "../types/Limits.sol";
import {Amount, NO_AMOUNT, PerHour, Seconds} from "../types/Units.sol";
import {Accrual} from "./Accrual.sol";

/// The agreement itself: its identity, its ranges and its figures in units.
library TermsLib {
    /// The job's id: the agreement on this chain in this market and nowhere else.
    function id(Terms calldata terms) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), terms));
    }

    /// Reverts with the name of the first field that is out of its range.
    function validate(Terms calldata terms) internal pure {
        require(terms.renter != address(0), IMarket.BadTerms("renter"));
        require(terms.controller != address(0), IMarket.BadTerms("controller"));
        require(terms.maxDuration != 0 && terms.maxDuration <= DURATION_MAX, IMarket.BadTerms("maxDuration"));
        Amount minChargeMax = Accrual.cost(price(terms), Seconds.wrap(MIN_CHARGE_SECONDS));
        require(!(minChargeMax < minimum(terms)), IMarket.BadTerms("minCharge"));
        require(locked(terms, 0) != NO_AMOUNT, IMarket.BadTerms("pricePerHour"));
        require(terms.cancelFeeBps == 0, IMarket.BadTerms("cancelFeeBps"));
        require(terms.flags == 0, IMarket.BadTerms("flags"));
        require(terms.extra == bytes32(0), IMarket.BadTerms("extra"));
    }

    function price(Terms calldata terms) internal pure returns (PerHour) {
        return PerHour.wrap(terms.pricePerHour);
    }

    function minimum(Terms calldata terms) internal pure returns (Amount) {
        return Amount.wrap(terms.minCharge);
    }

    /// The seconds of clock that the lock pays for.
    function bought(Terms calldata terms, uint24 extraSeconds) internal pure returns (Seconds) {
        return Seconds.wrap(terms.maxDuration) + Seconds.wrap(extraSeconds);
    }

    /// What the market holds for the job from its creation to its end, before anything is paid out.
    function locked(Terms calldata terms, uint24 extraSeconds) internal pure returns (Amount) {
        return Accrual.cost(price(terms), bought(terms, extraSeconds));
    }
}
