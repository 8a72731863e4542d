//! The contracts' interfaces and bytecode, generated from their committed artefacts. Nothing of this leaves the crate.

pub(crate) mod market {
    //! The Market contract.
    alloy::sol!(
        #[derive(Debug)]
        Market,
        "../../contracts/abi/Market.json"
    );
}

pub(crate) mod token {
    //! The settlement token.
    alloy::sol!(
        #[derive(Debug)]
        GPUToken,
        "../../contracts/abi/GPUToken.json"
    );
}

pub(crate) mod register {
    //! The register of commits.
    alloy::sol!(
        #[derive(Debug)]
        CommitRegister,
        "../../contracts/abi/CommitRegister.json"
    );
}

pub(crate) mod access {
    //! The contract that holds the roles.
    alloy::sol!(
        #[derive(Debug)]
        AccessManager,
        "../../contracts/abi/AccessManager.json"
    );
}

pub(crate) mod erc20 {
    //! Any token: ERC-20 with the extensions that payments use.
    alloy::sol! {
        // ERC-20.
        function name() external view returns (string);
        function symbol() external view returns (string);
        function decimals() external view returns (uint8);
        function balanceOf(address account) external view returns (uint256);
        function allowance(address owner, address spender) external view returns (uint256);
        function approve(address spender, uint256 value) external returns (bool);
        function transfer(address to, uint256 value) external returns (bool);
        event Transfer(address indexed from, address indexed to, uint256 value);

        // ERC-2612 and ERC-5267.
        function version() external view returns (string);
        function DOMAIN_SEPARATOR() external view returns (bytes32);
        function nonces(address owner) external view returns (uint256);
        function permit(
            address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s
        ) external;
        function eip712Domain() external view returns (
            bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt,
            uint256[] extensions
        );

        // EIP-3009 in the overload that smart wallets can use too.
        function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);
        function transferWithAuthorization(
            address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce,
            bytes signature
        ) external;
        function receiveWithAuthorization(
            address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce,
            bytes signature
        ) external;
        event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    }
}

pub(crate) mod batch {
    //! Payment channels whose vouchers are claimed in batches, as the public x402BatchSettlement has them.
    alloy::sol! {
        /// Who pays whom through a channel, and who signs for them. Its EIP-712 digest is the channel's id.
        #[derive(Debug, PartialEq, Eq)]
        struct ChannelConfig {
            address payer;
            address payerAuthorizer;
            address receiver;
            address receiverAuthorizer;
            address token;
            uint40 withdrawDelay;
            bytes32 salt;
        }

        #[derive(Debug)]
        interface BatchSettlement {
            struct Voucher { ChannelConfig channel; uint128 maxClaimableAmount; }
            struct VoucherClaim { Voucher voucher; bytes signature; uint128 totalClaimed; }
            function deposit(
                ChannelConfig config, uint128 amount, address collector, bytes collectorData
            ) external;
            function claim(VoucherClaim[] claims) external;
            function claimTry(VoucherClaim[] claims) external;
            function claimWithSignature(VoucherClaim[] claims, bytes signature) external;
            function closeWithSignature(VoucherClaim claim, uint128 refundAmount, bytes receiverSignature) external;
            function settle(address receiver, address token) external;
            function initiateWithdraw(ChannelConfig config, uint128 amount) external;
            function finalizeWithdraw(ChannelConfig config) external;
            function refund(ChannelConfig config, uint128 amount) external;
            function refundWithSignature(ChannelConfig config, uint128 amount, uint256 nonce, bytes signature) external;
            function getChannelId(ChannelConfig config) external view returns (bytes32);
            function channels(bytes32 channelId) external view returns (uint128 balance, uint128 totalClaimed);
            function pendingWithdrawals(bytes32 channelId) external view returns (uint128 amount, uint40 initiatedAt);
            function refundNonce(bytes32 channelId) external view returns (uint256);
            function receivers(address receiver, address token)
                external view returns (uint128 totalClaimed, uint128 totalSettled);
        }
    }
}
