// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Terms} from "../types/Job.sol";
import {CANCEL_FEE_STEP, WINDOW} from "../types/Limits.sol";
import {Amount, Seconds} from "../types/Units.sol";
import {Accrual} from "../libraries/Accrual.sol";
import {TermsLib} from "../libraries/TermsLib.sol";
import {Escrow} from "./Escrow.sol";

/// Who provides, what is for rent and what stake stands behind it. Descriptions travel in events; here stands what money
/// depends on.
abstract contract Registry is Escrow {
    using TermsLib for Terms;

    struct Provider {
        address owner; //   cold: listings, prices, payout, stake
        address agent; //   hot: runs jobs, moves no money to itself
        address payout; //  where earnings go; never zero, the market or its token
    }

    /// One slot, never zero from registration on.
    struct ResourceSlot {
        uint24 providerId; //    24
        uint8 flags; //           8  bits below
        uint8 cancelFee; //       8  steps of a tenth of a percent
        uint72 pricePerHour; //  72
        uint72 stake; //         72  that may be tied or is; what unbonds or is contested has left it
        uint72 tied; //          72  of the stake, to jobs that are not final
    }

    /// Stake that has left the slot above and may not be tied.
    struct Reserve {
        uint72 unbonding; //     72
        uint72 contested; //     72
        uint40 availableAt; //   40  when what is unbonding may be withdrawn
    }

    uint8 internal constant AVAILABLE = 1;
    uint8 internal constant BUSY = 2;
    uint8 internal constant SIMULATED = 4;

    mapping(uint32 providerId => Provider) internal _providers;
    mapping(address owner => uint32) internal _providerIdOf;
    mapping(bytes32 resourceId => ResourceSlot) internal _resources;
    mapping(bytes32 resourceId => Reserve) internal _reserves;

    /// Reverts unless the listing takes these terms now; a busy resource takes orders for later only.
    function _requireRentable(Terms calldata terms, bool later) internal view {
        bytes32 resourceId = terms.resourceId;
        ResourceSlot memory resource = _resources[resourceId];
        require(resource.providerId != 0, UnknownResource(resourceId));
        require(resource.flags & AVAILABLE != 0, ResourceUnavailable(resourceId));
        require(later || resource.flags & BUSY == 0, ResourceBusy(resourceId));
        uint96 offered = terms.pricePerHour;
        require(offered >= resource.pricePerHour, PriceTooLow({offered: offered, listed: resource.pricePerHour}));
        require(_mayAskCancelFee(terms, resource, later), BadTerms("cancelFeeBps"));
    }

    /// A cancel fee binds reservations only, within the listing's figure. It needs a registered watcher as controller,
    /// so that neither side can hold up the start to make the other one give up.
    function _mayAskCancelFee(Terms calldata terms, ResourceSlot memory resource, bool later)
        internal
        view
        returns (bool)
    {
        if (terms.cancelFeeBps == 0) return true;
        bool listed = terms.cancelFeeBps <= uint256(resource.cancelFee) * CANCEL_FEE_STEP;
        return later && listed && _isWatcher[terms.controller];
    }

    /// Binds the resource to one job, and free stake for as many of its seconds as there is: at most the dispute window
    /// and what the job can run. Reverts when the resource has a job.
    function _occupy(Terms calldata terms) internal returns (uint16 coverSeconds) {
        bytes32 resourceId = terms.resourceId;
        ResourceSlot memory resource = _resources[resourceId];
        require(resource.flags & BUSY == 0, ResourceBusy(resourceId));
        Amount free = Amount.wrap(resource.stake - resource.tied);
        Seconds most = Seconds.wrap(terms.maxDuration).min(Seconds.wrap(WINDOW));
        coverSeconds = uint16(Seconds.unwrap(Accrual.vouched(terms.price(), free, most)));
        resource.flags |= BUSY;
        resource.tied += uint72(Amount.unwrap(terms.tie(coverSeconds)));
        _resources[resourceId] = resource;
    }

    /// The resource may take its next job; stake stays tied until this one is final.
    function _free(bytes32 resourceId) internal {
        _resources[resourceId].flags &= ~BUSY;
    }

    /// Gives the tied stake back, less `taken` of it.
    function _untie(Terms calldata terms, uint16 coverSeconds, Amount taken) internal {
        if (coverSeconds == 0) return;
        ResourceSlot memory resource = _resources[terms.resourceId];
        resource.tied -= uint72(Amount.unwrap(terms.tie(coverSeconds)));
        resource.stake -= uint72(Amount.unwrap(taken));
        _resources[terms.resourceId] = resource;
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

    function _registered(bytes32 resourceId) internal view returns (ResourceSlot storage resource) {
        resource = _resources[resourceId];
        require(resource.providerId != 0, UnknownResource(resourceId));
    }

    /// The same, for the owner alone.
    function _owned(bytes32 resourceId) internal view returns (ResourceSlot storage resource) {
        resource = _registered(resourceId);
        require(_providers[resource.providerId].owner == msg.sender, NotAllowed(msg.sender));
    }
}
