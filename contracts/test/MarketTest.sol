// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";
import {IMarket, IMarketErrors, Listing, Outcome, Ready, State, Status, Terms} from "../src/interfaces/IMarket.sol";
import {IGPUToken} from "./IGPUToken.sol";

/// A market with one provider, one resource with an hour of stake and money in the renter's hands; one second costs 1000
/// units.
abstract contract MarketTest is Test {
    uint256 internal constant SECOND = 1000;
    uint72 internal constant PRICE = uint72(SECOND * 3600);
    uint32 internal constant DURATION = 2 hours;
    uint256 internal constant LOCKED = SECOND * DURATION;
    uint256 internal constant STAKE = PRICE;
    uint256 internal constant WINDOW = 1 hours;
    uint96 internal constant MIN_CHARGE = uint96(SECOND * 60);
    uint16 internal constant FEE_BPS = 200;
    uint256 internal constant PURSE = 1e15;
    bytes32 internal constant KEY = keccak256("card 0");
    bytes32 internal constant RECORD = keccak256("ready record");
    bytes32 internal constant RESULT = keccak256("result");
    uint256 internal constant START = 1_800_000_000;

    AccessManager internal authority;
    IGPUToken internal token;
    IMarket internal market;
    bytes32 internal resourceId;

    address internal admin = makeAddr("admin");
    address internal owner = makeAddr("owner");
    address internal payout = makeAddr("payout");
    address internal watcher = makeAddr("watcher");
    address internal oracle = makeAddr("oracle");
    address internal court;
    address internal stranger = makeAddr("stranger");
    address internal renter;
    address internal controller;
    address internal agent;
    uint256 internal renterKey;
    uint256 internal controllerKey;
    uint256 internal agentKey;
    uint256 internal strangerKey = uint256(keccak256("stranger's key"));

    function setUp() public virtual {
        vm.warp(START);
        (renter, renterKey) = makeAddrAndKey("renter");
        (controller, controllerKey) = makeAddrAndKey("controller");
        (agent, agentKey) = makeAddrAndKey("agent");
        authority = new AccessManager(admin);
        token = IGPUToken(deployCode("GPUToken.sol:GPUToken", abi.encode(authority)));
        deployMarket(address(token));
        vm.prank(admin);
        token.mint(renter, PURSE);
        vm.prank(renter);
        token.approve(address(market), type(uint256).max);
        stake(STAKE);
    }

    /// A fresh market on `settlement`, with the provider, the resource, the watcher and the oracle in place.
    function deployMarket(address settlement) internal {
        court = deployCode("MarketCourt.sol:MarketCourt", abi.encode(settlement));
        market = IMarket(deployCode("Market.sol:Market", abi.encode(settlement, authority, FEE_BPS, court)));
        vm.startPrank(admin);
        market.setWatcher(watcher, true);
        market.setOracle(oracle, true);
        vm.stopPrank();
        vm.startPrank(owner);
        market.registerProvider(agent, payout);
        resourceId = market.registerResource(listing());
        vm.stopPrank();
    }

    /// More stake for the resource, from the owner.
    function stake(uint256 amount) internal {
        IGPUToken settlement = IGPUToken(market.token());
        vm.prank(admin);
        settlement.mint(owner, amount);
        vm.startPrank(owner);
        settlement.approve(address(market), amount);
        market.stake(resourceId, uint72(amount));
        vm.stopPrank();
    }

    /// The same machine once more, with nothing behind it.
    function unstaked() internal returns (Terms memory t) {
        Listing memory bare = listing();
        bare.key = keccak256("card without stake");
        vm.prank(owner);
        resourceId = market.registerResource(bare);
        return terms();
    }

    function listing() internal pure returns (Listing memory) {
        return Listing({
            key: KEY,
            pricePerHour: PRICE,
            simulated: false,
            model: "H200",
            gpuCount: 1,
            vramMib: 144_384,
            vcpus: 16,
            memoryMib: 131_072,
            storageMib: 65_536,
            details: ""
        });
    }

    function terms() internal view returns (Terms memory) {
        return Terms({
            renter: renter,
            controller: controller,
            resourceId: resourceId,
            pricePerHour: PRICE,
            minCharge: MIN_CHARGE,
            maxDuration: DURATION,
            notBefore: 0,
            cancelFeeBps: 0,
            specDigest: keccak256("spec"),
            flags: 0,
            salt: 1,
            extra: bytes32(0)
        });
    }

    // ── jobs brought to a status ─────────────────────────────────────────────────────────────────────────

    function created() internal returns (Terms memory t) {
        t = terms();
        create(t);
    }

    function create(Terms memory t) internal returns (bytes32 jobId) {
        vm.prank(renter);
        return market.createJob(t);
    }

    function accepted() internal returns (Terms memory t) {
        t = created();
        accept(t);
    }

    function accept(Terms memory t) internal {
        vm.prank(agent);
        market.acceptJob(t);
    }

    function running() internal returns (Terms memory t) {
        t = created();
        start(t);
    }

    function start(Terms memory t) internal {
        Ready memory ready = Ready({readyRecord: RECORD, at: time()});
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        vm.prank(agent);
        market.startJob(t, ready, signature);
    }

    function pausedAfter(uint256 ran) internal returns (Terms memory t) {
        t = running();
        skip(ran);
        vm.prank(agent);
        market.pauseJob(t);
    }

    /// Seen last, and reported, after `ran` seconds.
    function silentAfter(uint256 ran) internal returns (Terms memory t) {
        t = running();
        skip(ran);
        report(t, time());
    }

    function report(Terms memory t, uint40 lastSeen) internal {
        vm.prank(oracle);
        market.reportSilence(t, lastSeen);
    }

    function completed() internal returns (Terms memory t) {
        t = running();
        skip(100);
        complete(t, Outcome.Succeeded);
    }

    /// Completed after 100 seconds, and final.
    function settled() internal returns (Terms memory t) {
        t = completed();
        skip(WINDOW + 1);
        finalize(t);
    }

    /// Completed after 100 seconds, and disputed by the renter at once.
    function disputed() internal returns (Terms memory t) {
        t = completed();
        dispute(t, renter);
    }

    function dispute(Terms memory t, address opener) internal {
        vm.prank(opener);
        market.disputeJob(t, "wrong result");
    }

    function resolve(Terms memory t, uint16 providerBps) internal {
        vm.prank(admin);
        market.resolveDispute(t, providerBps, "bafyevidence");
    }

    function complete(Terms memory t, Outcome outcome) internal {
        vm.prank(agent);
        market.completeJob(t, outcome, RESULT);
    }

    /// Once the dispute window is over.
    function finalize(Terms memory t) internal {
        Terms[] memory batch = new Terms[](1);
        batch[0] = t;
        vm.prank(stranger);
        market.finalize(batch);
    }

    function pay(Terms memory t) internal {
        vm.prank(agent);
        market.processPayment(t);
    }

    // ── signatures ───────────────────────────────────────────────────────────────────────────────────────

    function signReady(uint256 key, bytes32 jobId, Ready memory ready) internal view returns (bytes memory) {
        bytes32 typeHash = keccak256("Ready(bytes32 jobId,bytes32 readyRecord,uint40 at)");
        return signMarket(key, keccak256(abi.encode(typeHash, jobId, ready.readyRecord, ready.at)));
    }

    function signExtend(uint256 key, bytes32 jobId, uint24 extraSeconds, uint40 expiry)
        internal
        view
        returns (bytes memory)
    {
        bytes32 typeHash = keccak256("Extend(bytes32 jobId,uint24 extraSeconds,uint40 expiry)");
        return signMarket(key, keccak256(abi.encode(typeHash, jobId, extraSeconds, expiry)));
    }

    function signMarket(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Bourse Market"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        return sign(key, domain, structHash);
    }

    function signReceive(uint256 key, address from, address to, uint256 value, bytes32 nonce)
        internal
        view
        returns (bytes memory)
    {
        bytes32 typeHash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, from, to, value, 0, type(uint256).max, nonce));
        return sign(key, token.DOMAIN_SEPARATOR(), structHash);
    }

    function sign(uint256 key, bytes32 domain, bytes32 structHash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }

    // ── expectations ─────────────────────────────────────────────────────────────────────────────────────

    function time() internal view returns (uint40) {
        return uint40(vm.getBlockTimestamp());
    }

    /// What the market holds beside the stake.
    function held() internal view returns (uint256) {
        return token.balanceOf(address(market)) - STAKE;
    }

    function jobOf(Terms memory t) internal view returns (State memory) {
        return market.getJob(market.jobIdOf(t));
    }

    function netOf(uint256 earned) internal pure returns (uint256) {
        return earned - feeOf(earned);
    }

    function feeOf(uint256 earned) internal pure returns (uint256) {
        return earned * FEE_BPS / 10_000;
    }

    function expect(bytes4 selector) internal {
        vm.expectRevert(abi.encodeWithSelector(selector));
    }

    function expectNotAllowed(address caller) internal {
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.NotAllowed.selector, caller));
    }

    function expectWrongStatus(Terms memory t, Status status) internal {
        bytes32 jobId = market.jobIdOf(t);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongStatus.selector, jobId, status));
    }

    function expectTooLate(uint256 deadline) internal {
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.TooLate.selector, deadline));
    }

    function expectTooEarly(uint256 deadline) internal {
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.TooEarly.selector, deadline));
    }

    function expectBadTerms(string memory field) internal {
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadTerms.selector, field));
    }

    function assertStatus(Terms memory t, Status status) internal view {
        assertEq(uint8(jobOf(t).status), uint8(status), "status");
    }

    function assertBusy(bool busy) internal view {
        assertEq(market.getResource(resourceId).busy, busy, "busy");
    }

    /// The job is over, its provider earned `earned`: the renter has the rest back at once, and when nobody disputed it
    /// everybody has what is due and nothing is left behind.
    function assertSettled(Terms memory t, Outcome outcome, uint256 earned, uint256 locked) internal {
        State memory job = jobOf(t);
        assertEq(uint8(job.outcome), uint8(outcome), "outcome");
        assertEq(token.balanceOf(renter), PURSE - earned, "refunded");
        assertBusy(false);
        if (job.status == Status.Ended) {
            assertEq(market.fees(), 0, "the fee is booked when the job is final");
            skip(WINDOW + 1);
            finalize(t);
            job = jobOf(t);
        }
        assertEq(uint8(job.status), uint8(Status.Final), "final");
        assertEq(token.balanceOf(payout), netOf(earned), "paid");
        assertEq(market.fees(), feeOf(earned), "fee");
        assertEq(token.balanceOf(renter), PURSE - earned, "nothing more to refund");
        assertEq(held(), feeOf(earned), "held");
        assertEq(market.getResource(t.resourceId).tied, 0, "tied");
        assertLe(earned, locked, "never more than was locked");
    }

    function assertRefunded(Terms memory t) internal view {
        assertStatus(t, Status.Cancelled);
        assertEq(token.balanceOf(renter), PURSE, "full refund");
        assertEq(held(), 0, "nothing held");
        assertEq(market.getResource(t.resourceId).tied, 0, "tied");
        assertBusy(false);
    }
}
