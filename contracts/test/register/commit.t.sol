// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test, Vm} from "forge-std/Test.sol";
import {ICommitRegister} from "../../src/interfaces/ICommitRegister.sol";

contract CommitTest is Test {
    /// keccak256("Commit(address,string,string)"), as in the logs of every register of the standard.
    bytes32 internal constant TOPIC = 0x39b5d1808997c4c413695960efbe703ad3d5c8982d2eb21ff57b01e22a671532;
    /// A CID and a recorder of the standard's first network, with the topics that a log there has.
    string internal constant CID = "bafkreifsitvutdqggqt2i3ag32tvw6g67bweszkrdtbm44vebfxpqs55m4";
    bytes32 internal constant CID_TOPIC = 0x6c8b14f45360908e276f1141874322c85c52e1e8e217c546de61340df1751297;
    address internal constant RECORDER = 0x51130dB91B91377A24d6Ebeb2a5fC02748b53ce1;

    ICommitRegister internal register;

    function setUp() public {
        register = ICommitRegister(deployCode("CommitRegister.sol:CommitRegister"));
    }

    function test_When_SomethingIsSaidAboutACID() external {
        // it logs the recorder, the hash of the CID and the words
        vm.expectEmit(address(register));
        emit ICommitRegister.Commit(RECORDER, CID, "{\"a\":1}");
        vm.prank(RECORDER);
        register.commit(CID, "{\"a\":1}");
    }

    function test_When_CalldataOfTheStandardArrives() external {
        // it logs the standard's topics
        bytes memory data = hex"81d14ffc" hex"0000000000000000000000000000000000000000000000000000000000000040"
            hex"00000000000000000000000000000000000000000000000000000000000000a0"
            hex"000000000000000000000000000000000000000000000000000000000000003b"
            hex"6261666b726569667369747675746471676771743269336167333274767736673637627765737a6b726474626d34347665"
            hex"62667870717335356d340000000000" hex"0000000000000000000000000000000000000000000000000000000000000007"
            hex"7b2261223a317d00000000000000000000000000000000000000000000000000";
        vm.recordLogs();
        vm.prank(RECORDER);
        (bool done,) = address(register).call(data);
        assertTrue(done);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1);
        assertEq(logs[0].topics.length, 3);
        assertEq(logs[0].topics[0], TOPIC);
        assertEq(logs[0].topics[1], bytes32(uint256(uint160(RECORDER))));
        assertEq(logs[0].topics[2], CID_TOPIC);
        assertEq(abi.decode(logs[0].data, (string)), "{\"a\":1}");
    }

    function test_When_TheSameIsSaidAgain() external {
        // it logs it again
        vm.recordLogs();
        register.commit(CID, "again");
        register.commit(CID, "again");
        assertEq(vm.getRecordedLogs().length, 2);
    }

    function test_When_TwoRecordersSpeakOfOneCID() external {
        // it keeps them apart by their address
        vm.recordLogs();
        vm.prank(RECORDER);
        register.commit(CID, "mine");
        vm.prank(address(7));
        register.commit(CID, "mine");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[0].topics[1], bytes32(uint256(uint160(RECORDER))));
        assertEq(logs[1].topics[1], bytes32(uint256(7)));
        assertEq(logs[0].topics[2], logs[1].topics[2]);
    }

    function test_When_NothingIsSaidAboutNothing() external {
        // it logs that too
        vm.expectEmit(address(register));
        emit ICommitRegister.Commit(address(this), "", "");
        register.commit("", "");
    }

    function testFuzz_When_AnythingAtAllIsSaid(string calldata cid, string calldata said, uint64 at) external {
        // it answers with the block and stores nothing
        vm.roll(at);
        vm.record();
        assertEq(register.commit(cid, said), at);
        (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(address(register));
        assertEq(reads.length + writes.length, 0);
    }
}
