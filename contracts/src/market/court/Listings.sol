// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketCourt} from "../../interfaces/IMarketCourt.sol";
import {Listing, Resource} from "../../types/Job.sol";
import {CANCEL_FEE_BPS_MAX, CANCEL_FEE_STEP} from "../../types/Limits.sol";
import {Jobs} from "../Jobs.sol";

/// Providers and their resources.
abstract contract Listings is IMarketCourt, Jobs {
    /// @inheritdoc IMarketCourt
    function registerProvider(address agent, address payout) external whenNotPaused returns (uint32 providerId) {
        providerId = _providerIdOf[msg.sender];
        require(providerId == 0, AlreadyRegistered(providerId));
        require(agent != address(0), ZeroAddress());
        if (payout == address(0)) payout = msg.sender;
        _requirePayee(payout);
        providerId = ++_settings.providers;
        require(providerId <= type(uint24).max, TooManyProviders());
        _providerIdOf[msg.sender] = providerId;
        _providers[providerId] = Provider({owner: msg.sender, agent: agent, payout: payout});
        emit ProviderRegistered({providerId: providerId, owner: msg.sender, agent: agent, payout: payout});
    }

    /// @inheritdoc IMarketCourt
    function setAgent(address agent) external {
        require(agent != address(0), ZeroAddress());
        uint32 providerId = _callersProvider();
        _providers[providerId].agent = agent;
        emit AgentChanged(providerId, agent);
    }

    /// @inheritdoc IMarketCourt
    function setPayout(address payout) external {
        uint32 providerId = _callersProvider();
        if (payout == address(0)) payout = msg.sender;
        _requirePayee(payout);
        _providers[providerId].payout = payout;
        emit PayoutChanged(providerId, payout);
    }

    /// @inheritdoc IMarketCourt
    function registerResource(Listing calldata listing) external whenNotPaused returns (bytes32 resourceId) {
        uint32 providerId = _callersProvider();
        resourceId = resourceIdOf(msg.sender, listing.key);
        require(_resources[resourceId].providerId == 0, ResourceExists(resourceId));
        require(listing.pricePerHour != 0, ZeroPrice());
        _resources[resourceId] = ResourceSlot({
            providerId: uint24(providerId),
            flags: listing.simulated ? AVAILABLE | SIMULATED : AVAILABLE,
            cancelFee: 0,
            pricePerHour: listing.pricePerHour,
            stake: 0,
            tied: 0
        });
        emit ResourceRegistered(resourceId, providerId, listing);
    }

    /// @inheritdoc IMarketCourt
    function updateAvailability(bytes32 resourceId, bool available) external {
        ResourceSlot storage resource = _registered(resourceId);
        _requireOwnerOrAgent(_providers[resource.providerId]);
        resource.flags = available ? resource.flags | AVAILABLE : resource.flags & ~AVAILABLE;
        emit AvailabilityChanged(resourceId, available);
    }

    /// @inheritdoc IMarketCourt
    function updatePricing(bytes32 resourceId, uint72 pricePerHour) external {
        ResourceSlot storage resource = _owned(resourceId);
        require(pricePerHour != 0, ZeroPrice());
        resource.pricePerHour = pricePerHour;
        emit PriceChanged(resourceId, pricePerHour);
    }

    /// @inheritdoc IMarketCourt
    function setCancelFee(bytes32 resourceId, uint16 cancelFeeBps) external {
        ResourceSlot storage resource = _owned(resourceId);
        bool fits = cancelFeeBps <= CANCEL_FEE_BPS_MAX && cancelFeeBps % CANCEL_FEE_STEP == 0;
        require(fits, BadCancelFee(cancelFeeBps));
        resource.cancelFee = uint8(cancelFeeBps / CANCEL_FEE_STEP);
        emit CancelFeeChanged(resourceId, cancelFeeBps);
    }

    /// @inheritdoc IMarketCourt
    function getResource(bytes32 resourceId) external view returns (Resource memory) {
        ResourceSlot memory resource = _resources[resourceId];
        Reserve memory reserve = _reserves[resourceId];
        return Resource({
            providerId: resource.providerId,
            available: resource.flags & AVAILABLE != 0,
            busy: resource.flags & BUSY != 0,
            simulated: resource.flags & SIMULATED != 0,
            pricePerHour: resource.pricePerHour,
            stake: resource.stake + reserve.unbonding + reserve.contested,
            tied: resource.tied,
            unbonding: reserve.unbonding,
            contested: reserve.contested,
            cancelFeeBps: uint16(resource.cancelFee) * CANCEL_FEE_STEP
        });
    }

    /// @inheritdoc IMarketCourt
    function providerIdOf(address owner) external view returns (uint32) {
        return _providerIdOf[owner];
    }

    /// @inheritdoc IMarketCourt
    function getProvider(uint32 providerId) external view returns (address owner, address agent, address payout) {
        Provider storage provider = _providers[providerId];
        return (provider.owner, provider.agent, provider.payout);
    }

    /// @inheritdoc IMarketCourt
    function resourceIdOf(address owner, bytes32 key) public pure returns (bytes32) {
        return keccak256(abi.encode(owner, key));
    }

    function _callersProvider() private view returns (uint32 providerId) {
        providerId = _providerIdOf[msg.sender];
        require(providerId != 0, UnknownProvider(msg.sender));
    }
}
