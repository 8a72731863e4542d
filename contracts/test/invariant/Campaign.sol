// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {Rules} from "./Rules.sol";

/// Checks, asserted together after every call of a random history. Each has a number, which begins what it says when it
/// fails. With a number in the environment's CHECK only that one speaks: so each is seen to notice its own mutant.
abstract contract Campaign is Test {
    /// Calls of a whole history that must have gone through, or it was none. Histories are random, and of thousands some
    /// have few: more would fail by chance.
    uint256 private constant ACTS_MIN = 1;
    uint256 private constant TURNS_MIN = 3;

    uint256 private only;

    modifier numbered(uint256 check) {
        if (only == 0 || only == check) _;
    }

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        only = vm.envOr("CHECK", uint256(0));
    }

    /// A campaign in which next to nothing happened proves nothing.
    function afterInvariant() external view {
        if (rules().turns() < TURNS_MIN) return;
        assertGe(rules().acts(), ACTS_MIN, "hardly a call went through");
    }

    /// 14. Whatever the model allows goes through, in a paused market and past blocked payees too.
    function check_14() internal view numbered(14) {
        assertFlawless(14, "14: refused");
    }

    function rules() internal view virtual returns (Rules);

    /// Nothing happened that the check of this number forbids.
    function assertFlawless(uint256 check, string memory message) internal view {
        assertEq(rules().flaws(check), 0, message);
    }
}
