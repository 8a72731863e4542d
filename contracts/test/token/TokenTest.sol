// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";
import {IGPUToken} from "../IGPUToken.sol";

/// A token, somebody who holds it and an authorization to sign.
abstract contract TokenTest is Test {
    uint256 internal constant PURSE = 1e12;
    uint256 internal constant VALUE = 250_000;
    bytes32 internal constant NONCE = keccak256("a random nonce");

    IGPUToken internal token;
    address internal admin = makeAddr("admin");
    address internal payee = makeAddr("payee");
    address internal relayer = makeAddr("relayer");
    address internal holder;
    uint256 internal holderKey;
    uint256 internal validAfter;
    uint256 internal validBefore;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        (holder, holderKey) = makeAddrAndKey("holder");
        (validAfter, validBefore) = (vm.getBlockTimestamp() - 1, vm.getBlockTimestamp() + 60);
        token = IGPUToken(deployCode("GPUToken.sol:GPUToken", abi.encode(new AccessManager(admin))));
        vm.prank(admin);
        token.mint(holder, PURSE);
    }

    /// 65 bytes over the EIP-3009 message of this name.
    function authorize(string memory name, uint256 key, address from) internal view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            abi.encodePacked(
                name, "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
            )
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, from, payee, VALUE, validAfter, validBefore, NONCE));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
        return abi.encodePacked(r, s, v);
    }

    function split(bytes memory signature) internal pure returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 last;
        (r, s, last) = abi.decode(abi.encodePacked(signature, bytes31(0)), (bytes32, bytes32, bytes32));
        v = uint8(bytes1(last));
    }
}
