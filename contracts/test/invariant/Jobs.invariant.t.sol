// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {State, Status} from "../../src/interfaces/IMarket.sol";
import {MarketCampaign} from "./MarketCampaign.sol";
import {Seen} from "./Model.sol";

/// Jobs from order to settlement.
contract JobsCampaign is MarketCampaign {
    function verbs() internal view override returns (bytes4[] memory list) {
        list = new bytes4[](25);
        list[0] = handler.elapse.selector;
        list[1] = handler.donate.selector;
        list[2] = handler.toggleBlocked.selector;
        list[3] = handler.togglePause.selector;
        list[4] = handler.setFee.selector;
        list[5] = handler.withdrawFees.selector;
        list[6] = handler.withdrawCredit.selector;
        list[7] = handler.create.selector;
        list[8] = handler.begin.selector;
        list[9] = handler.accept.selector;
        list[10] = handler.abandon.selector;
        list[11] = handler.start.selector;
        list[12] = handler.pauseJob.selector;
        list[13] = handler.hold.selector;
        list[14] = handler.report.selector;
        list[15] = handler.resume.selector;
        list[16] = handler.extend.selector;
        list[17] = handler.processPayment.selector;
        list[18] = handler.complete.selector;
        list[19] = handler.stop.selector;
        list[20] = handler.close.selector;
        list[21] = handler.finalize.selector;
        list[22] = handler.intrude.selector;
        list[23] = handler.bend.selector;
        list[24] = handler.stake.selector;
    }

    function invariant_jobs() external view {
        (Seen[] memory jobs, State[] memory states) = history();
        check_14();
        check_15();
        check_16();
        check_17();
        check_18();
        check_19();
        check_20();
        check_21();
        check_22();
        check_23();
        check_01(jobs);
        check_02(jobs);
        check_03(jobs);
        check_04(jobs);
        check_05(jobs);
        check_06(jobs, states);
        check_07(jobs, states);
        check_08(jobs);
        check_09(jobs, states);
        check_10(jobs);
        check_11(jobs);
        check_12(jobs, states);
        check_13(jobs);
        check_24(jobs);
        check_25();
    }

    /// 02. A job that never ran gave its whole lock back.
    function check_02(Seen[] memory jobs) private view numbered(2) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            if (jobs[i].status != Status.Cancelled) continue;
            assertEq(jobs[i].returned, jobs[i].pulled, "02: all comes back");
        }
    }

    /// 04. What a final job was paid, fee and all, is what the formula gives for its seconds and nothing else.
    function check_04(Seen[] memory jobs) private view numbered(4) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            Seen memory job = jobs[i];
            if (job.status != Status.Final) continue;
            assertEq(job.paid + job.fee, handler.earned(job, job.endSeconds), "04: earned");
        }
    }

    /// 05. The fee is the job's own rate of all that was earned, rounded down once.
    function check_05(Seen[] memory jobs) private view numbered(5) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            Seen memory job = jobs[i];
            if (job.status != Status.Final) continue;
            assertEq(job.fee, handler.earned(job, job.endSeconds) * job.feeBps / 10_000, "05: fee");
        }
    }

    /// 07. A job's clock stands where a stopwatch stands that was held in every gap.
    function check_07(Seen[] memory jobs, State[] memory states) private view numbered(7) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            Seen memory job = jobs[i];
            if (job.status < Status.Running || job.status > Status.Silent) continue;
            assertEq(states[i].pausedSeconds, job.gaps, "07: gaps");
            uint256 hand = states[i].endedAt == 0 ? vm.getBlockTimestamp() : states[i].endedAt;
            assertEq(hand, states[i].startedAt + states[i].pausedSeconds + job.ran, "07: stopwatch");
        }
    }

    /// 08. No provider holds a clock for more than a day in all.
    function check_08(Seen[] memory jobs) private view numbered(8) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            assertLe(jobs[i].pauses, 24 hours, "08: pauses");
        }
    }

    /// 09. What is paid before the end depends on the second it is paid up to, not on how often.
    function check_09(Seen[] memory jobs, State[] memory states) private view numbered(9) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            Seen memory job = jobs[i];
            if (job.status < Status.Running || job.status > Status.Disputed) continue;
            assertEq(states[i].paidSeconds, job.paidSeconds, "09: paidSeconds");
            uint256 cost = uint256(job.terms.pricePerHour) * job.paidSeconds / 3600;
            if (cost < job.terms.minCharge) cost = job.terms.minCharge;
            if (job.paidSeconds == 0) cost = 0;
            assertEq(job.paid, cost - cost * job.feeBps / 10_000, "09: paid");
        }
    }

    /// 10. No minimum is paid out before the seconds, or the stake behind the job, are worth it.
    function check_10(Seen[] memory jobs) private view numbered(10) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            Seen memory job = jobs[i];
            if (job.status < Status.Running || job.status > Status.Disputed || job.paid == 0) continue;
            uint256 cost = uint256(job.terms.pricePerHour) * job.paidSeconds / 3600;
            if (cost < job.terms.minCharge) assertGe(handler.tieOf(job), job.terms.minCharge, "10: minimum");
        }
    }

    /// 11. A resource carries one job at most, and is busy exactly then.
    function check_11(Seen[] memory jobs) private view numbered(11) {
        for (uint256 r = 0; r < 2; ++r) {
            uint256 holds;
            for (uint256 i = 0; i < jobs.length; ++i) {
                bool open = jobs[i].status >= Status.Accepted && jobs[i].status <= Status.Silent;
                if (open && jobs[i].terms.resourceId == handler.resources(r)) ++holds;
            }
            assertLe(holds, 1, "11: one job");
            assertEq(market.getResource(handler.resources(r)).busy, holds == 1, "11: busy");
        }
    }

    /// 12. No fee is booked before a job is final, and its rate is that of the day it was created.
    function check_12(Seen[] memory jobs, State[] memory states) private view numbered(12) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            if (jobs[i].status != Status.Final) assertEq(jobs[i].fee, 0, "12: booked");
            assertEq(states[i].feeBps, jobs[i].feeBps, "12: rate");
        }
    }

    /// 13. Everything unearned is the renter's at the end itself, whatever is still to come.
    function check_13(Seen[] memory jobs) private view numbered(13) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            Seen memory job = jobs[i];
            if (job.status < Status.Ended || job.status == Status.Cancelled) continue;
            assertEq(job.returned, job.pulled - handler.earned(job, job.endSeconds), "13: unearned");
        }
    }

    /// 15. Nothing is ordered in a paused market, nor on a busy resource but for later.
    function check_15() private view numbered(15) {
        assertFlawless(15, "15: created");
    }

    /// 16. No job is accepted late or on a busy resource.
    function check_16() private view numbered(16) {
        assertFlawless(16, "16: accepted");
    }

    /// 17. No clock starts before its time, late, or on a busy resource.
    function check_17() private view numbered(17) {
        assertFlawless(17, "17: started");
    }

    /// 18. No clock is held with nothing left of the day, nor goes on or is completed once its time to go on is over.
    function check_18() private view numbered(18) {
        assertFlawless(18, "18: held");
    }

    /// 19. No silence is dated back more than ten minutes, or reported of a clock that ran to its end.
    function check_19() private view numbered(19) {
        assertFlawless(19, "19: silence");
    }

    /// 20. Nobody closes a job before its deadline.
    function check_20() private view numbered(20) {
        assertFlawless(20, "20: closed");
    }

    /// 21. No job is final while it may be disputed.
    function check_21() private view numbered(21) {
        assertFlawless(21, "21: finalized");
    }

    /// 22. A stranger has no verb in anybody's job, whatever signatures it brings.
    function check_22() private view numbered(22) {
        assertFlawless(22, "22: stranger");
    }

    /// 23. Terms that differ in one field act on no job.
    function check_23() private view numbered(23) {
        assertFlawless(23, "23: other terms");
    }

    /// 24. A job's lock is the cost of all its seconds, however they were bought.
    function check_24(Seen[] memory jobs) private view numbered(24) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            uint256 seconds_ = uint256(jobs[i].terms.maxDuration) + jobs[i].extra;
            assertEq(jobs[i].pulled, uint256(jobs[i].terms.pricePerHour) * seconds_ / 3600, "24: lock");
        }
    }

    /// 25. The market allows nobody its money.
    function check_25() private view numbered(25) {
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(token.allowance(address(market), handler.renters(i)), 0, "25: renter");
            assertEq(token.allowance(address(market), handler.owners(i)), 0, "25: owner");
            assertEq(token.allowance(address(market), handler.payouts(i)), 0, "25: payout");
        }
    }
}
