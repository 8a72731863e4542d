// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PackedJob} from "../../src/libraries/JobSlot.sol";
import {Bill, Settlement} from "../../src/libraries/Settlement.sol";
import {TermsLib} from "../../src/libraries/TermsLib.sol";
import {Terms} from "../../src/types/Job.sol";
import {BPS, FEE_BPS_MAX} from "../../src/types/Limits.sol";
import {Amount, Seconds} from "../../src/types/Units.sol";

/// How a lock is shared out, proved by halmos for any terms and any word of a job: what the market may store is a part
/// of that.
contract SettlementProof {
    using TermsLib for Terms;

    /// What a renter locked is what the provider, the platform and the renter get, and no more.
    function check_TheLockIsSharedOut(Terms calldata terms, PackedJob job, uint32 ran) external pure {
        if (!_inRange(terms, job)) return;
        uint256 locked = Amount.unwrap(terms.locked(job.extraSeconds()));
        Amount earned = Settlement.earned(terms, job, Seconds.wrap(ran));
        assert(Amount.unwrap(earned) <= locked);
        uint256 refunded = locked - Amount.unwrap(earned);
        Bill memory bill = Settlement.close(terms, job, earned);
        assert(Amount.unwrap(bill.paid) + Amount.unwrap(bill.fee) + refunded == locked);
    }

    /// The last bill makes the provider's total exactly `paid`: it pays the rest, or the cover gives back the excess.
    function check_TheLastBillComesToWhatIsPaid(Terms calldata terms, PackedJob job, uint128 earned) external pure {
        if (!_inRange(terms, job)) return;
        Bill memory bill = Settlement.close(terms, job, Amount.wrap(earned));
        uint256 before = Amount.unwrap(Settlement.received(terms, job));
        (uint256 payNow, uint256 fromCover) = (Amount.unwrap(bill.payNow), Amount.unwrap(bill.fromCover));
        assert(payNow == 0 || fromCover == 0);
        assert(before + payNow - fromCover == Amount.unwrap(bill.paid));
        assert(Amount.unwrap(bill.paid) + Amount.unwrap(bill.fee) == earned);
    }

    /// A verdict shares out the pot without a remainder, and gives neither side more than the pot.
    function check_AVerdictSharesThePot(uint128 pot, uint16 providerBps) external pure {
        if (providerBps > BPS) return;
        uint256 kept = Amount.unwrap(Settlement.share(Amount.wrap(pot), providerBps));
        assert(kept <= pot);
        assert(providerBps != BPS || kept == pot);
        assert(providerBps != 0 || kept == 0);
    }

    function _inRange(Terms calldata terms, PackedJob job) private pure returns (bool) {
        uint256 word = PackedJob.unwrap(job);
        return uint8(word >> 8) <= 6 && job.feeBps() <= FEE_BPS_MAX && terms.pricePerHour <= type(uint72).max;
    }
}
