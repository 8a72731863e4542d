// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// The contract that holds the roles is OpenZeppelin's as it is; imported so that it is compiled and deployed with ours.
import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
