// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, Terms} from "../types/Job.sol";
import {BPS} from "../types/Limits.sol";
import {Amount, NO_AMOUNT, Seconds} from "../types/Units.sol";
import {Accrual} from "./Accrual.sol";
import {Clock} from "./Clock.sol";
import {PackedJob} from "./JobSlot.sol";
import {TermsLib} from "./TermsLib.sol";

/// How a job's lock is shared out: paid + fee + what goes to the renter = locked.
struct Bill {
    /// The provider's total, earlier payouts included, net of what the cover gives back.
    Amount paid;
    /// The platform's part.
    Amount fee;
    /// Still to be sent to the provider.
    Amount payNow;
    /// What the provider has received beyond `paid`: the cover gives it back. One of this and `payNow` is nothing.
    Amount fromCover;
}

/// What is owed for a job: in the middle of its run, at its end, when it is final and after a verdict.
///
/// A minimum charge is paid out only once the seconds alone are worth it, or the cover is. As nobody is covered for more
/// seconds than were bought, what is paid before a job is final is never capped by the lock, whatever is bought later.
library Settlement {
    using TermsLib for Terms;

    /// The payout that is due at `time` and the second it pays up to, before the job is final.
    function due(Terms calldata terms, PackedJob job, uint256 time)
        internal
        pure
        returns (Seconds until, Amount amount)
    {
        until = Clock.payableSeconds(terms, job, time);
        Amount cost = Accrual.cost(terms.price(), until);
        Amount minimum = terms.minimum();
        if (cost < minimum) {
            if (until == Seconds.wrap(0) || _waived(job)) return (until, NO_AMOUNT);
            // What is paid now may have to be given back, minimum and all.
            if (Accrual.cost(terms.price(), Seconds.wrap(job.coverSeconds())) < minimum) return (until, NO_AMOUNT);
        }
        amount = Accrual.net(cost.max(minimum), job.feeBps()) - received(terms, job);
    }

    /// What a clock that ran for `ran` has earned. A minimum charge that was not paid before is not due from a job that
    /// its provider left.
    function earned(Terms calldata terms, PackedJob job, Seconds ran) internal pure returns (Amount) {
        return Accrual.earned({
            price: terms.price(),
            minCharge: _waived(job) ? NO_AMOUNT : terms.minimum(),
            locked: terms.locked(job.extraSeconds()),
            duration: ran
        });
    }

    /// The last bill, when `earned_` is what the provider has earned for good.
    function close(Terms calldata terms, PackedJob job, Amount earned_) internal pure returns (Bill memory bill) {
        bill.fee = Accrual.fee(earned_, job.feeBps());
        bill.paid = earned_ - bill.fee;
        Amount before = received(terms, job);
        if (bill.paid < before) bill.fromCover = before - bill.paid;
        else bill.payNow = bill.paid - before;
    }

    /// What a dispute that is opened at `time` is about: all that the clock has earned but for the seconds that are too
    /// old to be disputed, or that were paid without cover. So a verdict never takes back more than the tied stake.
    function pot(Terms calldata terms, PackedJob job, uint256 time) internal pure returns (Amount) {
        Seconds ran = Clock.secondsAt(terms, job, time);
        Seconds bare = Seconds.wrap(job.paidSeconds() > job.coverSeconds() ? job.paidSeconds() - job.coverSeconds() : 0);
        Seconds stands = Clock.undisputed(job, ran, time).max(bare);
        return earned(terms, job, ran) - earned(terms, job, stands);
    }

    /// The provider's part of a pot.
    function share(Amount pot_, uint16 providerBps) internal pure returns (Amount) {
        return Amount.wrap(Amount.unwrap(pot_) * providerBps / BPS);
    }

    /// What the provider has been paid so far.
    function received(Terms calldata terms, PackedJob job) internal pure returns (Amount) {
        if (job.paidSeconds() == 0) return NO_AMOUNT;
        Amount cost = Accrual.cost(terms.price(), Seconds.wrap(job.paidSeconds()));
        return Accrual.net(cost.max(terms.minimum()), job.feeBps());
    }

    /// At an end by silence or by the provider's giving up, with nothing paid before.
    function _waived(PackedJob job) private pure returns (bool) {
        return job.paidSeconds() == 0 && (job.outcome() == Outcome.Silent || job.outcome() == Outcome.AbortedByProvider);
    }
}
