//! What a child folder says of the program that runs in it: enough to find it again after its drydock was killed, and to end
//! it without ever touching a stranger.
//!
//! A number of a process group is not given away while one member lives. So a group is ours while its leader is the process
//! that was written down (same number, same start, same boot), or, when the leader is gone, while a member carries the mark
//! that only our children and theirs have in their environment.

use std::fs;
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};

use crate::store::create_private_file;

/// Its name in the child's folder; no secret file may have it.
pub(super) const FILE: &str = "running.json";
/// Variable that every child carries: the path of its folder, which nobody else has while that is there.
pub(super) const MARK: &str = "DRYDOCK_CHILD";
/// How often it is looked whether a group is gone.
const LOOK: Duration = Duration::from_millis(20);
/// How long a killed group may take to be gone.
const KILLED: Duration = Duration::from_secs(5);

/// A program that was started and is led by its process group's first process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its name, as it was called.
    pub program: String,
    /// When it was started.
    pub since: Timestamp,
    group: i32,
    started: u64,
    boot: String,
}

/// One process, as the kernel tells it.
struct Process {
    id: i32,
    group: i32,
    started: u64,
    ended: bool,
}

impl Process {
    /// `None` where there is no such process, or no such kernel.
    fn of(id: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // the name before may hold anything, brackets and blanks too
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Self {
            id,
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
            ended: matches!(*fields.first()?, "Z" | "X"),
        })
    }

    fn carries(&self, mark: &str) -> bool {
        let environment = fs::read(format!("/proc/{}/environ", self.id)).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    }
}

/// Which start of this machine it is.
fn boot() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|text| text.trim().to_owned())
}

impl Running {
    /// Writes down in `folder` that `leader` runs there. A system that tells nothing about processes leaves nothing to find
    /// them by.
    pub(super) fn write_down(folder: &Path, program: &str, leader: i32) -> io::Result<()> {
        let (Some(process), Some(boot)) = (Process::of(leader), boot()) else { return Ok(()) };
        let running = Self {
            program: program.to_owned(),
            since: Timestamp::now(),
            group: leader,
            started: process.started,
            boot,
        };
        let file = create_private_file(&folder.join(FILE)).map_err(io::Error::other)?;
        serde_json::to_writer(file, &running).map_err(io::Error::other)
    }

