//! Keeping this process' memory out of files. Called by `main`, first of all, in every process of ours.

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, setrlimit, umask},
};

/// Turns core dumps off, here and in every child, lets no file of ours or theirs (a script's dump) be read by others, and (on
/// Linux) keeps other processes of the same user from reading our memory. To be called before anything secret is read.
pub fn harden_process() -> std::io::Result<()> {
    umask(Mode::RWXG | Mode::RWXO);
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
