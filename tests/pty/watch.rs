//! What anybody on the machine could read of a program and all it starts, while it runs: arguments; and environments.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(4);

/// Looks at a program again and again, until it is gone.
pub struct Watch {
    seen: Arc<Mutex<BTreeSet<Vec<u8>>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to look.
    pub fn of(program: u32) -> Self {
        let (seen, stop) = (Arc::<Mutex<BTreeSet<Vec<u8>>>>::default(), Arc::<AtomicBool>::default());
        let thread = {
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            let root = program.to_string();
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    look(&root, &mut seen.lock().unwrap());
                    std::thread::sleep(EVERY);
                }
            })
        };
        Self { seen, stop, thread: Some(thread) }
    }

    /// All that was seen, each once.
    pub fn end(mut self) -> BTreeSet<Vec<u8>> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// One look at a process and its children, and theirs. One that has just gone is no fault.
fn look(id: &str, seen: &mut BTreeSet<Vec<u8>>) {
    let place = Path::new("/proc").join(id);
    seen.extend(["cmdline", "environ"].iter().filter_map(|file| std::fs::read(place.join(file)).ok()));
    let Ok(threads) = std::fs::read_dir(place.join("task")) else { return };
    let children = |thread: PathBuf| std::fs::read_to_string(thread.join("children")).unwrap_or_default();
    let children: String = threads.filter_map(Result::ok).map(|thread| children(thread.path())).collect();
    for child in children.split_whitespace() {
        look(child, seen);
    }
}
