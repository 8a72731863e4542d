//! How ids, addresses and bytes look in a description of the API: named once, with their patterns.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, SchemaType, Type},
    },
};

macro_rules! text {
    ($(#[doc = $doc:literal])+ $name:ident, $pattern:literal, $example:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words: &[&str] = &[$($doc),+];
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .description(Some(words.concat().trim()))
                    .pattern(Some($pattern))
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

text! {
    /// 32 bytes in hexadecimal digits: the id of a job or a resource, a transaction, a digest.
    Hash,
    "^0x[0-9a-fA-F]{64}$",
    "0x2b1f6d0c9e7a4b3c8d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c"
}

text! {
    /// An account or a contract: 20 bytes in hexadecimal digits.
    Account,
    "^0x[0-9a-fA-F]{40}$",
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
}

text! {
    /// A signature: 65 bytes in hexadecimal digits.
    SignatureHex,
    "^0x[0-9a-fA-F]{130}$",
    "0x1111111111111111111111111111111111111111111111111111111111111111\
     22222222222222222222222222222222222222222222222222222222222222221b"
}

text! {
    /// Bytes in hexadecimal digits.
    BytesHex,
    "^0x([0-9a-fA-F]{2})*$",
    "0x1234"
}
