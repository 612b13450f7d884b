//! ratatui: one view a screen, widgets, theme, terminal guard.
