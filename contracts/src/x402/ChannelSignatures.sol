// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// Whose signature it is. Keys first: an account that signed as a key and became a contract since (EIP-7702) cannot take
/// its word back by changing its code.
library ChannelSignatures {
    /// 65 bytes r‖s‖v with low s, by this key.
    function isSignedByKey(address signer, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && recovered == signer;
    }

    /// By this key or, where a contract stands, to its satisfaction (EIP-1271), asked with at most `walletGas`.
    function isSigned(address signer, bytes32 digest, bytes calldata signature, uint256 walletGas)
        internal
        view
        returns (bool)
    {
        if (isSignedByKey(signer, digest, signature)) return true;
        if (signer.code.length == 0) return false;
        (bool success, bytes memory answer) =
            signer.staticcall{gas: walletGas}(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
        return success && answer.length >= 32 && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);
    }
}
