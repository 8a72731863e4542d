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
