// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// Which market is the newest. Nothing is ever upgraded in place: money that is locked in a market stays under the rules
/// it was locked under, and a new version is a new market that new jobs may choose.
interface IVersions {
    event Published(uint256 indexed number, address indexed market, string name);

    error NoCode(address market);
    error AlreadyPublished(address market, uint256 number);
    /// 1 to 32 bytes.
    error BadName(string name);
    error UnknownVersion(uint256 number);

    /// By a role, after its delay. Nothing that was published can be taken back or changed.
    function publish(address market, string calldata name) external returns (uint256 number);
    /// Reverts while nothing is published.
    function latest() external view returns (uint256 number, address market, string memory name, uint40 publishedAt);
    /// Numbers begin with 1.
    function version(uint256 number) external view returns (address market, string memory name, uint40 publishedAt);
    function count() external view returns (uint256);
    /// 0 for an address that was never published.
    function numberOf(address market) external view returns (uint256);
}
