//! What a step can DO: one file a kind.
