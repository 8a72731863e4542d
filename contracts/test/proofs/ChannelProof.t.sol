// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {BatchSettlement} from "../../src/x402/BatchSettlement.sol";
import {ChannelConfig, Voucher, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";

contract PlainToken is ERC20("Plain", "PLN") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// The payer of the channel: a wallet that signs everything, and brings what is deposited.
contract GenerousWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return this.isValidSignature.selector;
    }

    function collect(address, address token, uint256 amount, bytes32, bytes calldata) external {
        PlainToken(token).transfer(msg.sender, amount);
    }
}

/// A channel whose payer signs everything: what bounds the money is arithmetic alone. Proved by halmos for every
/// deposit, voucher and claim of 112 bits or more.
contract ChannelProof {
    BatchSettlement private settlement;
    PlainToken private token;
    address private payer;
    address private constant RECEIVER = address(0xbeef);

    function setUp() external {
        settlement = new BatchSettlement();
        token = new PlainToken();
        payer = address(new GenerousWallet());
    }

    /// Two claims of any totals under any vouchers: never above the voucher, never above the deposit, never falling.
    function check_AClaimIsWithinVoucherAndDeposit(uint112 deposit, uint128 most, uint128 first, uint128 second)
        external
    {
        _fund(deposit);
        _claim(most, first);
        (, uint128 before) = settlement.channels(_channelId());
        _claim(most, second);
        (uint128 balance, uint128 claimed) = settlement.channels(_channelId());
        assert(balance == deposit);
        assert(before <= claimed);
        assert(claimed <= most);
        assert(claimed <= deposit);
    }

    /// After a claim, a refund and a settlement, whatever was asked: what the payer brought is in three hands.
    function check_ADepositIsConserved(uint112 deposit, uint128 most, uint128 claim, uint128 refund) external {
        _fund(deposit);
        _claim(most, claim);
        try settlement.refund(_config(), refund) {} catch {}
        settlement.settle(RECEIVER, address(token));
        (uint128 balance, uint128 claimed) = settlement.channels(_channelId());
        assert(token.balanceOf(RECEIVER) == claimed);
        assert(token.balanceOf(address(settlement)) == balance - claimed);
        assert(token.balanceOf(payer) + balance == deposit);
    }

    function _fund(uint112 amount) private {
        token.mint(payer, amount);
        settlement.deposit(_config(), amount, payer, "");
    }

    function _claim(uint128 most, uint128 total) private {
        VoucherClaim[] memory rows = new VoucherClaim[](1);
        rows[0] = VoucherClaim({voucher: Voucher(_config(), most), signature: "", totalClaimed: total});
        try settlement.claim(rows) {} catch {}
    }

    function _channelId() private view returns (bytes32) {
        return settlement.getChannelId(_config());
    }

    function _config() private view returns (ChannelConfig memory) {
        return ChannelConfig({
            payer: payer,
            payerAuthorizer: address(0),
            receiver: RECEIVER,
            receiverAuthorizer: address(this),
            token: address(token),
            withdrawDelay: 15 minutes,
            salt: 0
        });
    }
}
