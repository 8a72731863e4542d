//! How values of the market stand in a column: one type for each kind of column, so that a row that was read is valid.
//!
//! Serialised, they are the text of a row: what before-images and dumps are made of.

use alloy_primitives::{Address, B256};
use market::{BasisPoints, Outcome, Status, Verdict};
use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, Value, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, DbErr, QueryResult, TryFromU64, TryGetError, TryGetable};
use serde::{Deserialize, Serialize};
use wire::receipt::ReceiptKind;

/// The one character that no text in a database may have.
pub const NUL: char = '\0';

/// `Name(inner)` stands in a column as `column`; `out` writes it, `back` reads it.
macro_rules! stored {
    ($(#[$doc:meta])* $name:ident($inner:ty) as $column:ty, $out:expr, $back:expr) => {
        $(#[$doc])*
        pub struct $name(pub $inner);

        impl From<$inner> for $name {
            fn from(inner: $inner) -> Self {
                Self(inner)
            }
        }

        impl From<$name> for Value {
            fn from(value: $name) -> Self {
                let out: fn($inner) -> $column = $out;
                out(value.0).into()
            }
        }

        impl $name {
            fn back(column: $column) -> Option<Self> {
                let back: fn($column) -> Option<$inner> = $back;
                back(column).map(Self)
            }
        }

        impl TryGetable for $name {
            fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
                let column = <$column as TryGetable>::try_get_by(row, index)?;
                Self::back(column).ok_or_else(|| {
                    let said = concat!("a column holds something that is no ", stringify!($name));
                    TryGetError::DbErr(DbErr::Type(said.to_owned()))
                })
            }
        }

        impl ValueType for $name {
            fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
                let column = <$column as ValueType>::try_from(value)?;
                Self::back(column).ok_or(ValueTypeErr)
            }

            fn type_name() -> String {
                stringify!($name).to_owned()
            }

            fn array_type() -> ArrayType {
                <$column as ValueType>::array_type()
            }

            fn column_type() -> ColumnType {
                <$column as ValueType>::column_type()
            }
        }

        impl Nullable for $name {
            fn null() -> Value {
                <$column as Nullable>::null()
            }
        }

        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    };
}

stored!(
    /// 32 bytes: an id, a hash, a digest.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(transparent)]
    Hash(B256) as Vec<u8>, |hash| hash.to_vec(), |bytes| B256::try_from(bytes.as_slice()).ok()
);
stored!(
    /// 20 bytes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(transparent)]
    Account(Address) as Vec<u8>, |address| address.to_vec(), |bytes| Address::try_from(bytes.as_slice()).ok()
);
stored!(
    /// Times, heights and counts. SQL has signed numbers only; what exceeds them, which nothing real does, comes back
    /// unchanged but is ordered wrongly.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(transparent)]
    Whole(u64) as i64, u64::cast_signed, |column| Some(column.cast_unsigned())
);
stored!(
    /// Numbers of providers, ports of a few bits.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(transparent)]
    Small(u32) as i64, i64::from, |column| column.try_into().ok()
);
stored!(
    /// Shares and counts of cards.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(transparent)]
    Short(u16) as i64, i64::from, |column| column.try_into().ok()
);
stored!(
    /// What people wrote. PostgreSQL's text has no place for the character NUL, and a listing may have it: another stands
    /// for it, on every engine.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(transparent)]
    Words(String) as String, |words| words.replace(NUL, "\u{fffd}"), Some
);
stored!(
    /// Money, as decimal text: no engine has whole numbers as wide as a token's.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    Decimal(u128) as String, |number| number.to_string(), |text| text.parse().ok()
);
stored!(
    /// Where a job stands, as a word.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    State(Status) as String, |status| word(&STATES, status).to_owned(), |text| meaning(&STATES, &text)
);
stored!(
    /// Why a job's clock ended, as a word.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    End(Outcome) as String, |outcome| word(&ENDS, outcome).to_owned(), |text| meaning(&ENDS, &text)
);
stored!(
    /// A verdict, as the provider's share in hundredths of a percent.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    Share(Verdict) as i64, |verdict| verdict.share().0.into(),
    |column| Verdict::of(BasisPoints(column.try_into().ok()?))
);
stored!(
    /// What a receipt is about, as its document names it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    Kind(ReceiptKind) as String, |kind| kind.name().to_owned(),
    |text| [ReceiptKind::JobSubmitted, ReceiptKind::JobCompleted, ReceiptKind::JobResolved]
        .into_iter().find(|kind| kind.name() == text)
);

