//! Settings, as plain values: whoever composes the program fills them in.
