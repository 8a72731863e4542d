// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IVersions} from "./interfaces/IVersions.sol";

/// A list that only grows.
contract Versions is IVersions, AccessManaged {
    struct Version {
        address market;
        uint40 publishedAt;
        string name;
    }

    /// A name is shown in one line.
    uint256 private constant NAME_BYTES_MAX = 32;

    Version[] private _versions;

    /// @inheritdoc IVersions
    mapping(address market => uint256) public numberOf;

    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IVersions
    function publish(address market, string calldata name) external restricted returns (uint256 number) {
        require(market.code.length != 0, NoCode(market));
        require(numberOf[market] == 0, AlreadyPublished(market, numberOf[market]));
        require(bytes(name).length != 0 && bytes(name).length <= NAME_BYTES_MAX, BadName(name));
        _versions.push(Version({market: market, publishedAt: uint40(block.timestamp), name: name}));
        number = _versions.length;
        numberOf[market] = number;
        emit Published({number: number, market: market, name: name});
    }

    /// @inheritdoc IVersions
    function latest() external view returns (uint256 number, address market, string memory name, uint40 publishedAt) {
        number = _versions.length;
        (market, name, publishedAt) = version(number);
    }

    /// @inheritdoc IVersions
    function count() external view returns (uint256) {
        return _versions.length;
    }

    /// @inheritdoc IVersions
    function version(uint256 number) public view returns (address market, string memory name, uint40 publishedAt) {
        require(number != 0 && number <= _versions.length, UnknownVersion(number));
        Version storage found = _versions[number - 1];
        return (found.market, found.name, found.publishedAt);
    }
}
