//! As whom somebody acts in a cluster whose own credentials are another's.

use serde::{Deserialize, Serialize};

/// A user that is impersonated, as kubectl's `--as` does. Empty for whoever acts as themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acting {
    /// Name of the user.
    #[serde(default)]
    pub user: String,
    /// Groups of the user.
    #[serde(default)]
    pub groups: Vec<String>,
}

impl Acting {
    /// Whether nobody is impersonated.
    pub fn is_oneself(&self) -> bool {
        self.user.is_empty()
    }
}

impl std::fmt::Display for Acting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_oneself() {
            return f.write_str("oneself");
        }
        f.write_str(&self.user)?;
        match self.groups.as_slice() {
            [] => Ok(()),
            [one] => write!(f, " (group {one})"),
            all => write!(f, " (groups {})", all.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_with_its_groups() {
        let acting = |user: &str, groups: &[&str]| Acting {
            user: user.into(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        assert_eq!(acting("anna", &[]).to_string(), "anna");
        assert_eq!(acting("anna", &["ops"]).to_string(), "anna (group ops)");
        assert_eq!(acting("anna", &["ops", "dba"]).to_string(), "anna (groups ops, dba)");
        assert!(acting("", &[]).is_oneself() && !acting("anna", &[]).is_oneself());
    }
}
