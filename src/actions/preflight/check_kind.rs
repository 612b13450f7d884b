//! A check's name, how far it goes, and how what it found is told. The checks themselves are in `checks`, `images`, `rights`, `others`,
//! `admission`.

use crate::{
    actions::spec::CheckKind,
    run::{Check, CheckResult},
    text::printable,
};

impl CheckKind {
    /// Short name of a check.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Rights => "rights",
            Self::Programs => "programs",
            Self::DiskLocal => "disk-local",
            Self::PgVersions => "pg-versions",
            Self::Images => "images",
            Self::Storage => "storage",
            Self::RehearsalRoom => "rehearsal-room",
            Self::Others => "others",
            Self::Admission => "admission",
            Self::NewNamespace => "new-namespace",
            Self::Chart => "chart",
            Self::Quiet => "quiet",
            Self::SettingsUnchanged => "settings",
            Self::Captured => "captured",
            Self::NewVersion => "new-version",
            Self::CapturedVersion => "version",
            Self::KeptVolumes => "kept-volumes",
        }
    }

    /// Whether a check must run something in the cluster or with captured secrets.
    pub fn must_probe(self) -> bool {
        match self {
            Self::PgVersions
            | Self::Images
            | Self::Admission
            | Self::Chart
            | Self::NewNamespace
            | Self::Quiet
            | Self::SettingsUnchanged
            | Self::Captured
            | Self::NewVersion
            | Self::CapturedVersion => true,
            Self::Identity
            | Self::Rights
            | Self::Programs
            | Self::DiskLocal
            | Self::Storage
            | Self::RehearsalRoom
            | Self::Others
            | Self::KeptVolumes => false,
        }
    }

    /// What it found.
    pub fn found(self, result: CheckResult, sentence: &str, help: &[&str]) -> Check {
        Check {
            name: self.name().to_owned(),
            result,
            sentence: printable(sentence),
            help: help.iter().map(|&line| line.to_owned()).collect(),
            seen: false,
        }
    }

    /// That all is well.
    pub fn pass(self, sentence: &str) -> Check {
        self.found(CheckResult::Pass, sentence, &[])
    }

    /// That all is well, or why not and what helps.
    pub fn from(self, found: Result<String, String>, help: &str) -> Check {
        match found {
            Ok(sentence) => self.pass(&sentence),
            Err(sentence) => self.found(CheckResult::Fail, &sentence, &[help]),
        }
    }
}
