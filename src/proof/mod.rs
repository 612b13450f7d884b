//! Artifacts, their manifests, and comparison.
