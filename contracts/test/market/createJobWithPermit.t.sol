// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, Status} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CreateJobWithPermitTest is MarketTest {
    function test_RevertWhen_TheMarketIsPaused() external {
        // it reverts with MarketPaused
        vm.prank(admin);
        market.pause();
        expect(IMarketErrors.MarketPaused.selector);
        vm.prank(renter);
        market.createJobWithPermit(terms(), LOCKED, time(), 27, RECORD, RECORD);
    }

    function test_When_ThePermitIsGood() external {
        // it needs no allowance beforehand
        withoutAllowance();
        (uint8 v, bytes32 r, bytes32 s) = permit();
        vm.prank(renter);
        market.createJobWithPermit(terms(), LOCKED, time(), v, r, s);
        assertStatus(terms(), Status.Created);
        assertEq(token.allowance(renter, address(market)), 0);
    }

    function test_When_SomebodyElseUsedThePermitFirst() external {
        // it goes on with the allowance that the permit gave
        withoutAllowance();
        (uint8 v, bytes32 r, bytes32 s) = permit();
        vm.prank(stranger);
        token.permit(renter, address(market), LOCKED, time(), v, r, s);
        vm.prank(renter);
        market.createJobWithPermit(terms(), LOCKED, time(), v, r, s);
        assertStatus(terms(), Status.Created);
    }

    function test_RevertWhen_ThePermitIsBadAndNothingIsAllowed() external {
        // it reverts with the token's own error
        withoutAllowance();
        vm.expectRevert();
        vm.prank(renter);
        market.createJobWithPermit(terms(), LOCKED, time(), 27, RECORD, RECORD);
    }

    function test_RevertWhen_TheCallerIsNotWhoPermitted() external {
        // it reverts: money comes from the caller alone
        withoutAllowance();
        (uint8 v, bytes32 r, bytes32 s) = permit();
        vm.expectRevert();
        vm.prank(stranger);
        market.createJobWithPermit(terms(), LOCKED, time(), v, r, s);
    }

    function withoutAllowance() private {
        vm.prank(renter);
        token.approve(address(market), 0);
    }

    function permit() private view returns (uint8, bytes32, bytes32) {
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash =
            keccak256(abi.encode(typeHash, renter, address(market), LOCKED, token.nonces(renter), time()));
        return vm.sign(renterKey, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }
}
