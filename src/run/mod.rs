//! What HAPPENED in a run: records, the state folded from them, commands, events, questions, the report. Pure; no input or output.
