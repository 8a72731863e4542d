// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IMarket, IMarketErrors, Order, Ready, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";
import {Wallet} from "../doubles/Wallet.sol";

/// What went wrong in others' contracts, tried on this one.
contract IncidentsTest is MarketTest {
    /// Superfluid, February 2022: a caller's bytes named the account to act for. Here every party is the sender or a
    /// signer, and terms that name another party are another job.
    function test_ForgedTermsActForNobody() external {
        Terms memory t = running();
        skip(100);
        Terms memory forged = t;
        forged.renter = stranger;
        vm.startPrank(stranger);
        expectWrongStatus(forged, Status.None);
        market.stopJob(forged);
        expectWrongStatus(forged, Status.None);
        market.disputeJob(forged, "");
        vm.stopPrank();
        forged.renter = renter;
        forged.resourceId = keccak256("a resource of the stranger's");
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.NotAllowed.selector, stranger));
        vm.prank(stranger);
        market.processPayment(forged);
    }

    /// Hedgey, April 2024: creating gave an allowance that cancelling did not take back. The market never allows anybody
    /// anything, and a create with a cancel nets nothing.
    function test_NobodyIsEverAllowedTheMarketsMoney() external {
        Terms memory t = created();
        vm.prank(renter);
        market.cancelJob(t);
        assertRefunded(t);
        t = disputed_(2);
        resolve(t, 5000);
        address[6] memory parties = [renter, owner, agent, payout, court, stranger];
        for (uint256 i = 0; i < parties.length; ++i) {
            assertEq(token.allowance(address(market), parties[i]), 0);
        }
    }

    /// Wintermute and Optimism, 2022: a signature of one chain was good on another.
    function test_SignaturesAreGoodOnOneChainAndInOneMarketOnly() external {
        Terms memory t = created();
        Ready memory ready = Ready({readyRecord: RECORD, at: time()});
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        bytes memory order = signOrder(renterKey);
        uint256 home = block.chainid;
        IMarket here = market;

        vm.chainId(10);
        vm.expectPartialRevert(IMarketErrors.WrongStatus.selector);
        vm.prank(agent);
        market.startJob(t, ready, signature);
        vm.expectPartialRevert(IMarketErrors.BadSignature.selector);
        vm.prank(stranger);
        market.createJobFor(order_(), order, t);

        vm.chainId(home);
        deployMarket(address(token));
        vm.prank(renter);
        token.approve(address(market), type(uint256).max);
        create(t);
        vm.expectPartialRevert(IMarketErrors.BadSignature.selector);
        vm.prank(agent);
        market.startJob(t, ready, signature);
        vm.expectPartialRevert(IMarketErrors.BadSignature.selector);
        vm.prank(stranger);
        market.createJobFor(order_(), order, t);
        market = here;
        vm.prank(agent);
        market.startJob(t, ready, signature);
        assertStatus(t, Status.Running);
    }

    /// NBA collectibles, 2022: one signature was used thousands of times.
    function test_AnOrdersSignatureSpendsItsBudgetOnce() external {
        bytes memory signature = signOrder(renterKey);
        Terms memory t = terms();
        vm.startPrank(stranger);
        market.createJobFor(order_(), signature, t);
        t.salt = 2;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.OverBudget.selector, LOCKED, 0));
        market.createJobFor(order_(), signature, t);
        t.salt = 1;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.JobExists.selector, market.jobIdOf(t)));
        market.createJobFor(order_(), signature, t);
    }

    /// The other half of each ECDSA signature is no second one.
    function test_AHighSIsRefused() external {
        Terms memory t = created();
        Ready memory ready = Ready({readyRecord: RECORD, at: time()});
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        uint8 v = uint8(signature[64]) == 27 ? 28 : 27;
        vm.expectPartialRevert(IMarketErrors.BadSignature.selector);
        vm.prank(agent);
        market.startJob(t, ready, abi.encodePacked(r, bytes32(order - uint256(s)), v));
    }

    /// A renter that is a contract signs orders too (EIP-1271).
    function test_AWalletSignsAnOrder() external {
        Wallet wallet = new Wallet(renterKey);
        Order memory order = order_();
        order.renter = address(wallet);
        bytes memory signature = signOrderOf(renterKey, order);
        vm.prank(admin);
        token.mint(address(wallet), LOCKED);
        vm.prank(address(wallet));
        token.approve(address(market), LOCKED);
        Terms memory t = terms();
        t.renter = address(wallet);
        vm.prank(stranger);
        market.createJobFor(order, signature, t);
        assertStatus(t, Status.Created);
    }

    /// A role with a delay is announced first, in the court's verbs as in any other.
    function test_ADelayedRoleWaitsForItsTime() external {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = market.setMinBond.selector;
        vm.startPrank(admin);
        authority.setTargetFunctionRole(address(market), selectors, 3);
        authority.grantRole(3, stranger, 1 days);
        vm.stopPrank();
        bytes memory call = abi.encodeCall(market.setMinBond, (5));
        vm.startPrank(stranger);
        vm.expectPartialRevert(bytes4(keccak256("AccessManagerNotScheduled(bytes32)")));
        market.setMinBond(5);
        AccessManager(address(authority)).schedule(address(market), call, 0);
        skip(1 days);
        market.setMinBond(5);
        assertEq(market.minBond(), 5);
    }

    function disputed_(uint64 salt) private returns (Terms memory t) {
        t = terms();
        t.salt = salt;
        create(t);
        start(t);
        skip(100);
        dispute(t, renter);
    }

    function order_() private view returns (Order memory) {
        return Order({
            renter: renter,
            matcher: stranger,
            controller: controller,
            specDigest: keccak256("spec"),
            needsDigest: 0,
            maxPrice: PRICE,
            maxMinCharge: MIN_CHARGE,
            maxDuration: DURATION,
            budget: uint128(LOCKED),
            expiry: time() + 1 days,
            nonce: 1
        });
    }

    function signOrder(uint256 key) private view returns (bytes memory) {
        return signOrderOf(key, order_());
    }

    function signOrderOf(uint256 key, Order memory order) private view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            "Order(address renter,address matcher,address controller,bytes32 specDigest,bytes32 needsDigest,uint96 maxPrice,uint96 maxMinCharge,uint32 maxDuration,uint128 budget,uint40 expiry,uint256 nonce)"
        );
        return signMarket(key, keccak256(abi.encode(typeHash, order)));
    }
}
