// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Dispute, State, Status} from "../../src/interfaces/IMarket.sol";
import {MarketCampaign} from "./MarketCampaign.sol";
import {Seen} from "./Model.sol";

/// Disputes: what they hold back, who gets it, and what the stake gives.
contract CourtCampaign is MarketCampaign {
    function verbs() internal view override returns (bytes4[] memory list) {
        list = new bytes4[](19);
        list[0] = handler.elapse.selector;
        list[1] = handler.wait.selector;
        list[2] = handler.toggleBlocked.selector;
        list[3] = handler.withdrawCredit.selector;
        list[4] = handler.begin.selector;
        list[5] = handler.processPayment.selector;
        list[6] = handler.complete.selector;
        list[7] = handler.stop.selector;
        list[8] = handler.finalize.selector;
        list[9] = handler.dispute.selector;
        list[10] = handler.resolve.selector;
        list[11] = handler.misjudge.selector;
        list[12] = handler.setMinBond.selector;
        list[13] = handler.stake.selector;
        list[14] = handler.unstake.selector;
        list[15] = handler.report.selector;
        list[16] = handler.setFee.selector;
        list[17] = handler.hold.selector;
        list[18] = handler.resume.selector;
    }

    function invariant_court() external view {
        (Seen[] memory jobs, State[] memory states) = history();
        check_14();
        check_31();
        check_32();
        check_33();
        check_34();
        check_01(jobs);
        check_03(jobs);
        check_06(jobs, states);
        check_26(jobs);
        check_27(jobs);
        check_28(jobs);
        check_29(jobs);
        check_30(jobs);
    }

    /// 26. A pot is all that was earned but for seconds that are too old or were paid without cover.
    function check_26(Seen[] memory jobs) private view numbered(26) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            if (jobs[i].opener != address(0)) assertEq(_disputeOf(jobs[i]).pot, jobs[i].pot, "26: pot");
        }
    }

    /// 27. A bond is a tenth of the pot or the minimum, whichever is more, and held until the verdict.
    function check_27(Seen[] memory jobs) private view numbered(27) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            if (jobs[i].opener == address(0)) continue;
            Dispute memory dispute = _disputeOf(jobs[i]);
            assertEq(dispute.opener, jobs[i].opener, "27: opener");
            assertEq(dispute.bond, jobs[i].bond, "27: bond");
        }
    }

    /// 28. Opening a dispute gives everything unearned back, pays nobody and books no fee.
    function check_28(Seen[] memory jobs) private view numbered(28) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            Seen memory job = jobs[i];
            if (job.status != Status.Disputed) continue;
            assertEq(job.returned, job.pulled - handler.earned(job, job.endSeconds), "28: unearned");
            uint256 cost = uint256(job.terms.pricePerHour) * job.paidSeconds / 3600;
            if (cost < job.terms.minCharge) cost = job.terms.minCharge;
            if (job.paidSeconds == 0) cost = 0;
            assertEq(job.paid, cost - cost * job.feeBps / 10_000, "28: paid");
            assertEq(job.fee, 0, "28: fee");
        }
    }

    /// 29. A verdict never takes more of the stake than what was tied to the job.
    function check_29(Seen[] memory jobs) private view numbered(29) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            assertLe(jobs[i].taken, handler.tieOf(jobs[i]), "29: beyond the tie");
        }
    }

    /// 30. After a verdict the provider has earned what stood before the pot and its share of it, and owes the fee of that.
    function check_30(Seen[] memory jobs) private view numbered(30) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            Seen memory job = jobs[i];
            if (job.status != Status.Final) continue;
            uint256 earned = handler.earned(job, job.endSeconds) - job.lost;
            assertEq(job.paid - job.taken + job.fee, earned, "30: earned, net of what the stake gave back");
            assertEq(job.fee, earned * job.feeBps / 10_000, "30: fee");
        }
    }

    /// 31. A bond goes back to its opener, or on a wholly adverse verdict to the other party.
    function check_31() private view numbered(31) {
        assertFlawless(31, "31: bond");
    }

    /// 32. Nothing is disputed once every second is too old, or after the window.
    function check_32() private view numbered(32) {
        assertFlawless(32, "32: disputed");
    }

    /// 33. Nobody settles by default before the judge's seven days are over.
    function check_33() private view numbered(33) {
        assertFlawless(33, "33: by default");
    }

    /// 34. Only a judge gives verdicts, and only nothing, half or all.
    function check_34() private view numbered(34) {
        assertFlawless(34, "34: verdict");
    }

    function _disputeOf(Seen memory job) private view returns (Dispute memory) {
        return market.getDispute(market.jobIdOf(job.terms));
    }
}
