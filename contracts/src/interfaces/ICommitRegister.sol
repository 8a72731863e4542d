// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// A public register of statements about digital assets: who said what about which content, and when.
/// Source: https://eips.ethereum.org/EIPS/eip-7053
interface ICommitRegister {
    /// `recorder` said `commitData` about `assetCid`. Of the CID the log keeps only the hash of its text: look for a
    /// CID that is known, or read it from the calldata of the transaction.
    event Commit(address indexed recorder, string indexed assetCid, string commitData);

    /// Records `commitData` about `assetCid` as the caller's word. Anyone may say anything about anything, as often as
    /// he likes: who reads decides whose word counts.
    /// @param assetCid The content's CID, as text.
    /// @param commitData What is said about it, by custom a JSON document.
    /// @return blockNumber The block that the statement stands in.
    function commit(string calldata assetCid, string calldata commitData) external returns (uint256 blockNumber);
}
