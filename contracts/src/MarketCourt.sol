// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Escrow} from "./market/Escrow.sol";
import {Disputes} from "./market/court/Disputes.sol";
import {Incidents} from "./market/court/Incidents.sol";
import {Listings} from "./market/court/Listings.sol";
import {Operation} from "./market/court/Operation.sol";
import {Orders} from "./market/court/Orders.sol";
import {Slashes} from "./market/court/Slashes.sol";
import {Stakes} from "./market/court/Stakes.sol";

/// The code of the verbs that are seldom called. A market runs it on its own state; called at its own address it has no
/// roles, and is paused for good, so that nobody lists or stakes there by mistake. Like the market it declares no
/// storage of its own: both inherit the same slots.
contract MarketCourt is Listings, Orders, Incidents, Stakes, Disputes, Slashes, Operation {
    /// @param token_ the settlement token of the markets that it serves
    constructor(IERC20 token_) AccessManaged(address(0)) Escrow(token_) {
        _setPaused(true);
    }
}
