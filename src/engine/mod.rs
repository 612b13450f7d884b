//! Makes a plan happen: executor, resume, questions, journal first. Knows neither ratatui nor kube.
