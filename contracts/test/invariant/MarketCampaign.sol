// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IMarket, State, Status} from "../../src/interfaces/IMarket.sol";
import {BlockingToken} from "../doubles/BlockingToken.sol";
import {Campaign} from "./Campaign.sol";
import {Handler} from "./Handler.sol";
import {Seen} from "./Model.sol";
import {Rules} from "./Rules.sol";

/// A market with its walker, and what three campaigns ask of it after every call.
abstract contract MarketCampaign is Campaign {
    IMarket internal market;
    BlockingToken internal token;
    Handler internal handler;

    function setUp() public override {
        super.setUp();
        address admin = address(0xAD);
        token = new BlockingToken();
        AccessManager authority = new AccessManager(admin);
        address court = deployCode("MarketCourt.sol:MarketCourt", abi.encode(token));
        market = IMarket(deployCode("Market.sol:Market", abi.encode(token, authority, uint16(200), court)));
        vm.prank(admin);
        market.setOracle(address(0x3A7), true);
        handler = new Handler(market, token);
        // One machine with some stake behind it, and a job on each.
        handler.stake(0, 1_500_000);
        handler.begin(0, 3000, 0);
        handler.begin(3, 9000, 100_000);
        targetContract(address(handler));
        targetSelector(FuzzSelector({addr: address(handler), selectors: verbs()}));
    }

    /// Of the walker's verbs those that the campaign is about.
    function verbs() internal view virtual returns (bytes4[] memory);

    function rules() internal view override returns (Rules) {
        return handler;
    }

    function history() internal view returns (Seen[] memory jobs, State[] memory states) {
        jobs = handler.jobs();
        states = new State[](jobs.length);
        for (uint256 i = 0; i < jobs.length; ++i) {
            states[i] = market.getJob(market.jobIdOf(jobs[i].terms));
        }
    }

    /// 01. What is held is open locks, fees, stake, bonds and credits, to the unit; donations lie on top, out of reach.
    function check_01(Seen[] memory jobs) internal view numbered(1) {
        uint256 owed = market.fees() + handler.donated();
        for (uint256 i = 0; i < 2; ++i) {
            owed += market.credits(handler.renters(i)) + market.credits(handler.owners(i)) + handler.staked(i);
        }
        for (uint256 i = 0; i < jobs.length; ++i) {
            Seen memory job = jobs[i];
            owed += job.pulled + job.taken + job.bond - job.paid - job.returned - job.fee;
        }
        assertEq(token.balanceOf(address(market)), owed, "01: held");
    }

    /// 03. A job that is final has shared out its lock, and what the stake gave, without a remainder.
    function check_03(Seen[] memory jobs) internal view numbered(3) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            Seen memory job = jobs[i];
            if (job.status != Status.Final) continue;
            assertEq(job.paid + job.fee + job.returned, job.pulled + job.taken, "03: whole lock");
        }
    }

    /// 06. Status, outcome, time of the last change and extension stand where the model stands.
    function check_06(Seen[] memory jobs, State[] memory states) internal view numbered(6) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            assertEq(uint8(states[i].status), uint8(jobs[i].status), "06: status");
            assertEq(uint8(states[i].outcome), uint8(jobs[i].outcome), "06: outcome");
            assertEq(states[i].since, jobs[i].since, "06: since");
            assertEq(states[i].extraSeconds, jobs[i].extra, "06: extraSeconds");
        }
    }
}
