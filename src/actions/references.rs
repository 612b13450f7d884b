//! What a step names: other steps, and templates that name values. The lint asks whether they are there, the engine what is
//! built on what.

use super::spec::{ActionSpec, CheckKind};
use crate::text::Template;

impl ActionSpec {
    /// Steps that the action names, each with the key that names it.
    pub fn references(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Verify(spec) => {
                let restored = spec.restored_by.iter().map(|name| ("restored_by", name.as_str()));
                restored.chain([("dump", spec.dump.as_str())]).collect()
            }
            Self::Rehearse(spec) => vec![("dump", &spec.dump)],
            Self::Seal(spec) => {
                vec![("version", &spec.version), ("dump", &spec.dump), ("proven_by", &spec.proven_by)]
            }
            Self::Restore(spec) => {
                let held = spec.held_by.iter().map(|name| ("held_by", name.as_str()));
                held.chain([("dump", spec.dump.as_str()), ("proven_by", &spec.proven_by)]).collect()
            }
            Self::Delete(spec) => {
                let checked = spec.checked_by.iter().map(|name| ("checked_by", name.as_str()));
                let back = spec.brings_back.iter().map(|name| ("brings_back", name.as_str()));
                let always =
                    [("keep_volumes", &spec.keep_volumes), ("proven_by", &spec.proven_by), ("dump", &spec.dump)];
                let stopped = spec.stopped_by.iter().map(|name| ("stopped_by", name.as_str()));
                let serves = spec.serves.iter().map(|name| ("serves", name.as_str()));
                let always = always.map(|(key, name)| (key, name.as_str())).into_iter();
                always.chain(checked).chain(back).chain(stopped).chain(serves).collect()
            }
            Self::Check(spec) => {
                let captured = spec.captured.iter().map(|name| ("captured", name.as_str()));
                let kept = spec.kept.iter().map(|name| ("kept", name.as_str()));
                captured.chain(spec.dump.iter().map(|name| ("dump", name.as_str()))).chain(kept).collect()
            }
            Self::Release(spec) => {
                vec![("volumes", &spec.volumes), ("dump", &spec.dump), ("proven_by", &spec.proven_by)]
            }
            Self::Http(spec) => vec![("from", &spec.from)],
            Self::Rollback(spec) => vec![("to", &spec.to)],
            Self::Patch(spec) => {
                let dump = spec.or_dump.iter().map(|name| ("or_dump", name.as_str()));
                spec.kept.iter().map(|name| ("kept", name.as_str())).chain(dump).collect()
            }
            Self::Scale(spec) => spec.as_before.iter().map(|name| ("as_before", name.as_str())).collect(),
            Self::Manual(spec) => spec.of.iter().map(|name| ("of", name.as_str())).collect(),
            Self::Wait(spec) => spec.delete.iter().map(|name| ("delete", name.as_str())).collect(),
            Self::Ask(_)
            | Self::Capture(_)
            | Self::Suspend(_)
            | Self::Helm(_)
            | Self::Confirm(_)
            | Self::Namespace(_)
            | Self::Run(_)
            | Self::Dump(_)
            | Self::Adopt(_) => Vec::new(),
        }
    }

    /// Templates of the action.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Capture(spec) => vec![&spec.expect_version],
            Self::Confirm(spec) => spec.text.iter().collect(),
            Self::Manual(spec) => spec.text.iter().chain(&spec.back).collect(),
            Self::Namespace(spec) => vec![&spec.name],
            Self::Run(spec) => spec.command.iter().collect(),
            Self::Dump(spec) => vec![&spec.way, &spec.scripts],
            Self::Adopt(spec) => vec![&spec.dump, &spec.csv],
            Self::Rehearse(spec) => vec![&spec.namespace, &spec.way, &spec.scripts],
            Self::Restore(spec) => vec![&spec.way, &spec.scripts],
            Self::Seal(spec) => vec![&spec.folder],
            Self::Ask(_)
            | Self::Check(_)
            | Self::Scale(_)
            | Self::Suspend(_)
            | Self::Verify(_)
            | Self::Patch(_)
            | Self::Delete(_)
            | Self::Release(_)
            | Self::Wait(_)
            | Self::Helm(_)
            | Self::Rollback(_)
            | Self::Http(_) => Vec::new(),
        }
    }

    /// Whether it installs or renders the deployment, with the captures that the section `deployment` names.
    pub fn installs(&self) -> bool {
        match self {
            Self::Helm(_) | Self::Rehearse(_) => true,
            Self::Check(spec) => spec.checks.contains(&CheckKind::Images),
            _ => false,
        }
    }
}
