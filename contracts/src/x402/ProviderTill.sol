// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IMarket} from "../interfaces/IMarket.sol";
import {BPS} from "../types/Limits.sol";
import {BATCH_SETTLEMENT} from "./Canonical.sol";
import {ChannelConfig, IBatchSettlement, VoucherClaim} from "./IBatchSettlement.sol";
import {IProviderTill, ITills} from "./ITills.sol";

/// A provider's till; each is a small clone of one of these. It knows nothing of payments: what is here and what was
/// paid out before make up what was received; so nothing may be paid in the middle of a payment, when money is in both.
contract ProviderTill is IProviderTill, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// One slot.
    struct Paid {
        uint128 provider;
        uint128 fee;
    }

    IMarket private immutable MARKET;
    ITills private immutable FACTORY;

    /// @inheritdoc IProviderTill
    uint32 public providerId;

    /// @inheritdoc IProviderTill
    uint16 public feeBps;

    mapping(address token => Paid) private _paid;

    constructor(IMarket market) {
        MARKET = market;
        FACTORY = ITills(msg.sender);
    }

    /// By the factory, in the transaction that puts the till in its place.
    function initialize(uint32 providerId_, uint16 feeBps_) external {
        require(msg.sender == address(FACTORY), OnlyFactory(msg.sender));
        (providerId, feeBps) = (providerId_, feeBps_);
    }

    /// @inheritdoc IProviderTill
    function payProvider(address token) external nonReentrant {
        (,, address to) = MARKET.getProvider(providerId);
        (uint256 amount,) = share(token);
        require(amount != 0, NothingDue());
        _requirePayee(to);
        _paid[token].provider += amount.toUint128();
        emit ProviderPaid({token: token, to: to, amount: amount});
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IProviderTill
    function payFee(address token) external nonReentrant {
        address to = FACTORY.feePayee();
        (, uint256 amount) = share(token);
        require(amount != 0, NothingDue());
        _requirePayee(to);
        _paid[token].fee += amount.toUint128();
        emit FeePaid({token: token, to: to, amount: amount});
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IProviderTill
    function claim(VoucherClaim[] calldata voucherClaims) external {
        _requireOwner();
        IBatchSettlement(BATCH_SETTLEMENT).claim(voucherClaims);
    }

    /// @inheritdoc IProviderTill
    function refund(ChannelConfig calldata config, uint128 amount) external {
        _requireOwner();
        IBatchSettlement(BATCH_SETTLEMENT).refund(config, amount);
    }

    /// @inheritdoc IProviderTill
    function received(address token) public view returns (uint256) {
        Paid memory paid = _paid[token];
        return IERC20(token).balanceOf(address(this)) + paid.provider + paid.fee;
    }

    /// @inheritdoc IProviderTill
    function share(address token) public view returns (uint256 providerDue, uint256 feeDue) {
        Paid memory paid = _paid[token];
        uint256 total = received(token);
        uint256 fee = total * feeBps / BPS;
        // A token may take money away from its holders; then a side may have had more than its share by now, and what
        // is left is all there is for the other.
        uint256 held = total - paid.provider - paid.fee;
        feeDue = Math.min(held, Math.saturatingSub(fee, paid.fee));
        providerDue = Math.min(held, Math.saturatingSub(total - fee, paid.provider));
    }

    function _requireOwner() private view {
        (address owner,,) = MARKET.getProvider(providerId);
        require(msg.sender == owner, NotAllowed(msg.sender));
    }

    /// Money that a till sends itself would count as received again.
    function _requirePayee(address to) private view {
        require(to != address(this), BadPayee(to));
    }
}
