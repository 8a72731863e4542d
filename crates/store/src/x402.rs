//! Payments over HTTP: what a channel's payer signed last, which authorizations were taken, what was sent for others.

mod channels;
pub use channels::{AnswerRow, CHANNEL_ANSWER_BYTES_MAX, ChannelRow, VoucherRow};

mod payments;
pub use payments::{PaymentKey, PaymentRow, PaymentState, Reserved};

mod sends;
pub use sends::{PURPOSE_BYTES_MAX, SendRow, SendState};
