// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {AuthorizedTransfer} from "../AuthorizedTransfer.sol";

/// Stands in for the canonical USDC of Base Sepolia on development chains, at its very address: name, version, decimals,
/// EIP-3009 and ERC-2612 in both overloads. Its code is placed there without running a constructor, so it keeps nothing
/// that a constructor would have set; name and domain are computed when asked for.
contract DevUSDC is ERC20, AuthorizedTransfer, Nonces, IERC20Permit {
    /// Chains on which money may be made out of nothing: a development chain under its own number or under that of the
    /// testnet whose clients are tried. On the real testnet this code does not stand.
    uint256 private constant DEVELOPMENT = 31337;
    uint256 private constant BASE_SEPOLIA = 84532;

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    string private constant NAME = "USDC";
    string private constant VERSION = "2";

    error NoDevelopmentChain(uint256 chainId);
    error ERC2612ExpiredSignature(uint256 deadline);
    error ERC2612InvalidSigner(address owner);

    constructor() ERC20(NAME, NAME) EIP712(NAME, VERSION) {}

    /// New money, for anybody, on development chains only.
    function mint(address to, uint256 amount) external {
        require(block.chainid == DEVELOPMENT || block.chainid == BASE_SEPOLIA, NoDevelopmentChain(block.chainid));
        _mint(to, amount);
    }

    /// @inheritdoc IERC20Permit
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        permit(owner, spender, value, deadline, abi.encodePacked(r, s, v));
    }

    /// The same with the signature in one piece, by a key or an EIP-1271 wallet; selector 0x9fd5a6cf.
    function permit(address owner, address spender, uint256 value, uint256 deadline, bytes memory signature) public {
        require(block.timestamp <= deadline, ERC2612ExpiredSignature(deadline));
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, _useNonce(owner), deadline));
        bool valid = SignatureChecker.isValidSignatureNow(owner, _hashTypedDataV4(structHash), signature);
        require(valid, ERC2612InvalidSigner(owner));
        _approve(owner, spender, value);
    }

    function name() public pure override returns (string memory) {
        return NAME;
    }

    function symbol() public pure override returns (string memory) {
        return NAME;
    }

    /// As with the dollar: one unit is a millionth.
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// Of the EIP-712 domain, as FiatToken tells it.
    function version() external pure returns (string memory) {
        return VERSION;
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(Nonces, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }

    /// @inheritdoc IERC20Permit
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparator();
    }

    function eip712Domain()
        public
        view
        override
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        return (hex"0f", NAME, VERSION, block.chainid, address(this), bytes32(0), new uint256[](0));
    }

    function _hashTypedDataV4(bytes32 structHash) internal view override returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(_domainSeparator(), structHash);
    }

    function _domainSeparator() private view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(NAME)), keccak256(bytes(VERSION)), block.chainid, address(this))
        );
    }
}
