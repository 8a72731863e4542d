// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// Takes money away from its holders, as tokens do whose balances follow something else.
contract ShrinkingToken is ERC20("Shrinking", "SHR") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function shrink(address from, uint256 amount) external {
        _burn(from, amount);
    }
}