stored!(
    /// An event's fields, as the text of their JSON: equal on every engine.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(transparent)]
    Detail(serde_json::Value) as String, |detail| detail.to_string(), |text| serde_json::from_str(&text).ok()
);

const STATES: [(Status, &str); 10] = [
    (Status::None, "none"),
    (Status::Created, "created"),
    (Status::Accepted, "accepted"),
    (Status::Running, "running"),
    (Status::Paused, "paused"),
    (Status::Silent, "silent"),
    (Status::Ended, "ended"),
    (Status::Disputed, "disputed"),
    (Status::Final, "final"),
    (Status::Cancelled, "cancelled"),
];

const ENDS: [(Outcome, &str); 7] = [
    (Outcome::None, "none"),
    (Outcome::Succeeded, "succeeded"),
    (Outcome::Failed, "failed"),
    (Outcome::StoppedByRenter, "stoppedByRenter"),
    (Outcome::AbortedByProvider, "abortedByProvider"),
    (Outcome::Silent, "silent"),
    (Outcome::Disputed, "disputed"),
];

fn word<T: PartialEq + Copy>(words: &[(T, &'static str)], value: T) -> &'static str {
    words.iter().find(|(meaning, _)| *meaning == value).map_or("none", |(_, word)| word)
}

fn meaning<T: Copy>(words: &[(T, &'static str)], text: &str) -> Option<T> {
    words.iter().find(|(_, word)| *word == text).map(|(meaning, _)| *meaning)
}

/// Those that are no number or array of bytes travel as the text of their column.
macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match Value::from(*self) {
                    Value::String(Some(text)) => to.serialize_str(&text),
                    _ => Err(serde::ser::Error::custom("a text column without text")),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::back(text).ok_or_else(|| serde::de::Error::custom(concat!("no ", stringify!($name))))
            }
        }
    )*};
}

as_text!(Decimal State End);

impl Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u16(self.0.share().0)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let share = u16::deserialize(from)?;
        Self::back(share.into()).ok_or_else(|| serde::de::Error::custom("no verdict"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_give_back_what_they_were_given() {
        for number in [0, 1, u64::MAX >> 1, u64::MAX] {
            assert_eq!(<Whole as ValueType>::try_from(Whole(number).into()).unwrap(), Whole(number));
        }
        for number in [0, u128::MAX] {
            assert_eq!(<Decimal as ValueType>::try_from(Decimal(number).into()).unwrap(), Decimal(number));
            let text = serde_json::to_string(&Decimal(number)).unwrap();
            assert_eq!(serde_json::from_str::<Decimal>(&text).unwrap(), Decimal(number));
        }
        for (status, word) in STATES {
            assert_eq!(Value::from(State(status)), Value::from(word));
            assert_eq!(State::back(word.to_owned()), Some(State(status)));
        }
        for (outcome, word) in ENDS {
            assert_eq!(Value::from(End(outcome)), Value::from(word));
            assert_eq!(End::back(word.to_owned()), Some(End(outcome)));
        }
        for verdict in Verdict::ALL {
            assert_eq!(<Share as ValueType>::try_from(Share(verdict).into()).unwrap(), Share(verdict));
            let text = serde_json::to_string(&Share(verdict)).unwrap();
            assert_eq!(serde_json::from_str::<Share>(&text).unwrap(), Share(verdict));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(<Small as ValueType>::try_from(Value::from(-1_i64)).is_err());
        assert!(<Short as ValueType>::try_from(Value::from(65_536_i64)).is_err());
        assert!(<Share as ValueType>::try_from(Value::from(1_i64)).is_err());
        assert!(<Hash as ValueType>::try_from(Value::from(vec![0_u8; 31])).is_err());
        assert!(<Decimal as ValueType>::try_from(Value::from("-1")).is_err());
        assert!(State::back("Running".to_owned()).is_none());
    }
}
