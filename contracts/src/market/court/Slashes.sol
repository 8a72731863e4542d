// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketCourt} from "../../interfaces/IMarketCourt.sol";
import {SLASH_CONTESTED, SLASH_DISMISSED, SLASH_EXECUTED, SLASH_PROPOSED, SlashProposal} from "../../types/Job.sol";
import {ANSWER_WITHIN, BPS, CONTEST_WITHIN, NOWHERE, SLASH_BPS_MAX} from "../../types/Limits.sol";
import {Amount} from "../../types/Units.sol";
import {Jobs} from "../Jobs.sol";

/// Stake taken for a wrong that no dispute settles: proposed with evidence, held at once, taken two days later. Who
/// proposes does not decide, and neither gains.
abstract contract Slashes is IMarketCourt, Jobs {
    /// @inheritdoc IMarketCourt
    function proposeSlash(bytes32 resourceId, address harmed, uint72 amount, uint128 loss, string calldata evidenceCid)
        external
        restricted
        returns (uint256 proposalId)
    {
        require(amount != 0, NothingDue());
        require(harmed != address(0) || loss == 0, ZeroAddress());
        require(harmed != msg.sender && !_isOracle[harmed], NotAllowed(harmed));
        _requirePayee(harmed);
        uint72 fromUnbonding = _contest(resourceId, amount);
        proposalId = ++_slashCount;
        uint40 until = uint40(block.timestamp + CONTEST_WITHIN);
        SlashProposal memory proposal = SlashProposal({
            resourceId: resourceId,
            harmed: harmed,
            contestableUntil: until,
            status: SLASH_PROPOSED,
            amount: amount,
            loss: loss
        });
        _slashes[proposalId] = Slash({proposal: proposal, fromUnbonding: fromUnbonding});
        emit SlashProposed(proposalId, resourceId, harmed, amount, loss, until, evidenceCid);
    }

    /// @inheritdoc IMarketCourt
    function contestSlash(uint256 proposalId, string calldata evidenceCid) external {
        SlashProposal storage proposal = _proposalIn(proposalId, SLASH_PROPOSED);
        _owned(proposal.resourceId);
        _requireNotAfter(proposal.contestableUntil);
        proposal.status = SLASH_CONTESTED;
        emit SlashContested(proposalId, evidenceCid);
    }

    /// @inheritdoc IMarketCourt
    function decideSlash(uint256 proposalId, bool slash) external restricted {
        _proposalIn(proposalId, SLASH_CONTESTED);
        _settleSlash(proposalId, slash);
    }

    /// @inheritdoc IMarketCourt
    function executeSlash(uint256 proposalId) external {
        SlashProposal storage proposal = _slashes[proposalId].proposal;
        if (proposal.status == SLASH_CONTESTED) {
            _requireAfter(proposal.contestableUntil + ANSWER_WITHIN);
            _settleSlash(proposalId, false);
        } else {
            _proposalIn(proposalId, SLASH_PROPOSED);
            _requireAfter(proposal.contestableUntil);
            _settleSlash(proposalId, true);
        }
    }

    /// @inheritdoc IMarketCourt
    function getSlash(uint256 proposalId) external view returns (SlashProposal memory) {
        return _slashes[proposalId].proposal;
    }

    /// Sets the amount apart, so that it can be neither tied nor withdrawn: of the free stake first, then of what is
    /// unbonding.
    function _contest(bytes32 resourceId, uint72 amount) private returns (uint72 fromUnbonding) {
        ResourceSlot storage resource = _registered(resourceId);
        Reserve storage reserve = _reserves[resourceId];
        uint72 free = resource.stake - resource.tied;
        uint256 most = (uint256(free) + reserve.unbonding) * SLASH_BPS_MAX / BPS;
        require(amount <= most, SlashTooHigh({asked: amount, most: most}));
        fromUnbonding = amount > free ? amount - free : 0;
        resource.stake -= amount - fromUnbonding;
        reserve.unbonding -= fromUnbonding;
        reserve.contested += amount;
    }

    function _settleSlash(uint256 proposalId, bool slash) private {
        SlashProposal storage stored = _slashes[proposalId].proposal;
        SlashProposal memory proposal = stored;
        stored.status = slash ? SLASH_EXECUTED : SLASH_DISMISSED;
        Reserve storage reserve = _reserves[proposal.resourceId];
        reserve.contested -= proposal.amount;
        if (!slash) {
            uint72 fromUnbonding = _slashes[proposalId].fromUnbonding;
            reserve.unbonding += fromUnbonding;
            _resources[proposal.resourceId].stake += proposal.amount - fromUnbonding;
            emit SlashSettled({proposalId: proposalId, slashed: false, toHarmed: 0, burned: 0});
            return;
        }
        uint256 toHarmed = proposal.loss < proposal.amount ? proposal.loss : proposal.amount;
        uint256 burned = proposal.amount - toHarmed;
        emit SlashSettled({proposalId: proposalId, slashed: true, toHarmed: toHarmed, burned: burned});
        _sendOrCredit(proposal.harmed, Amount.wrap(toHarmed));
        _sendOrCredit(NOWHERE, Amount.wrap(burned));
    }

    function _proposalIn(uint256 proposalId, uint8 status) private view returns (SlashProposal storage proposal) {
        proposal = _slashes[proposalId].proposal;
        require(proposal.status == status, WrongSlashStatus(proposalId, proposal.status));
    }
}
