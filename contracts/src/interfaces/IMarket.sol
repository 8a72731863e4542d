// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {
    Dispute,
    Listing,
    Order,
    Outcome,
    Ready,
    Resource,
    SLASH_CONTESTED,
    SLASH_DISMISSED,
    SLASH_EXECUTED,
    SLASH_PROPOSED,
    SlashProposal,
    State,
    Status,
    Terms
} from "../types/Job.sol";
import {IMarketCourt} from "./IMarketCourt.sol";
import {IMarketErrors} from "./IMarketErrors.sol";
import {IMarketEvents} from "./IMarketEvents.sol";
import {IMarketJobs} from "./IMarketJobs.sol";

/// The law: listings, jobs, escrow, the stream of seconds, stake and disputes, at one address with one settlement token.
/// Amounts are smallest units of that token, times unix seconds.
///
/// Two contracts carry it, because one would be larger than the chain allows: `Market`, which holds state and money,
/// and `MarketCourt`, whose code the market runs on its own state for whatever it does not know itself.
interface IMarket is IMarketJobs, IMarketCourt, IMarketEvents, IMarketErrors {}
