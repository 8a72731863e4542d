//! A renter's signed leave to rent in its name.

use alloy::sol;

sol! {
    /// What a renter lets a matcher order in its name; signed under the market's own domain.
    #[derive(Debug, PartialEq, Eq)]
    struct Order {
        address renter;
        address matcher;
        address controller;
        bytes32 specDigest;
        bytes32 needsDigest;
        uint96 maxPrice;
        uint96 maxMinCharge;
        uint32 maxDuration;
        uint128 budget;
        uint40 expiry;
        uint256 nonce;
    }
}
