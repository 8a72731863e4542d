// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, State, Terms} from "../interfaces/IMarket.sol";
import {Amount, NO_AMOUNT, Seconds} from "../types/Units.sol";
import {Accrual} from "./Accrual.sol";
import {Clock} from "./Clock.sol";
import {TermsLib} from "./TermsLib.sol";

/// How a job's lock is shared out: paid + fee + refunded = locked.
struct Bill {
    /// The provider's total, earlier payouts included.
    Amount paid;
    /// The part of `paid` that is still to be sent.
    Amount payNow;
    /// The platform's part.
    Amount fee;
    /// The renter's part.
    Amount refunded;
}

/// What is owed for a job, in the middle of its run and at its end. A payout needs a clock that has earned `minCharge`,
/// and nobody can run for longer than was bought; so what is paid before the end is cost, neither raised nor capped.
library Settlement {
    using TermsLib for Terms;

    /// The payout that is due at `time` and the second it pays up to. Nothing is due while the clock has earned less
    /// than `minCharge`, because a job that its provider then gives up does not owe it.
    function due(Terms calldata terms, State memory job, uint256 time)
        internal
        pure
        returns (Seconds until, Amount amount)
    {
        until = Clock.payableSeconds(terms, job, time);
        Amount cost = Accrual.cost(terms.price(), until);
        if (cost < terms.minimum()) return (until, NO_AMOUNT);
        amount = Accrual.net(cost, job.feeBps) - received(terms, job);
    }

    /// The final bill for a clock that ran for `ran`.
    function close(Terms calldata terms, State memory job, Outcome outcome, Seconds ran)
        internal
        pure
        returns (Bill memory bill)
    {
        bool waived = job.paidSeconds == 0 && (outcome == Outcome.Silent || outcome == Outcome.AbortedByProvider);
        Amount locked = terms.locked(job.extraSeconds);
        Amount earned = Accrual.earned({
            price: terms.price(), minCharge: waived ? NO_AMOUNT : terms.minimum(), locked: locked, duration: ran
        });
        bill.fee = Accrual.fee(earned, job.feeBps);
        bill.paid = earned - bill.fee;
        bill.payNow = bill.paid - received(terms, job);
        bill.refunded = locked - earned;
    }

    /// What the provider has been paid so far.
    function received(Terms calldata terms, State memory job) internal pure returns (Amount) {
        if (job.paidSeconds == 0) return NO_AMOUNT;
        return Accrual.net(Accrual.cost(terms.price(), Seconds.wrap(job.paidSeconds)), job.feeBps);
    }
}
