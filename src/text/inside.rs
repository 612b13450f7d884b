//! Whether a name that somebody else wrote stays inside of the folder that it is meant for.

use std::path::{Component, Path};

/// Whether `name`, below a folder, is a path of plain parts: neither absolute nor leading up, and not empty.
pub fn stays_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_parts_stay_inside() {
        for name in ["a", "a/b.c", "templates/core.yaml"] {
            assert!(stays_inside(name), "{name}");
        }
        for name in ["", "/etc/passwd", "../a", "a/../../b", "./a"] {
            assert!(!stays_inside(name), "{name}");
        }
    }
}
