// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IMarket} from "../interfaces/IMarket.sol";
import {ITills} from "./ITills.sol";
import {ProviderTill} from "./ProviderTill.sol";

/// Tills by CREATE2 with the provider's id as salt.
contract Tills is ITills, AccessManaged {
    IMarket private immutable MARKET;
    address private immutable TILL;

    /// @inheritdoc ITills
    address public feePayee;

    /// @param authority an AccessManager whose roles name the platform's payee
    constructor(IMarket market_, address authority, address feePayee_) AccessManaged(authority) {
        MARKET = market_;
        TILL = address(new ProviderTill(market_));
        _setFeePayee(feePayee_);
    }

    /// @inheritdoc ITills
    function open(uint32 providerId) external returns (address till) {
        till = tillOf(providerId);
        if (till.code.length != 0) return till;
        (address owner,,) = MARKET.getProvider(providerId);
        require(owner != address(0), UnknownProvider(providerId));
        uint16 feeBps = MARKET.feeBps();
        Clones.cloneDeterministic(TILL, bytes32(uint256(providerId)));
        ProviderTill(till).initialize(providerId, feeBps);
        emit TillOpened({providerId: providerId, till: till, feeBps: feeBps});
    }

    /// @inheritdoc ITills
    function setFeePayee(address feePayee_) external restricted {
        _setFeePayee(feePayee_);
    }

    /// @inheritdoc ITills
    function tillOf(uint32 providerId) public view returns (address till) {
        return Clones.predictDeterministicAddress(TILL, bytes32(uint256(providerId)));
    }

    /// @inheritdoc ITills
    function market() external view returns (address) {
        return address(MARKET);
    }

    function _setFeePayee(address feePayee_) private {
        require(feePayee_ != address(0), ZeroAddress());
        feePayee = feePayee_;
        emit FeePayeeChanged(feePayee_);
    }
}
