//! The contracts' interfaces and bytecode, generated from their committed artefacts. Nothing of this leaves the crate.

pub(crate) mod market {
    //! The Market contract, with the verbs that it hands to its court.
    alloy::sol!(
        #[derive(Debug)]
        Market,
        "../../contracts/abi/Market.json"
    );
}

pub(crate) mod court {
    //! The code of the market's rarer verbs; they are called on the market.
    alloy::sol!(MarketCourt, "../../contracts/abi/MarketCourt.json");
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
    alloy::sol!(
        #[derive(Debug)]
        BatchSettlement,
        "../../contracts/abi/BatchSettlement.json"
    );
}

pub(crate) mod collectors {
    //! What fills payment channels.
    alloy::sol!(ERC3009DepositCollector, "../../contracts/abi/ERC3009DepositCollector.json");
    alloy::sol!(Permit2DepositCollector, "../../contracts/abi/Permit2DepositCollector.json");
}

pub(crate) mod multicall {
    //! Many calls in one, for development chains.
    alloy::sol!(
        #[derive(Debug)]
        DevMulticall,
        "../../contracts/abi/DevMulticall.json"
    );
}

pub(crate) mod dollar {
    //! What stands in for the dollar on development chains.
    alloy::sol!(DevUSDC, "../../contracts/abi/DevUSDC.json");
}

pub(crate) mod around {
    //! What stands beside a market: scores, versions, deposits, tills.
    alloy::sol!(
        #[derive(Debug)]
        Reputation,
        "../../contracts/abi/Reputation.json"
    );
    alloy::sol!(
        #[derive(Debug)]
        Versions,
        "../../contracts/abi/Versions.json"
    );
    alloy::sol!(
        #[derive(Debug)]
        Tills,
        "../../contracts/abi/Tills.json"
    );
    alloy::sol!(
        #[derive(Debug)]
        Till,
        "../../contracts/abi/Till.json"
    );
}

pub(crate) mod deposits {
    //! Addresses that buy a job.
    alloy::sol!(
        #[derive(Debug)]
        JobDeposits,
        "../../contracts/abi/JobDeposits.json"
    );
}

pub(crate) mod till {
    //! Where a provider is paid over HTTP.
    alloy::sol!(
        #[derive(Debug)]
        ProviderTill,
        "../../contracts/abi/ProviderTill.json"
    );
}
