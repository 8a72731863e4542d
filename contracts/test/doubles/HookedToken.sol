// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// Calls a party back in the middle of a transfer, as ERC-777 does, and tells nobody when that call fails.
contract HookedToken is ERC20("Hooked", "HOK") {
    address private _target;
    bytes private _call;
    bool public lastCallSucceeded;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// The next transfer calls `target` with `data` before it moves anything.
    function arm(address target, bytes calldata data) external {
        (_target, _call) = (target, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        address target = _target;
        if (target != address(0)) {
            _target = address(0);
            (lastCallSucceeded,) = target.call(_call);
        }
        super._update(from, to, value);
    }
}
