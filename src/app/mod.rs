//! The wizard without a terminal: models, update, effects, keymap, forms, one file a screen.
