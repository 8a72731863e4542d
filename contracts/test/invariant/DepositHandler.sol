// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IMarket, Listing, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {ITill} from "../../src/wallet/ITill.sol";
import {BATCH_SETTLEMENT} from "../../src/x402/Canonical.sol";
import {ChannelConfig, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {IJobDeposits} from "../../src/x402/IJobDeposits.sol";
import {IProviderTill, ITills} from "../../src/x402/ITills.sol";
import {BlockingToken} from "../doubles/BlockingToken.sol";
import {Rules} from "./Rules.sol";

/// What a deposit account and its till's maker understand beyond their interfaces.
interface IInside {
    function send(IERC20 token, address to, uint256 amount) external;
    function initialize(uint32 providerId, uint16 feeBps) external;
}

/// Money that comes in by transfer: to a job's own address, to a provider's till, into the market's wallet.
contract DepositHandler is Rules {
    uint256 public constant JOBS = 6;
    uint72 private constant PRICE = 3_600_000;
    address private constant ADMIN = address(0xAD);
    address private constant OWNER = address(0x2001);
    address private constant STRANGER = address(0xBAD);
    address public constant PAYOUT = address(0x3001);
    address public constant FEE_PAYEE = address(0x3002);
    address public constant TREASURY = address(0x3003);

    /// Of one deposit address.
    struct Book {
        uint256 paidIn;
        uint256 locked;
        uint256 returned;
    }

    IMarket public market;
    BlockingToken public token = new BlockingToken();
    BlockingToken public other = new BlockingToken();
    IJobDeposits public deposits;
    IProviderTill public till;
    ITill public wallet;
    bytes32 private _resource;
    Book[JOBS] private _books;
    uint256 public received; //  by the till
    uint256 public walletIn;

    constructor() {
        AccessManager authority = new AccessManager(ADMIN);
        address court = deployCode("MarketCourt.sol:MarketCourt", abi.encode(token));
        market = IMarket(deployCode("Market.sol:Market", abi.encode(token, authority, uint16(333), court)));
        deposits = IJobDeposits(deployCode("JobDeposits.sol:JobDeposits", abi.encode(market)));
        vm.startPrank(OWNER);
        market.registerProvider(OWNER, PAYOUT);
        Listing memory unit;
        unit.pricePerHour = PRICE;
        _resource = market.registerResource(unit);
        vm.stopPrank();
        till = IProviderTill(ITills(deployCode("Tills.sol:Tills", abi.encode(market, authority, FEE_PAYEE))).open(1));
        wallet = ITill(deployCode("Till.sol:Till", abi.encode(token, TREASURY)));
        token.mint(STRANGER, 1e18);
        vm.prank(STRANGER);
        token.approve(address(wallet), type(uint256).max);
    }

    // ── deposits for jobs ────────────────────────────────────────────────────────────────────────────────

    /// All at once, in parts or too much.
    function pay(uint256 i, uint256 amount) external {
        i %= JOBS;
        uint256 locked = lockedOf(i);
        amount = amount % 2 == 0 ? locked : bound(amount, 1, 2 * locked);
        token.mint(accountOf(i), amount);
        _books[i].paidIn += amount;
        ++acts;
    }

    function offer(bool available) external {
        vm.prank(OWNER);
        market.updateAvailability(_resource, available);
    }

    function sweep(uint256 i) external {
        i %= JOBS;
        Terms memory terms = termsOf(i);
        uint256 balance = token.balanceOf(accountOf(i));
        bool short = balance < lockedOf(i);
        bool refused = short || !market.canCreate(terms);
        (uint256 held, uint256 purse) = (token.balanceOf(address(market)), token.balanceOf(terms.renter));
        bytes memory call = abi.encodeCall(deposits.sweep, (terms));
        if (!_call(address(deposits), STRANGER, call, refused, short ? 75 : 73)) return;
        held = token.balanceOf(address(market)) - held;
        _books[i].locked += held;
        _books[i].returned += token.balanceOf(terms.renter) - purse;
        bool created = market.getJob(market.jobIdOf(terms)).status == Status.Created;
        _flawIf(!created || held != lockedOf(i), 73);
        _flawIf(token.balanceOf(accountOf(i)) != 0, 71);
    }

    function giveBack(uint256 i) external {
        i %= JOBS;
        Terms memory terms = termsOf(i);
        uint256 balance = token.balanceOf(accountOf(i));
        bool buys = balance >= lockedOf(i) && market.canCreate(terms);
        uint256 purse = token.balanceOf(terms.renter);
        bytes memory call = abi.encodeCall(deposits.returnDeposit, (terms));
        if (!_call(address(deposits), STRANGER, call, buys || balance == 0, 74)) return;
        _books[i].returned += token.balanceOf(terms.renter) - purse;
        _flawIf(token.balanceOf(accountOf(i)) != 0, 71);
    }

    /// Another token, sent by mistake, at any time; but never the market's by that door.
    function giveOther(uint256 i, uint256 amount) external {
        i %= JOBS;
        amount = bound(amount, 1, 1e9);
        Terms memory terms = termsOf(i);
        other.mint(accountOf(i), amount);
        uint256 purse = other.balanceOf(terms.renter);
        bytes memory call = abi.encodeCall(deposits.returnToken, (terms, address(other)));
        if (!_call(address(deposits), STRANGER, call, false, 0)) return;
        _flawIf(other.balanceOf(terms.renter) - purse != amount, 72);
        call = abi.encodeCall(deposits.returnToken, (terms, address(token)));
        _call(address(deposits), STRANGER, call, true, 74);
    }

    /// An account hears nobody but its maker.
    function command(uint256 i) external {
        address account = accountOf(i % JOBS);
        if (account.code.length == 0) return;
        _call(account, STRANGER, abi.encodeCall(IInside.send, (token, STRANGER, token.balanceOf(account))), true, 76);
    }

    // ── tills ────────────────────────────────────────────────────────────────────────────────────────────

    function earn(uint256 amount) external {
        amount = bound(amount, 1, 1e6);
        token.mint(address(till), amount);
        received += amount;
        ++acts;
        ++turns;
    }

    /// What the till then owes that side must be all that its share comes to.
    function payProvider() external {
        (uint256 due,) = till.share(address(token));
        _call(address(till), STRANGER, abi.encodeCall(till.payProvider, (address(token))), due == 0, 79);
        _flawIf(token.balanceOf(PAYOUT) != received - received * 333 / 10_000, 79);
    }

    function payFee() external {
        (, uint256 due) = till.share(address(token));
        _call(address(till), STRANGER, abi.encodeCall(till.payFee, (address(token))), due == 0, 79);
        _flawIf(token.balanceOf(FEE_PAYEE) != received * 333 / 10_000, 79);
    }

    /// The market's fee of later days is not the till's.
    function setFee(uint16 bps) external {
        vm.prank(ADMIN);
        market.setFee(uint16(bound(bps, 0, 500)));
    }

    /// The owner's verbs by a stranger, the maker's by anybody, and a till that would be paid by itself.
    function intrude(uint256 verb, uint256 amount) external {
        verb %= 4;
        ChannelConfig memory config;
        bytes memory call = abi.encodeCall(IInside.initialize, (1, 0));
        if (verb == 1) call = abi.encodeCall(till.claim, (new VoucherClaim[](0)));
        if (verb == 2) call = abi.encodeCall(till.refund, (config, 1));
        if (verb < 3) {
            // A settlement that takes anything: what refuses is the till.
            vm.mockCall(BATCH_SETTLEMENT, bytes(""), bytes(""));
            _call(address(till), STRANGER, call, true, 80);
            return;
        }
        token.mint(address(till), bound(amount, 100, 1e6));
        received += bound(amount, 100, 1e6);
        vm.prank(OWNER);
        market.setPayout(address(till));
        _call(address(till), STRANGER, abi.encodeCall(till.payProvider, (address(token))), true, 80);
        vm.prank(OWNER);
        market.setPayout(PAYOUT);
    }

    // ── the market's wallet ──────────────────────────────────────────────────────────────────────────────

    function deposit(bytes32 account, uint256 amount) external {
        amount = bound(amount, 0, 1e9);
        bytes memory call = abi.encodeCall(wallet.deposit, (account, amount));
        if (_call(address(wallet), STRANGER, call, amount == 0, 81)) walletIn += amount;
    }

    // ── what is to be seen ───────────────────────────────────────────────────────────────────────────────

    function termsOf(uint256 i) public view returns (Terms memory terms) {
        terms.renter = address(uint160(0x1001 + i));
        terms.controller = address(0x6001);
        terms.resourceId = _resource;
        terms.pricePerHour = PRICE;
        terms.maxDuration = uint32(600 * (i + 1));
    }

    function lockedOf(uint256 i) public pure returns (uint256) {
        return uint256(PRICE) * 600 * (i + 1) / 3600;
    }

    function accountOf(uint256 i) public view returns (address) {
        return deposits.depositAddress(termsOf(i));
    }

    function bookOf(uint256 i) external view returns (Book memory) {
        return _books[i];
    }
}
