// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// A contract of the market's: all of them settle in one token.
interface ISettles {
    /// The settlement token.
    function token() external view returns (address);
}
