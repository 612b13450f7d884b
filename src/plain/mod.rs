//! The same wizard as line prompts: no escape byte, no carriage return.
