// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IAuthorizedTransfer} from "../interfaces/IAuthorizedTransfer.sol";
import {ISettles} from "../interfaces/ISettles.sol";
import {Amount, NO_AMOUNT} from "../types/Units.sol";
import {Operated} from "./Operated.sol";

/// The money's doors: in by allowance, permit or authorization, out by transfer or, where that fails, by credit.
abstract contract Escrow is ISettles, Operated {
    using SafeERC20 for IERC20;

    IERC20 private immutable TOKEN;

    mapping(address account => uint256) internal _credits;

    constructor(IERC20 token_) {
        require(address(token_).code.length != 0, WrongToken(address(token_)));
        TOKEN = token_;
    }

    /// @inheritdoc ISettles
    function token() external view returns (address) {
        return address(TOKEN);
    }

    /// Takes exactly `amount` from `payer`, who has allowed it.
    function _pull(address payer, Amount amount) internal {
        uint256 before = TOKEN.balanceOf(address(this));
        TOKEN.safeTransferFrom(payer, address(this), Amount.unwrap(amount));
        _requireReceived(before, amount);
    }

    /// Takes exactly `amount` from `payer`, who signed EIP-3009 `ReceiveWithAuthorization` with this nonce.
    function _pullAuthorized(
        address payer,
        Amount amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) internal {
        uint256 before = TOKEN.balanceOf(address(this));
        IAuthorizedTransfer(address(TOKEN))
            .receiveWithAuthorization({
            from: payer,
            to: address(this),
            value: Amount.unwrap(amount),
            validAfter: validAfter,
            validBefore: validBefore,
            nonce: nonce,
            signature: signature
        });
        _requireReceived(before, amount);
    }

    /// A permit is public once it is broadcast: when somebody else has used it, the allowance stands all the same.
    function _permit(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) internal {
        try IERC20Permit(address(TOKEN)).permit(msg.sender, address(this), value, deadline, v, r, s) {} catch {}
    }

    function _withdrawCredit(address token_, address to) internal {
        require(token_ == address(TOKEN), WrongToken(token_));
        require(to != address(0), ZeroAddress());
        uint256 amount = _credits[msg.sender];
        require(amount != 0, NothingDue());
        _credits[msg.sender] = 0;
        emit CreditWithdrawn(msg.sender, to, amount);
        TOKEN.safeTransfer(to, amount);
    }

    function _withdrawFees(address to) internal {
        require(to != address(0), ZeroAddress());
        uint256 amount = _settings.fees;
        require(amount != 0, NothingDue());
        _settings.fees = 0;
        emit FeesWithdrawn(to, amount);
        TOKEN.safeTransfer(to, amount);
    }

    /// False when the token refuses the payee; then the amount must be credited, so that nobody can block the others.
    function _send(address payee, Amount amount) internal returns (bool) {
        return amount == NO_AMOUNT || TOKEN.trySafeTransfer(payee, Amount.unwrap(amount));
    }

    /// Pays `account` itself, or holds the amount for it.
    function _sendOrCredit(address account, Amount amount) internal {
        if (!_send(account, amount)) _credit(account, amount);
    }

    /// Holds the amount for `account`, which withdraws it to where it likes.
    function _credit(address account, Amount amount) internal {
        _credits[account] += Amount.unwrap(amount);
        emit Credited(account, Amount.unwrap(amount));
    }

    /// What is sent to the market is nobody's, and what is sent to its token is lost; both look like a payment.
    function _requirePayee(address payee) internal view {
        require(payee != address(this) && payee != address(TOKEN), BadPayout(payee));
    }

    /// Only a token that moves what it is told to move can settle.
    function _requireReceived(uint256 before, Amount amount) private view {
        uint256 received = TOKEN.balanceOf(address(this)) - before;
        require(
            received == Amount.unwrap(amount),
            WrongAmountReceived({expected: Amount.unwrap(amount), received: received})
        );
    }
}
