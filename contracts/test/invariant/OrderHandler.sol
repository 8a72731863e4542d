// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IMarket, Listing, Order, Terms} from "../../src/interfaces/IMarket.sol";
import {IGPUToken} from "../IGPUToken.sol";
import {Rules} from "./Rules.sol";

/// A job that was ordered, as the test remembers it.
struct Ordered {
    Terms terms;
    uint256 locked;
    uint256 listedFee; //  what the listing asked for a cancellation then
    uint256 status; //     1 ordered, 2 accepted, 3 over
    uint256 back; //       seen to return
    uint256 paid; //       seen to reach the provider
    uint256 due; //        of the lock, by the model
}

/// Orders that a matcher fills, authorisations that anyone submits, and reservations with what cancelling them costs.
contract OrderHandler is Rules {
    uint256 private constant JOBS_MAX = 24;
    uint72 private constant PRICE = 3_600_000;
    address private constant ADMIN = address(0xAD);
    address private constant OWNER = address(0x2001);
    address private constant PAYOUT = address(0x3001);
    address private constant AGENT = address(0x4001);
    address private constant MATCHER = address(0x5001);
    address private constant WATCHER = address(0x6001);
    address private constant STRANGER = address(0xBAD);
    uint256 private constant KEY = uint256(keccak256("the renter's key"));
    uint256 private constant OTHER_KEY = uint256(keccak256("another's key"));
    uint256 public constant BUDGET = 3 * uint256(PRICE);
    uint256 public constant NONCES = 3;

    IMarket public market;
    IGPUToken public token;
    address public renter = vm.addr(KEY);
    bytes32[2] private _resources;
    uint16[2] private _listed;
    uint256[NONCES] public spent;
    uint256 public feesDue;
    Ordered[] private _jobs;

    constructor() {
        AccessManager authority = new AccessManager(ADMIN);
        token = IGPUToken(deployCode("GPUToken.sol:GPUToken", abi.encode(authority)));
        address court = deployCode("MarketCourt.sol:MarketCourt", abi.encode(token));
        market = IMarket(deployCode("Market.sol:Market", abi.encode(token, authority, uint16(200), court)));
        vm.startPrank(ADMIN);
        token.mint(renter, 1e18);
        token.mint(STRANGER, 1e18);
        market.setWatcher(WATCHER, true);
        vm.stopPrank();
        vm.prank(renter);
        token.approve(address(market), type(uint256).max);
        vm.prank(STRANGER);
        token.approve(address(market), type(uint256).max);
        vm.startPrank(OWNER);
        market.registerProvider(AGENT, PAYOUT);
        for (uint256 i = 0; i < 2; ++i) {
            Listing memory unit;
            (unit.key, unit.pricePerHour) = (bytes32(i), PRICE);
            _resources[i] = market.registerResource(unit);
        }
        vm.stopPrank();
    }

    function jobs() external view returns (Ordered[] memory) {
        return _jobs;
    }

    function elapse(uint256 gap) external {
        skip(bound(gap, 0, 20 minutes));
        ++turns;
    }

    function listFee(uint256 r, uint16 bps) external {
        r = r % 2;
        bps = uint16(bound(bps, 0, 300)) * 10;
        bytes memory call = abi.encodeCall(market.setCancelFee, (_resources[r], bps));
        if (_do(OWNER, call, bps > 2500, 56)) _listed[r] = bps;
    }

    function offer(uint256 r, bool available) external {
        vm.prank(OWNER);
        market.updateAvailability(_resources[r % 2], available);
    }

    // ── orders ───────────────────────────────────────────────────────────────────────────────────────────

    /// As it was signed, if there is budget left.
    function fill(uint256 r, uint32 duration, uint256 nonce) external {
        if (_jobs.length == JOBS_MAX) return;
        Terms memory terms = _terms(r, duration);
        Order memory order = _order(nonce % NONCES);
        uint256 locked = _locked(terms);
        bool over = spent[order.nonce] + locked > BUDGET;
        bool refused = over || !market.canCreate(terms);
        bytes memory call = abi.encodeCall(market.createJobFor, (order, _sign(KEY, order), terms));
        if (!_do(MATCHER, call, refused, over ? 49 : 54)) return;
        spent[order.nonce] += locked;
        _note(terms);
    }

    /// By who is not the matcher, late, or signed by somebody else.
    function misfill(uint256 r, uint32 duration, uint256 nonce, uint256 how) external {
        Terms memory terms = _terms(r, duration);
        Order memory order = _order(nonce % NONCES);
        how %= 3;
        if (how == 1) order.expiry = uint40(vm.getBlockTimestamp() - 1);
        bytes memory call =
            abi.encodeCall(market.createJobFor, (order, _sign(how == 2 ? OTHER_KEY : KEY, order), terms));
        _do(how == 0 ? STRANGER : MATCHER, call, true, 50 + how + (how == 0 ? 0 : 1));
    }

    /// With terms that keep all of the order but one field.
    function deviate(uint256 r, uint32 duration, uint256 field) external {
        Terms memory terms = _terms(r, duration);
        field %= 7;
        if (field == 0) terms.renter = STRANGER;
        else if (field == 1) terms.controller = STRANGER;
        else if (field == 2) terms.specDigest = bytes32(uint256(1));
        else if (field == 3) terms.pricePerHour = PRICE + 1;
        else if (field == 4) terms.minCharge = 1001;
        else if (field == 5) terms.maxDuration = 1 hours + 1;
        else (terms.cancelFeeBps, terms.notBefore) = (_listed[r % 2], uint40(vm.getBlockTimestamp() + 1));
        if (field == 6 && terms.cancelFeeBps == 0) return;
        Order memory order = _order(NONCES);
        _do(MATCHER, abi.encodeCall(market.createJobFor, (order, _sign(KEY, order), terms)), true, 51);
    }

    // ── authorisations ───────────────────────────────────────────────────────────────────────────────────

    /// Submitted by anyone: first for other terms than were signed for, then for these, then again.
    function authorize(uint256 r, uint32 duration) external {
        if (_jobs.length == JOBS_MAX) return;
        Terms memory terms = _terms(r, duration);
        if (!market.canCreate(terms)) return;
        bytes memory signature = _authorization(terms);
        Terms memory other = _terms(r, duration);
        other.salt = type(uint64).max;
        other.controller = STRANGER;
        if (!_submit(other, signature, true) && _submit(terms, signature, false)) _note(terms);
        _submit(terms, signature, true);
    }

    function _submit(Terms memory terms, bytes memory signature, bool refused) private returns (bool) {
        bytes memory call = abi.encodeCall(market.createJobWithAuthorization, (terms, 0, type(uint256).max, signature));
        return _do(STRANGER, call, refused, 58);
    }

    // ── reservations ─────────────────────────────────────────────────────────────────────────────────────

    /// For later or not, with a fee that is listed or not, watched or not; and always what `canCreate` says.
    function reserve(uint256 r, uint32 duration, uint256 ahead, uint16 bps, bool watched) external {
        if (_jobs.length == JOBS_MAX) return;
        Terms memory terms = _terms(r, duration);
        terms.notBefore = uint40(vm.getBlockTimestamp() + bound(ahead, 0, 1 hours));
        terms.cancelFeeBps = uint16(bound(bps, 0, uint256(_listed[r % 2]) * 5 / 4));
        if (!watched) terms.controller = STRANGER;
        bool can = market.canCreate(terms);
        bool later = terms.notBefore > vm.getBlockTimestamp();
        bool fee = terms.cancelFeeBps == 0 || (later && terms.cancelFeeBps <= _listed[r % 2] && watched);
        _flawIf(can && !fee, 57);
        bytes memory call = abi.encodeCall(market.createJob, (terms));
        vm.prank(renter);
        (bool went,) = address(market).call(call);
        _flawIf(went != can, 54);
        _flawIf(went && !fee, 57);
        if (!went) return;
        ++acts;
        _note(terms);
    }

    function accept(uint256 seed) external {
        if (_jobs.length == 0) return;
        Ordered storage job = _jobs[seed % _jobs.length];
        if (job.status != 1) return;
        vm.prank(AGENT);
        (bool went,) = address(market).call(abi.encodeCall(market.acceptJob, (job.terms)));
        if (!went) return;
        ++acts;
        job.status = 2;
    }

    /// By the renter, or declined by the agent, for whom the renter never pays.
    function abandon(uint256 seed, bool byRenter) external {
        if (_jobs.length == 0) return;
        Ordered storage job = _jobs[seed % _jobs.length];
        if (job.status == 3) return;
        bool late = vm.getBlockTimestamp() >= uint256(job.terms.notBefore) + 10 minutes;
        if (byRenter && job.status == 2 && !late) job.due = job.locked * job.terms.cancelFeeBps / 10_000;
        (uint256 purse, uint256 pay) = (token.balanceOf(renter), token.balanceOf(PAYOUT));
        bytes memory call = byRenter
            ? abi.encodeCall(market.cancelJob, (job.terms))
            : abi.encodeCall(market.declineJob, (job.terms, ""));
        if (!_do(byRenter ? renter : AGENT, call, false, 0)) return;
        (job.back, job.paid) = (token.balanceOf(renter) - purse, token.balanceOf(PAYOUT) - pay);
        job.status = 3;
        feesDue += job.due * 200 / 10_000;
    }

    // ── steps ────────────────────────────────────────────────────────────────────────────────────────────

    function _do(address from, bytes memory call, bool refused, uint256 check) private returns (bool) {
        return _call({to: address(market), from: from, data: call, refused: refused, check: check});
    }

    function _note(Terms memory terms) private {
        Ordered storage job = _jobs.push();
        (job.terms, job.locked, job.status) = (terms, _locked(terms), 1);
        job.listedFee = terms.resourceId == _resources[0] ? _listed[0] : _listed[1];
    }

    function _locked(Terms memory terms) private pure returns (uint256) {
        return uint256(terms.pricePerHour) * terms.maxDuration / 3600;
    }

    function _terms(uint256 r, uint32 duration) private view returns (Terms memory terms) {
        terms.renter = renter;
        terms.controller = WATCHER;
        terms.resourceId = _resources[r % 2];
        terms.pricePerHour = PRICE;
        terms.minCharge = 1000;
        terms.maxDuration = uint32(bound(duration, 60, 1 hours));
        terms.salt = uint64(_jobs.length);
    }

    function _order(uint256 nonce) private view returns (Order memory) {
        return Order({
            renter: renter,
            matcher: MATCHER,
            controller: WATCHER,
            specDigest: 0,
            needsDigest: 0,
            maxPrice: PRICE,
            maxMinCharge: 1000,
            maxDuration: 1 hours,
            budget: uint128(BUDGET),
            expiry: uint40(vm.getBlockTimestamp()),
            nonce: nonce
        });
    }

    function _sign(uint256 key, Order memory order) private view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            "Order(address renter,address matcher,address controller,bytes32 specDigest,bytes32 needsDigest,uint96 maxPrice,uint96 maxMinCharge,uint32 maxDuration,uint128 budget,uint40 expiry,uint256 nonce)"
        );
        bytes32 domainType =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 domain = keccak256(
            abi.encode(domainType, keccak256("Bourse Market"), keccak256("1"), block.chainid, address(market))
        );
        return _signed(key, domain, keccak256(abi.encode(typeHash, order)));
    }

    function _authorization(Terms memory terms) private view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 nonce = market.jobIdOf(terms);
        bytes32 structHash = keccak256(
            abi.encode(typeHash, renter, address(market), _locked(terms), uint256(0), type(uint256).max, nonce)
        );
        return _signed(KEY, token.DOMAIN_SEPARATOR(), structHash);
    }

    function _signed(uint256 key, bytes32 domain, bytes32 structHash) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }
}