    /// What `folder` says; nothing where no program was let go in it.
    fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }

    /// Processes that are left of it.
    fn members(&self, folder: &Path) -> Vec<Process> {
        if boot().as_ref() != Some(&self.boot) {
            return Vec::new();
        }
        let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
        let all: Vec<Process> = numbers
            .filter_map(|entry| Process::of(entry.file_name().to_str()?.parse().ok()?))
            .filter(|process| process.group == self.group)
            .collect();
        let ours = if let Some(leader) = all.iter().find(|process| process.id == self.group) {
            leader.started == self.started
        } else {
            let mark = format!("{MARK}={}", folder.display());
            all.iter().any(|process| !process.ended && process.carries(&mark))
        };
        if ours { all.into_iter().filter(|process| !process.ended).collect() } else { Vec::new() }
    }

    /// Ends what is left of the program of `folder`, politely for the time of `grace`; says what it was.
    ///
    /// # Errors
    /// Something of it is still there.
    pub(super) fn end(folder: &Path, grace: Duration) -> io::Result<Option<Self>> {
        let Some(running) = Self::read(folder) else { return Ok(None) };
        if running.members(folder).is_empty() {
            return Ok(None);
        }
        for (signal, patience) in [(Signal::TERM, grace), (Signal::KILL, KILLED)] {
            if let Some(group) = Pid::from_raw(running.group) {
                // refused or gone: the look says which
                let _ = kill_process_group(group, signal);
            }
            let until = Instant::now() + patience;
            while Instant::now() < until {
                if running.members(folder).is_empty() {
                    return Ok(Some(running));
                }
                sleep(LOOK);
            }
        }
        Err(io::Error::other(format!(
            "{}, which a killed drydock left running since {:.0}, does not end: process group {}",
            running.program, running.since, running.group
        )))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::path::PathBuf;
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::host::private::{Swept, sweep_within, tests::private_base};

    /// A folder that nobody holds, as a killed drydock leaves it.
    fn left(base: &Path) -> PathBuf {
        let folder = base.join("child-left");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("env"), "s3cret").unwrap();
        folder
    }

    /// A shell in a group of its own, with the mark of `folder` where it is given; says when it is up.
    fn shell(script: &str, folder: Option<&Path>) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]).process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
        if let Some(folder) = folder {
            command.env(MARK, folder);
        }
        let mut child = command.spawn().unwrap();
        let mut up = [0; 1];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut up).unwrap();
        child
    }

    fn id(child: &Child) -> i32 {
        i32::try_from(child.id()).unwrap()
    }

    /// Members of its group that have not ended.
    fn alive(group: i32) -> usize {
        let numbers = fs::read_dir("/proc").unwrap().flatten();
        let all = numbers.filter_map(|entry| Process::of(entry.file_name().to_str()?.parse().ok()?));
        all.filter(|process| process.group == group && !process.ended).count()
    }

    fn changed(folder: &Path, field: &str, value: serde_json::Value) {
        let file = folder.join(FILE);
        let mut all: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        all[field] = value;
        fs::write(file, all.to_string()).unwrap();
    }

    fn sweep(base: &Path) -> Swept {
        sweep_within(base, Duration::from_millis(400)).unwrap()
    }

    fn end(mut child: Child) {
        let _ = kill_process_group(Pid::from_raw(id(&child)).unwrap(), Signal::KILL);
        child.wait().unwrap();
    }

    #[test]
    fn a_family_that_is_left_is_ended_and_its_folder_removed_after_it() {
        // the second has to be killed
        for script in ["(sleep 60; sleep 60) & echo; wait", "trap '' TERM; (sleep 60; sleep 60) & echo; wait; wait"] {
            let base = private_base();
            let folder = left(base.path());
            let child = shell(script, None);
            Running::write_down(&folder, "helm", id(&child)).unwrap();
            assert!(alive(id(&child)) > 1);
            let swept = sweep(base.path());
            assert_eq!((swept.folders, swept.ended.len()), (1, 1), "{script}");
            assert_eq!(swept.ended[0].program, "helm");
            assert_eq!(alive(id(&child)), 0, "{script}");
            assert!(!folder.exists());
            end(child);
        }
    }

    #[test]
    fn a_stranger_with_the_same_number_is_left_alone() {
        let boots = serde_json::json!("00000000-0000-4000-8000-000000000000");
        for (field, value) in [("started", serde_json::json!(1)), ("boot", boots)] {
            let base = private_base();
            let folder = left(base.path());
            let child = shell("echo; exec sleep 60", None);
            Running::write_down(&folder, "helm", id(&child)).unwrap();
            changed(&folder, field, value);
            assert_eq!(sweep(base.path()), Swept { folders: 1, ended: Vec::new() }, "{field}");
            assert_eq!(alive(id(&child)), 1, "{field}: a stranger was ended");
            end(child);
        }
    }

    #[test]
    fn what_its_leader_left_behind_is_known_by_the_mark_only() {
        for marked in [true, false] {
            let base = private_base();
            let folder = left(base.path());
            let mut child = shell("sleep 60 & echo", marked.then_some(folder.as_path()));
            let group = id(&child);
            child.wait().unwrap();
            let (program, boot) = ("pix-dump-data.sh".to_owned(), boot().unwrap());
            let running = Running { program, since: Timestamp::now(), group, started: 1, boot };
            fs::write(folder.join(FILE), serde_json::to_vec(&running).unwrap()).unwrap();
            assert_eq!(alive(group), 1);
            let swept = sweep(base.path());
            assert_eq!((swept.folders, swept.ended.len()), (1, usize::from(marked)), "marked: {marked}");
            assert_eq!(alive(group), usize::from(!marked), "marked: {marked}");
            let _ = kill_process_group(Pid::from_raw(group).unwrap(), Signal::KILL);
        }
    }

    #[test]
    fn what_was_never_let_go_runs_nothing() {
        let base = private_base();
        let folder = left(base.path());
        let marker = base.path().join("ran");
        let mut child = Command::new("/bin/sh")
            .args(["-c", crate::host::local::HELD_BACK, "drydock", "touch"])
            .arg(&marker)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // its drydock dies before the word
        drop(child.stdin.take());
        assert_eq!(child.wait().unwrap().code(), Some(125));
        assert!(!marker.exists());
        assert_eq!(sweep(base.path()), Swept { folders: 1, ended: Vec::new() });
        assert!(!folder.exists());
    }
}
