// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IAuthorizedTransfer} from "./interfaces/IAuthorizedTransfer.sol";

/// The settlement token of development chains: shaped like a dollar stablecoin, so that what works with it works with
/// one of those. Permit (ERC-2612), authorizations with random nonces (EIP-3009) in both overloads.
contract GPUToken is ERC20, ERC20Permit, ERC3009, IAuthorizedTransfer, AccessManaged {
    constructor(address authority) ERC20("GPU Token", "GPU") ERC20Permit("GPU Token") AccessManaged(authority) {}

    /// New money out of nothing, for a faucet; by a role of the AccessManager.
    function mint(address to, uint256 amount) external restricted {
        _mint(to, amount);
    }

    /// @inheritdoc IAuthorizedTransfer
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) external {
        bytes32 structHash = keccak256(
            abi.encode(TRANSFER_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce)
        );
        _requireSigned(from, structHash, signature);
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// @inheritdoc IAuthorizedTransfer
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) external {
        bytes32 structHash = keccak256(
            abi.encode(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce)
        );
        _requireSigned(from, structHash, signature);
        require(to == _msgSender(), ERC20InvalidReceiver(to));
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// As with the dollar: one unit is a millionth.
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _requireSigned(address from, bytes32 structHash, bytes memory signature) private view {
        bool valid = SignatureChecker.isValidSignatureNow(from, _hashTypedDataV4(structHash), signature);
        require(valid, ERC3009InvalidSignature());
    }
}
