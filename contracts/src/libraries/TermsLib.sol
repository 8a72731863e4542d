// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors} from "../interfaces/IMarketErrors.sol";
import {Terms} from "../types/Job.sol";
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
        string memory field = badField(terms);
        require(bytes(field).length == 0, IMarketErrors.BadTerms(field));
    }

    /// The name of the first field that is out of its range by itself, or nothing. The listing bounds price and cancel
    /// fee.
    function badField(Terms calldata terms) internal pure returns (string memory) {
        if (terms.renter == address(0)) return "renter";
        if (terms.controller == address(0)) return "controller";
        if (terms.maxDuration == 0 || terms.maxDuration > DURATION_MAX) return "maxDuration";
        if (Accrual.cost(price(terms), Seconds.wrap(MIN_CHARGE_SECONDS)) < minimum(terms)) return "minCharge";
        if (locked(terms, 0) == NO_AMOUNT) return "pricePerHour";
        if (terms.flags != 0) return "flags";
        if (terms.extra != bytes32(0)) return "extra";
        return "";
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

    /// The stake that stands for `coverSeconds` of the job.
    function tie(Terms calldata terms, uint16 coverSeconds) internal pure returns (Amount) {
        return Accrual.tie(price(terms), Seconds.wrap(coverSeconds));
    }
}
