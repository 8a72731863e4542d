// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";

/// What a handler decides before it calls: whether the call must go through, and which check speaks when it should not
/// have. Nothing reverts for it, so that a campaign goes on to its checks, which read the flaws.
abstract contract Rules is Test {
    uint256 internal constant GOES_THROUGH = 14;
    uint256 internal constant CREATE = 15;
    uint256 internal constant ACCEPT = 16;
    uint256 internal constant START = 17;
    uint256 internal constant HOLD = 18;
    uint256 internal constant SILENCE = 19;
    uint256 internal constant CLOSE = 20;
    uint256 internal constant FINALIZE = 21;
    uint256 internal constant STRANGERS = 22;
    uint256 internal constant OTHER_TERMS = 23;
    uint256 internal constant BOND_GOES = 31;
    uint256 internal constant DISPUTE = 32;
    uint256 internal constant DEFAULT_VERDICT = 33;
    uint256 internal constant JUDGES = 34;
    uint256 internal constant UNSTAKE = 41;
    uint256 internal constant WITHDRAW = 42;
    uint256 internal constant SLASH_SIZE = 43;
    uint256 internal constant SLASH_TIMES = 44;
    uint256 internal constant SLASH_MONEY = 45;
    uint256 internal constant STAKE_STRANGERS = 46;
    uint256 internal constant STAKE_PAUSED = 47;

    /// How often something happened that the check of this number forbids.
    mapping(uint256 check => uint256) public flaws;
    /// Calls that went through.
    uint256 public acts;
    /// Draws of a verb that always does something: they tell a history from the few calls of one that was shrunk.
    uint256 public turns;

    /// True when the call went through as it had to; what follows from it is then the handler's to note.
    function _call(address to, address from, bytes memory data, bool refused, uint256 check) internal returns (bool) {
        vm.prank(from);
        (bool went,) = to.call(data);
        if (went) ++acts;
        if (went && refused) ++flaws[check];
        if (!went && !refused) ++flaws[GOES_THROUGH];
        return went && !refused;
    }

    function _flawIf(bool wrong, uint256 check) internal {
        if (wrong) ++flaws[check];
    }
}
