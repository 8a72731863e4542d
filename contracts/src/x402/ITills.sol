// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, VoucherClaim} from "./IBatchSettlement.sol";

/// Opens tills: one for each provider, at an address that follows from market and provider alone, so that it can be
/// paid before it is opened.
interface ITills {
    event TillOpened(uint32 indexed providerId, address till, uint16 feeBps);
    event FeePayeeChanged(address feePayee);

    error UnknownProvider(uint32 providerId);
    error ZeroAddress();

    /// By anyone; the till keeps the market's present fee for good. Opening an open one changes nothing.
    function open(uint32 providerId) external returns (address till);
    /// Where the platform's part of every till goes, read when it is paid. By a role.
    function setFeePayee(address feePayee) external;
    function tillOf(uint32 providerId) external view returns (address till);
    function feePayee() external view returns (address);
    function market() external view returns (address);
}

/// Where a provider is paid over HTTP. Whatever arrives, in any token, is shared between provider and platform by one
/// sum over all that ever arrived, so that many small payments lose nothing to rounding. Each side is paid in a call of
/// its own: nobody who cannot be paid holds up the other.
interface IProviderTill {
    /// `to` got what was due to the provider by then.
    event ProviderPaid(address indexed token, address to, uint256 amount);
    event FeePaid(address indexed token, address to, uint256 amount);

    error OnlyFactory(address caller);
    error NotAllowed(address caller);
    error NothingDue();
    /// The payee is this till.
    error BadPayee(address payee);

    /// By anyone: the provider's part to the payout address that the market names now.
    function payProvider(address token) external;
    /// By anyone: the platform's part to the address that the factory names now.
    function payFee(address token) external;
    /// By the provider's owner: `claim` of BatchSettlement, as the channels' receiver.
    function claim(VoucherClaim[] calldata voucherClaims) external;
    /// By the provider's owner: `refund` of BatchSettlement, as the channel's receiver.
    function refund(ChannelConfig calldata config, uint128 amount) external;
    /// All of `token` that ever arrived.
    function received(address token) external view returns (uint256);
    /// What each side may be paid now.
    function share(address token) external view returns (uint256 providerDue, uint256 feeDue);
    function providerId() external view returns (uint32);
    /// Hundredths of a percent, the market's fee when the till was opened.
    function feeBps() external view returns (uint16);
}
