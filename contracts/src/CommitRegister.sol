// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ICommitRegister} from "./interfaces/ICommitRegister.sol";

/// The register of job receipts, and of anything else that somebody wants to have said.
///
/// It only logs. The reference implementation also stores the number of every commit's block; that costs a commit two
/// or three storage words, four times the rest of it, to answer what any node finds by two indexed topics. Without
/// storage there is nothing to migrate, to own or to pause, and no state by which one recorder could hinder another.
contract CommitRegister is ICommitRegister {
    /// @inheritdoc ICommitRegister
    function commit(string calldata assetCid, string calldata commitData) external returns (uint256 blockNumber) {
        emit Commit(msg.sender, assetCid, commitData);
        return block.number;
    }
}
