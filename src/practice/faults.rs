//! What can go wrong in practice, by name. A fault is ordered before or during a run and happens at its place.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A named fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The dump's connection ends in the middle, once.
    CutMidDump,
    /// The server closes a command's stream without its status, once.
    NoStatus,
    /// The server drops the tail of a command's output and says success, once.
    TruncatedTail,
    /// Streams carry 256 KiB/s.
    SlowLink,
    /// The image of the new version cannot be fetched.
    ImagePull,
    /// A finalizer holds the scratch namespace for 30 s.
    StuckNamespace,
    /// The client pod's disk is full, once.
    DiskFull,
    /// The account may not delete StatefulSets.
    Forbidden,
    /// One byte of the dump changes on its way, once.
    CorruptedDump,
    /// The worker comes back after the dump and writes.
    WritesAfterDump,
    /// The new version takes 45 s to get ready.
    SlowStart,
    /// The network lets everything through, whatever policies say.
    NetworkIgnoresPolicy,
    /// The account has rights in its own namespaces only: the plant's, and an empty one for the rehearsal.
    OneNamespace,
}

impl Fault {
    /// All of them with name and what happens.
    pub const ALL: [(Self, &'static str, &'static str); 13] = [
        (Self::CutMidDump, "cut-mid-dump", "the dump's connection ends in the middle, once"),
        (Self::NoStatus, "no-status", "the server closes a command's stream without its status, once"),
        (Self::TruncatedTail, "truncated-tail", "the server drops the tail of an output and says success, once"),
        (Self::SlowLink, "slow-link", "streams carry 256 KiB/s"),
        (Self::ImagePull, "image-pull", "the image of the new version cannot be fetched"),
        (Self::StuckNamespace, "stuck-namespace", "a finalizer holds the scratch namespace for 30 s"),
        (Self::DiskFull, "disk-full", "the client pod's disk is full, once (way: pod)"),
        (Self::Forbidden, "forbidden", "the account may not delete StatefulSets"),
        (
            Self::CorruptedDump,
            "corrupted-dump",
            "one byte of the dump changes on its way from the client pod, once (way: pod)",
        ),
        (Self::WritesAfterDump, "writes-after-dump", "the worker comes back after the dump and writes"),
        (Self::SlowStart, "slow-start", "the new version takes 45 s to get ready"),
        (
            Self::NetworkIgnoresPolicy,
            "network-ignores-policy",
            "the network lets everything through, whatever policies say",
        ),
        (
            Self::OneNamespace,
            "one-namespace",
            "the account has rights in two namespaces only: the plant's, and an empty one for the rehearsal",
        ),
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(fault, ..)| *fault == self).map_or("", |(_, name, _)| name)
    }

    /// The fault of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(fault, ..)| *fault)
    }
}

/// The faults that are ordered.
#[derive(Debug, Default)]
pub struct Faults(Mutex<BTreeMap<Fault, u32>>);

impl Faults {
    /// Orders `faults`.
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self(Mutex::new(faults.into_iter().map(|fault| (fault, 0)).collect()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Fault, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a lasting fault is ordered.
    pub fn holds(&self, fault: Fault) -> bool {
        self.lock().contains_key(&fault)
    }

    /// Whether a fault that happens once happens now.
    pub fn strikes(&self, fault: Fault) -> bool {
        self.lock().get_mut(&fault).is_some_and(|times| {
            *times += 1;
            *times == 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_strikes_happen_once() {
        for (fault, name, _) in Fault::ALL {
            assert_eq!(Fault::named(name), Some(fault));
            assert_eq!(fault.name(), name);
        }
        let faults = Faults::new([Fault::NoStatus]);
        assert!(faults.holds(Fault::NoStatus) && !faults.holds(Fault::Forbidden));
        assert!(faults.strikes(Fault::NoStatus));
        assert!(!faults.strikes(Fault::NoStatus));
    }
}
