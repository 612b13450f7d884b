//! What a procedure IS: model, load, lint, schema.
