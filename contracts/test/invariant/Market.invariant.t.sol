// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";
import {IMarket, Resource, State, Status} from "../../src/interfaces/IMarket.sol";
import {BlockingToken} from "../doubles/BlockingToken.sol";
import {Handler} from "./Handler.sol";
import {Seen} from "./Model.sol";

/// What holds after every call of every history. The numbers are the protocol's.
contract MarketInvariantTest is Test {
    IMarket private market;
    BlockingToken private token;
    Handler private handler;

    function setUp() external {
        vm.warp(1_800_000_000);
        address admin = address(0xAD);
        token = new BlockingToken();
        AccessManager authority = new AccessManager(admin);
        address court = deployCode("MarketCourt.sol:MarketCourt", abi.encode(token));
        market = IMarket(deployCode("Market.sol:Market", abi.encode(token, authority, uint16(200), court)));
        vm.prank(admin);
        market.setOracle(address(0x3A7), true);
        handler = new Handler(market, token);
        targetContract(address(handler));
    }

    /// 1. What is held covers open locks, fees, stake, bonds and credits, to the unit; donations lie on top, out of reach.
    function invariant_1_heldCoversEverythingOwed() external view {
        uint256 owed = market.fees();
        for (uint256 i = 0; i < 2; ++i) {
            owed += market.credits(handler.renters(i)) + market.credits(handler.owners(i)) + handler.staked(i);
        }
        for (uint256 i = 0; i < handler.count(); ++i) {
            Seen memory job = handler.jobAt(i);
            owed += job.pulled + job.taken + job.bond - job.paid - job.returned - job.fee;
        }
        assertEq(token.balanceOf(address(market)), owed + handler.donated());
    }

    /// 2. A job that is over has shared out its lock without a remainder, by the formula and nothing else.
    function invariant_2_finalJobsAddUp() external view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            Seen memory job = handler.jobAt(i);
            if (job.status == Status.Cancelled) {
                assertEq(job.returned, job.pulled, "all comes back");
            } else if (job.status == Status.Final) {
                uint256 earned = handler.earned(job, job.endSeconds) - job.lost;
                assertEq(job.paid + job.fee + job.returned, job.pulled + job.taken, "whole lock");
                assertEq(job.paid - job.taken + job.fee, earned, "earned, net of what the stake gave back");
                assertEq(job.fee, earned * job.feeBps / 10_000, "fee");
            }
        }
    }

    /// 4. A paused market ends, pays and refunds as before: the handler pauses at random, ends jobs all the same, and
    /// any revert fails the run. Here: the market stands where the model stands.
    function invariant_4_everyStepWentThrough() external view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            Seen memory job = handler.jobAt(i);
            State memory state = market.getJob(market.jobIdOf(job.terms));
            assertEq(uint8(state.status), uint8(job.status), "status");
            assertEq(uint8(state.outcome), uint8(job.outcome), "outcome");
            assertEq(state.since, job.since, "since");
            assertEq(state.extraSeconds, job.extra, "extraSeconds");
            if (job.status < Status.Running || job.status > Status.Silent) continue;
            assertEq(state.pausedSeconds, job.gaps, "gaps");
            assertLe(job.pauses, 24 hours, "pauses of a day in all");
            uint256 hand = state.endedAt == 0 ? vm.getBlockTimestamp() : state.endedAt;
            assertEq(hand, state.startedAt + state.pausedSeconds + job.ran, "stopwatch");
        }
    }

    /// 6. What a job has paid before it is final depends on the second it is paid up to, not on how often.
    function invariant_6_paymentsDependOnSecondsAlone() external view {
        for (uint256 i = 0; i < handler.count(); ++i) {
            Seen memory job = handler.jobAt(i);
            if (job.status < Status.Running || job.status > Status.Disputed) continue;
            assertEq(market.getJob(market.jobIdOf(job.terms)).paidSeconds, job.paidSeconds, "paidSeconds");
            if (job.paidSeconds == 0) {
                assertEq(job.paid, 0, "nothing");
                continue;
            }
            uint256 cost = uint256(job.terms.pricePerHour) * job.paidSeconds / 3600;
            if (cost < job.terms.minCharge) {
                cost = job.terms.minCharge;
                assertGe(handler.tieOf(job), cost, "no minimum before the seconds or the cover are worth it");
            }
            assertEq(job.paid, cost - cost * job.feeBps / 10_000, "paid");
        }
    }

    /// 7. A resource carries one job at most, and is busy exactly then. Its stake is what was put in and not taken out, and
    /// tied stake is what covers open jobs, never more than there is.
    function invariant_7_oneJobOnAResource() external view {
        for (uint256 r = 0; r < 2; ++r) {
            uint256 jobs;
            for (uint256 i = 0; i < handler.count(); ++i) {
                Seen memory job = handler.jobAt(i);
                bool holds = job.status >= Status.Accepted && job.status <= Status.Silent;
                if (holds && job.terms.resourceId == handler.resources(r)) ++jobs;
            }
            assertLe(jobs, 1, "one job");
            Resource memory resource = market.getResource(handler.resources(r));
            assertEq(resource.busy, jobs == 1, "busy");
            assertEq(resource.stake, handler.staked(r), "stake");
            assertEq(resource.unbonding, handler.unbonding(r), "unbonding");
            assertEq(resource.tied, handler.tiedOf(r), "tied");
            assertLe(resource.tied + resource.unbonding, resource.stake, "tied beyond the stake");
        }
    }
}
