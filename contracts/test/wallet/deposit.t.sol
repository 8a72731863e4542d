// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {Test} from "forge-std/Test.sol";
import {ITill} from "../../src/wallet/ITill.sol";
import {BlockingToken} from "../doubles/BlockingToken.sol";
import {HookedToken} from "../doubles/HookedToken.sol";
import {TaxedToken} from "../doubles/TaxedToken.sol";

/// What the tests call of any of the tokens.
interface IMintable {
    function mint(address to, uint256 amount) external;
    function approve(address spender, uint256 amount) external returns (bool);
    function balanceOf(address account) external view returns (uint256);
}

contract WalletDepositTest is Test {
    bytes32 private constant ACCOUNT = keccak256("an account");

    address private treasury = makeAddr("treasury");
    address private customer = makeAddr("customer");
    IMintable private token;
    ITill private till;

    function setUp() public {
        use(address(new BlockingToken()));
    }

    function test_RevertWhen_TheAmountIsZero() external {
        // it reverts with NothingToDeposit
        vm.expectRevert(abi.encodeWithSelector(ITill.NothingToDeposit.selector));
        till.deposit(ACCOUNT, 0);
    }

    function test_When_TheCallerHasAllowedIt() external {
        // it goes to the treasury in the account's name and leaves nothing here
        vm.expectEmit(address(till));
        emit ITill.Deposited(ACCOUNT, customer, 250);
        vm.prank(customer);
        till.deposit(ACCOUNT, 250);
        assertEq(token.balanceOf(treasury), 250);
        assertEq(token.balanceOf(address(till)), 0);
        assertEq(till.token(), address(token));
        assertEq(till.treasury(), treasury);
    }

    function test_RevertWhen_TheCallerHasAllowedLess() external {
        // it reverts: nobody is told of money that did not come
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        vm.prank(customer);
        till.deposit(ACCOUNT, 1001);
        assertEq(token.balanceOf(treasury), 0);
    }

    function test_RevertWhen_TheTokenKeepsAPart() external {
        // it reverts with WrongAmountReceived
        use(address(new TaxedToken()));
        vm.expectRevert(abi.encodeWithSelector(ITill.WrongAmountReceived.selector, 250, 249));
        vm.prank(customer);
        till.deposit(ACCOUNT, 250);
    }

    function test_RevertWhen_ADepositIsMadeInADeposit() external {
        // it reverts: one transfer cannot be told twice
        HookedToken hooked = new HookedToken();
        use(address(hooked));
        hooked.mint(address(hooked), 250);
        vm.prank(address(hooked));
        hooked.approve(address(till), 250);
        hooked.arm(address(till), abi.encodeCall(till.deposit, (ACCOUNT, 250)));
        vm.expectRevert(abi.encodeWithSelector(ITill.WrongAmountReceived.selector, 250, 500));
        vm.prank(customer);
        till.deposit(ACCOUNT, 250);
    }

    function test_RevertWhen_TheTreasuryPaysItself() external {
        // it reverts with WrongAmountReceived
        token.mint(treasury, 250);
        vm.startPrank(treasury);
        token.approve(address(till), 250);
        vm.expectRevert(abi.encodeWithSelector(ITill.WrongAmountReceived.selector, 250, 0));
        till.deposit(ACCOUNT, 250);
    }

    function test_RevertWhen_ItIsBuiltOnNothing() external {
        // it reverts with NoCode or ZeroAddress
        bytes memory code = vm.getCode("Till.sol:Till");
        vm.expectRevert(abi.encodeWithSelector(ITill.NoCode.selector, customer));
        this.build(abi.encodePacked(code, abi.encode(customer, treasury)));
        vm.expectRevert(abi.encodeWithSelector(ITill.ZeroAddress.selector));
        this.build(abi.encodePacked(code, abi.encode(token, address(0))));
    }

    /// Creates a contract and passes on what its constructor reverts with.
    function build(bytes calldata code) external {
        address built = Create2.deploy({amount: 0, salt: 0, bytecode: code});
        assertNotEq(built, address(0));
    }

    function use(address settlement) private {
        token = IMintable(settlement);
        till = ITill(deployCode("Till.sol:Till", abi.encode(settlement, treasury)));
        token.mint(customer, 1000);
        vm.prank(customer);
        token.approve(address(till), 1000);
    }
}
