// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Resource, State, Status} from "../../src/interfaces/IMarket.sol";
import {MarketCampaign} from "./MarketCampaign.sol";
import {Seen} from "./Model.sol";

/// Stake: what it is tied to, how it leaves, and what is taken of it.
contract StakeCampaign is MarketCampaign {
    function verbs() internal view override returns (bytes4[] memory list) {
        list = new bytes4[](20);
        list[0] = handler.elapse.selector;
        list[1] = handler.wait.selector;
        list[2] = handler.toggleBlocked.selector;
        list[3] = handler.togglePause.selector;
        list[4] = handler.create.selector;
        list[5] = handler.begin.selector;
        list[6] = handler.accept.selector;
        list[7] = handler.abandon.selector;
        list[8] = handler.stop.selector;
        list[9] = handler.finalize.selector;
        list[10] = handler.dispute.selector;
        list[11] = handler.resolve.selector;
        list[12] = handler.stake.selector;
        list[13] = handler.unstake.selector;
        list[14] = handler.withdrawStake.selector;
        list[15] = handler.propose.selector;
        list[16] = handler.contest.selector;
        list[17] = handler.decide.selector;
        list[18] = handler.execute.selector;
        list[19] = handler.grab.selector;
    }

    function invariant_stake() external view {
        (Seen[] memory jobs, State[] memory states) = history();
        check_14();
        check_41();
        check_42();
        check_43();
        check_44();
        check_45();
        check_46();
        check_47();
        check_01(jobs);
        for (uint256 r = 0; r < 2; ++r) {
            Resource memory resource = market.getResource(handler.resources(r));
            check_35(resource, r);
            check_36(resource, r);
            check_37(resource, r);
            check_38(resource, r);
            check_39(resource);
        }
        check_40(jobs, states);
    }

    /// 35. A resource's stake is what was put in, less what was withdrawn, slashed or taken by verdicts.
    function check_35(Resource memory resource, uint256 r) private view numbered(35) {
        assertEq(resource.stake, handler.staked(r), "35: stake");
    }

    /// 36. Tied is what covers jobs that are not over.
    function check_36(Resource memory resource, uint256 r) private view numbered(36) {
        assertEq(resource.tied, handler.tiedOf(r), "36: tied");
    }

    /// 37. Unbonding is what was asked back and has neither gone nor been held by a proposal.
    function check_37(Resource memory resource, uint256 r) private view numbered(37) {
        assertEq(resource.unbonding, handler.unbonding(r), "37: unbonding");
    }

    /// 38. Contested is what proposals hold that are not settled.
    function check_38(Resource memory resource, uint256 r) private view numbered(38) {
        assertEq(resource.contested, handler.contested(r), "38: contested");
    }

    /// 39. No unit of stake is promised twice.
    function check_39(Resource memory resource) private view numbered(39) {
        uint256 promised = uint256(resource.tied) + resource.unbonding + resource.contested;
        assertLe(promised, resource.stake, "39: promised twice");
    }

    /// 40. A job is covered for as many seconds as free stake paid for when it was accepted: an hour at most.
    function check_40(Seen[] memory jobs, State[] memory states) private view numbered(40) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            if (jobs[i].status < Status.Accepted || jobs[i].status == Status.Cancelled) continue;
            assertEq(states[i].coverSeconds, jobs[i].cover, "40: cover");
            assertLe(states[i].coverSeconds, 1 hours, "40: window");
        }
    }

    /// 41. Stake that is tied, unbonding or contested cannot be asked back.
    function check_41() private view numbered(41) {
        assertFlawless(41, "41: unstaked");
    }

    /// 42. Nothing unbonding leaves before fourteen days.
    function check_42() private view numbered(42) {
        assertFlawless(42, "42: withdrawn");
    }

    /// 43. No proposal takes more than a fifth of what is tied to no job.
    function check_43() private view numbered(43) {
        assertFlawless(43, "43: slash");
    }

    /// 44. A slash is contested in time, decided only when contested, executed only after its time, and settled once.
    function check_44() private view numbered(44) {
        assertFlawless(44, "44: settled");
    }

    /// 45. Of a slash the harmed renter gets up to the loss, and nobody the rest.
    function check_45() private view numbered(45) {
        assertFlawless(45, "45: proceeds");
    }

    /// 46. Nobody but the owner moves stake or contests; nobody but its role proposes or decides.
    function check_46() private view numbered(46) {
        assertFlawless(46, "46: stranger");
    }

    /// 47. A paused market takes no stake.
    function check_47() private view numbered(47) {
        assertFlawless(47, "47: staked");
    }
}
