// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, IBatchSettlement, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {ChannelTest} from "../x402/ChannelTest.sol";
import {Rules} from "./Rules.sol";

/// Walks random histories of four channels between one payer and two receivers, and keeps books of its own from what it
/// did, not from what the contract says.
contract ChannelHandler is ChannelTest, Rules {
    uint256 private constant CHANNELS = 4;
    uint128 private constant DEPOSIT_MAX = 1e9;

    /// Kept for each channel.
    struct Book {
        uint256 paidIn;
        uint256 paidBack;
        uint128 promised; //   the highest voucher that was signed
        uint128 claimed; //    the highest total that a claim of ours was for and could have booked
        uint40 wishedAt; //    of the pending withdrawal
        uint256 refunds; //    that used up a nonce
    }

    Book[CHANNELS] private books;
    uint256 public donated;

    address private other = makeAddr("other receiver");
    bytes32[CHANNELS] private ids;

    function setUp() public override {
        super.setUp();
        token.mint(payer, type(uint128).max);
        for (uint256 i = 0; i < CHANNELS; ++i) {
            ids[i] = settlement.getChannelId(configOf(i));
        }
    }

    // ── what may happen ──────────────────────────────────────────────────────────────────────────────────

    function pay(uint256 which, uint128 amount) external {
        amount = uint128(bound(amount, 1, DEPOSIT_MAX));
        ChannelConfig memory config = configOf(which);
        fund(config, amount);
        books[which % CHANNELS].paidIn += amount;
        ++acts;
        ++turns;
    }

    /// A claim by any of the four doors, of a voucher that may promise more or less than before, more than there is, or
    /// be signed by somebody else.
    function claim(uint256 which, uint128 most, uint128 total, uint8 door, bool forged) external {
        ChannelConfig memory config = configOf(which);
        (uint128 balance, uint128 claimed) = settlement.channels(ids[which % CHANNELS]);
        most = uint128(bound(most, 1, uint256(balance) + 10));
        total = uint128(bound(total, 0, uint256(most) + 1));
        VoucherClaim memory made = rowBy(forged ? strangerKey : sessionKey, config, most, total);
        Book storage book = books[which % CHANNELS];
        if (!forged && most > book.promised) book.promised = most;
        bool sound = total <= claimed || (!forged && total <= most && total <= balance);
        if (sound && total > book.claimed) book.claimed = total;
        try this.enter(made, door % 4) {
            ++acts;
            if (door % 4 == 3) ++book.refunds;
        } catch {}
    }

    /// From outside, so that what reverts changes nothing.
    function enter(VoucherClaim calldata made, uint8 door) external {
        VoucherClaim[] memory claims = one(made);
        if (door == 0) {
            vm.prank(authorizer);
            settlement.claim(claims);
        } else if (door == 1) {
            bytes memory signature = sign(authorizerKey, settlement.getClaimBatchDigest(claims));
            settlement.claimWithSignature(claims, signature);
        } else if (door == 2) {
            vm.prank(authorizer);
            settlement.claimTry(claims);
        } else {
            bytes memory signature = sign(authorizerKey, settlement.getCloseDigest(made, 0));
            settlement.closeWithSignature(made, 0, signature);
        }
    }

    function settle(bool first) external {
        settlement.settle(first ? receiver : other, USDC);
    }

    function refund(uint256 which, uint128 amount, bool all) external {
        ChannelConfig memory config = configOf(which);
        uint256 before = token.balanceOf(payer);
        vm.prank(authorizer);
        settlement.refund(config, all ? type(uint128).max : uint128(bound(amount, 1, DEPOSIT_MAX)));
        books[which % CHANNELS].paidBack += token.balanceOf(payer) - before;
        ++books[which % CHANNELS].refunds;
    }

    function close(uint256 which) external {
        ChannelConfig memory config = configOf(which);
        Book storage book = books[which % CHANNELS];
        uint128 most = book.promised;
        (uint128 balance, uint128 claimed) = settlement.channels(ids[which % CHANNELS]);
        if (most > balance || most <= claimed) return;
        if (most > book.claimed) book.claimed = most;
        VoucherClaim memory made = row(config, most, most);
        uint256 before = token.balanceOf(payer);
        vm.prank(config.receiver);
        settlement.closeWithSignature(made, type(uint128).max, "");
        book.paidBack += token.balanceOf(payer) - before;
        ++book.refunds;
    }

    function wish(uint256 which, uint128 amount) external {
        ChannelConfig memory config = configOf(which);
        vm.prank(payer);
        try settlement.initiateWithdraw(config, uint128(bound(amount, 1, DEPOSIT_MAX))) {
            books[which % CHANNELS].wishedAt = uint40(vm.getBlockTimestamp());
        } catch {}
    }

    function leave(uint256 which, uint256 later) external {
        ChannelConfig memory config = configOf(which);
        skip(bound(later, 0, 30 hours));
        uint256 before = token.balanceOf(payer);
        vm.prank(session);
        try settlement.finalizeWithdraw(config) {
            Book storage book = books[which % CHANNELS];
            _flawIf(vm.getBlockTimestamp() < uint256(book.wishedAt) + DELAY, 66);
            book.paidBack += token.balanceOf(payer) - before;
        } catch {}
    }

    /// A row that nobody signed beside one that the payer did: the second is claimed all the same.
    function claimBoth(uint256 which, uint128 total) external {
        which %= CHANNELS;
        ChannelConfig memory config = configOf(which);
        (uint128 balance, uint128 claimed) = settlement.channels(ids[which % CHANNELS]);
        if (balance == claimed) return;
        total = uint128(bound(total, claimed + 1, balance));
        Book storage book = books[which % CHANNELS];
        if (total > book.promised) book.promised = total;
        book.claimed = total;
        VoucherClaim[] memory claims = new VoucherClaim[](2);
        claims[0] = rowBy(strangerKey, configOf(which + 2), type(uint128).max, total);
        claims[1] = row(config, total, total);
        vm.prank(authorizer);
        try settlement.claimTry(claims) {
            (, claimed) = settlement.channels(ids[which % CHANNELS]);
            _flawIf(claimed != total, 69);
        } catch {
            _flawIf(true, 69);
        }
        ++acts;
    }

    /// The verbs of both sides by neither of them, and vouchers that are good on another chain.
    function intrude(uint256 which, uint256 verb, uint128 amount) external {
        which %= CHANNELS;
        ChannelConfig memory config = configOf(which);
        (uint128 balance, uint128 claimed) = settlement.channels(ids[which % CHANNELS]);
        if (balance == claimed) return;
        amount = uint128(bound(amount, 1, balance - claimed));
        verb %= 6;
        VoucherClaim[] memory claims = one(row(config, claimed + amount, claimed + amount));
        bytes memory call = abi.encodeCall(settlement.initiateWithdraw, (config, amount));
        if (verb == 1) call = abi.encodeCall(settlement.finalizeWithdraw, (config));
        if (verb == 2) call = abi.encodeCall(settlement.claim, (claims));
        if (verb == 3) call = abi.encodeCall(settlement.refund, (config, amount));
        if (verb == 4) call = abi.encodeCall(settlement.closeWithSignature, (claims[0], amount, ""));
        if (verb == 5) call = abi.encodeCall(settlement.claimTry, (claims));
        if (verb != 5) {
            _call({to: address(settlement), from: stranger, data: call, refused: true, check: 67});
            return;
        }
        vm.prank(stranger);
        settlement.claimTry(claims);
        (, uint128 after_) = settlement.channels(ids[which % CHANNELS]);
        _flawIf(after_ != claimed, 67);
    }

    function donate(uint32 amount) external {
        token.mint(address(settlement), amount);
        donated += amount;
    }

    // ── what is to be seen ───────────────────────────────────────────────────────────────────────────────

    /// Two channels for each receiver.
    function configOf(uint256 which) public view returns (ChannelConfig memory config) {
        config = channel();
        config.salt = bytes32(which % CHANNELS);
        if (which % 2 == 1) config.receiver = other;
    }

    function bookOf(uint256 which) external view returns (Book memory) {
        return books[which];
    }

    function stateOf(uint256 which) external view returns (uint128 balance, uint128 claimed, uint128 wished) {
        (balance, claimed) = settlement.channels(ids[which]);
        (wished,) = settlement.pendingWithdrawals(ids[which]);
    }

    function refundsOf(uint256 which) external view returns (uint256) {
        return settlement.refundNonce(ids[which]);
    }

    function dueOf(bool first) external view returns (uint128 claimed, uint128 settled) {
        return settlement.receivers(first ? receiver : other, USDC);
    }

    function held() external view returns (uint256) {
        return token.balanceOf(address(settlement));
    }

    function balanceOf(bool first) external view returns (uint256) {
        return token.balanceOf(first ? receiver : other);
    }
}
