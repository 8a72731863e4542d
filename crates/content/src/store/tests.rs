//! What the store promises, against a model and against damage.
