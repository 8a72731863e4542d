// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket, Listing, Resource} from "../interfaces/IMarket.sol";
import {Escrow} from "./Escrow.sol";

/// Who provides and what is for rent. Descriptions travel in events; here stands what money depends on.
abstract contract Registry is Escrow {
    struct Provider {
        address owner; //   cold: listings, prices, payout
        address agent; //   hot: runs jobs, moves no money to itself
        address payout; //  where earnings go; never zero, the market or its token
    }

    /// One slot, never zero from registration on.
    struct ResourceSlot {
        uint32 providerId; //    32
        uint8 flags; //           8  bits below
        uint72 pricePerHour; //  72
        uint72 stake; //         72
        uint72 tied; //          72  of the stake, to jobs that are not final
    }

    uint8 private constant AVAILABLE = 1;
    uint8 private constant BUSY = 2;
    uint8 private constant SIMULATED = 4;

    mapping(uint32 providerId => Provider) private _providers;
    mapping(bytes32 resourceId => ResourceSlot) private _resources;

    /// @inheritdoc IMarket
    mapping(address owner => uint32) public providerIdOf;

    /// @inheritdoc IMarket
    function registerProvider(address agent, address payout) external whenNotPaused returns (uint32 providerId) {
        providerId = providerIdOf[msg.sender];
        require(providerId == 0, AlreadyRegistered(providerId));
        require(agent != address(0), ZeroAddress());
        if (payout == address(0)) payout = msg.sender;
        _requirePayee(payout);
        providerId = ++_settings.providers;
        providerIdOf[msg.sender] = providerId;
        _providers[providerId] = Provider({owner: msg.sender, agent: agent, payout: payout});
        emit ProviderRegistered({providerId: providerId, owner: msg.sender, agent: agent, payout: payout});
    }

    /// @inheritdoc IMarket
    function setAgent(address agent) external {
        require(agent != address(0), ZeroAddress());
        uint32 providerId = _callersProvider();
        _providers[providerId].agent = agent;
        emit AgentChanged(providerId, agent);
    }

    /// @inheritdoc IMarket
    function setPayout(address payout) external {
        uint32 providerId = _callersProvider();
        if (payout == address(0)) payout = msg.sender;
        _requirePayee(payout);
        _providers[providerId].payout = payout;
        emit PayoutChanged(providerId, payout);
    }

    /// @inheritdoc IMarket
    function registerResource(Listing calldata listing) external whenNotPaused returns (bytes32 resourceId) {
        uint32 providerId = _callersProvider();
        resourceId = resourceIdOf(msg.sender, listing.key);
        require(_resources[resourceId].providerId == 0, ResourceExists(resourceId));
        require(listing.pricePerHour != 0, ZeroPrice());
        _resources[resourceId] = ResourceSlot({
            providerId: providerId,
            flags: listing.simulated ? AVAILABLE | SIMULATED : AVAILABLE,
            pricePerHour: listing.pricePerHour,
            stake: 0,
            tied: 0
        });
        emit ResourceRegistered(resourceId, providerId, listing);
    }

    /// @inheritdoc IMarket
    function updateAvailability(bytes32 resourceId, bool available) external {
        ResourceSlot storage resource = _registered(resourceId);
        _requireOwnerOrAgent(_providers[resource.providerId]);
        resource.flags = available ? resource.flags | AVAILABLE : resource.flags & ~AVAILABLE;
        emit AvailabilityChanged(resourceId, available);
    }

    /// @inheritdoc IMarket
    function updatePricing(bytes32 resourceId, uint72 pricePerHour) external {
        ResourceSlot storage resource = _registered(resourceId);
        require(_providers[resource.providerId].owner == msg.sender, NotAllowed(msg.sender));
        require(pricePerHour != 0, ZeroPrice());
        resource.pricePerHour = pricePerHour;
        emit PriceChanged(resourceId, pricePerHour);
    }

    /// @inheritdoc IMarket
    function getResource(bytes32 resourceId) external view returns (Resource memory) {
        ResourceSlot memory resource = _resources[resourceId];
        return Resource({
            providerId: resource.providerId,
            available: resource.flags & AVAILABLE != 0,
            busy: resource.flags & BUSY != 0,
            simulated: resource.flags & SIMULATED != 0,
            pricePerHour: resource.pricePerHour,
            stake: resource.stake,
            tied: resource.tied
        });
    }

    /// @inheritdoc IMarket
    function getProvider(uint32 providerId) external view returns (address owner, address agent, address payout) {
        Provider storage provider = _providers[providerId];
        return (provider.owner, provider.agent, provider.payout);
    }

    /// @inheritdoc IMarket
    function resourceIdOf(address owner, bytes32 key) public pure returns (bytes32) {
        return keccak256(abi.encode(owner, key));
    }

    /// Reverts unless a job at `offered` per hour may be ordered now; a busy resource takes orders for later only.
    function _requireRentable(bytes32 resourceId, uint256 offered, bool later) internal view {
        ResourceSlot memory resource = _resources[resourceId];
        require(resource.providerId != 0, UnknownResource(resourceId));
        require(resource.flags & AVAILABLE != 0, ResourceUnavailable(resourceId));
        require(later || resource.flags & BUSY == 0, ResourceBusy(resourceId));
        require(offered >= resource.pricePerHour, PriceTooLow({offered: offered, listed: resource.pricePerHour}));
    }

    /// Binds the resource to one job. Reverts when it has one.
    function _occupy(bytes32 resourceId) internal {
        ResourceSlot storage resource = _resources[resourceId];
        require(resource.flags & BUSY == 0, ResourceBusy(resourceId));
        resource.flags |= BUSY;
    }

    function _free(bytes32 resourceId) internal {
        _resources[resourceId].flags &= ~BUSY;
    }

    function _providerOf(bytes32 resourceId) internal view returns (Provider storage) {
        return _providers[_resources[resourceId].providerId];
    }

    function _requireAgent(bytes32 resourceId) internal view {
        require(_providerOf(resourceId).agent == msg.sender, NotAllowed(msg.sender));
    }

    /// The agent is asked first: it is who calls, day and night.
    function _requireOwnerOrAgent(Provider storage provider) internal view {
        require(provider.agent == msg.sender || provider.owner == msg.sender, NotAllowed(msg.sender));
    }

    function _callersProvider() private view returns (uint32 providerId) {
        providerId = providerIdOf[msg.sender];
        require(providerId != 0, UnknownProvider(msg.sender));
    }

    function _registered(bytes32 resourceId) private view returns (ResourceSlot storage resource) {
        resource = _resources[resourceId];
        require(resource.providerId != 0, UnknownResource(resourceId));
    }
}
