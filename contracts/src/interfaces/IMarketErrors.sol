// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, Status} from "../types/Job.sol";

/// Why the market refuses.
interface IMarketErrors {
    error NotAllowed(address caller);
    error UnknownProvider(address owner);
    error AlreadyRegistered(uint32 providerId);
    /// All ids are given away.
    error TooManyProviders();
    error ResourceExists(bytes32 resourceId);
    error UnknownResource(bytes32 resourceId);
    error ResourceUnavailable(bytes32 resourceId);
    error ResourceBusy(bytes32 resourceId);
    /// The listing costs more than the terms offer.
    error PriceTooLow(uint256 offered, uint256 listed);
    /// A field of the terms is out of its range; the field's name.
    error BadTerms(string field);
    /// The terms are not what the renter ordered; the order's field.
    error BadOrder(string field);
    /// More than the renter let be locked under the order's nonce.
    error OverBudget(uint256 needed, uint256 left);
    error JobExists(bytes32 jobId);
    error WrongStatus(bytes32 jobId, Status status);
    error TooEarly(uint256 notBefore);
    error TooLate(uint256 deadline);
    /// The signature over Ready, Extend or Order is not by who must sign it.
    error BadSignature(address signer);
    error ReadyExpired(uint40 at);
    error BadOutcome(Outcome outcome);
    error BadLastSeen(uint40 lastSeen);
    /// The job's clock has been held for a day in all.
    error NoPauseLeft(bytes32 jobId);
    error NothingDue();
    /// The free stake is less.
    error NotEnoughStake(uint256 asked, uint256 free);
    /// A fifth of the stake that is tied to no job is the most for one proposal.
    error SlashTooHigh(uint256 asked, uint256 most);
    /// The proposal is not in the state that the call is for.
    error WrongSlashStatus(uint256 proposalId, uint8 status);
    /// A verdict gives the provider 0, 5,000 or 10,000 hundredths of a percent of the pot.
    error BadVerdict(uint16 providerBps);
    /// Over 2,500, or no multiple of 10.
    error BadCancelFee(uint16 cancelFeeBps);
    error WrongToken(address token);
    /// Neither the market nor its token can be paid.
    error BadPayout(address payout);
    error WrongAmountReceived(uint256 expected, uint256 received);
    error FeeTooHigh(uint16 feeBps);
    /// The contract of the cold verbs settles in another token.
    error WrongCourt(address court);
    error ZeroAddress();
    error ZeroPrice();
    /// Creating, registering and staking is paused; everything else goes on.
    error MarketPaused();
}
