// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {AuthorizedTransfer} from "./AuthorizedTransfer.sol";

/// The settlement token of development chains: shaped like a dollar stablecoin, so that what works with it works with
/// one of those. Permit (ERC-2612), authorizations with random nonces (EIP-3009) in both overloads.
contract GPUToken is ERC20, ERC20Permit, AuthorizedTransfer, AccessManaged {
    constructor(address authority) ERC20("GPU Token", "GPU") ERC20Permit("GPU Token") AccessManaged(authority) {}

    /// New money out of nothing, for a faucet; by a role of the AccessManager.
    function mint(address to, uint256 amount) external restricted {
        _mint(to, amount);
    }

    /// As with the dollar: one unit is a millionth.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
