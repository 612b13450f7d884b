//! Words and values: diagnostics with places, templates and conditions, units, and what may reach a terminal. Pure.
