//! Full disks: in the client pod, and on this machine. The step fails with its evidence, and what exists stays whole.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    live::{Live, said},
    pixelcore::Plant,
};

const RESUME: [&str; 4] = ["resume", "--answers", "answers.yaml", "--plain"];

/// A disk of this machine with `mib` MiB, mounted; none where that is not allowed.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, mib: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={mib}m,mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "drydock-test"]).arg(at).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(at.to_owned()));
        }
        crate::required::not_run("this user may not mount, so the disk of this machine cannot be filled");
        None
    }

    /// Leaves `kib` KiB of room.
    fn fill(&self, kib: u64) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        let block = vec![1u8; 64 << 10];
        while file.write_all(&block).is_ok() {}
        let full = file.metadata().unwrap().len();
        file.set_len(full - (kib << 10)).unwrap();
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The client pod as the run would make it, but with a disk of 1 MiB.
fn tiny_client(plant: &Plant) {
    let (ns, name) = (&plant.namespace, format!("drydock-client-{}", plant.run()));
    let manifest = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {ns}, labels: {{app.kubernetes.io/managed-by: drydock}}}}, spec: {{
          restartPolicy: Never, terminationGracePeriodSeconds: 0, containers: [{{name: client, image: \"localhost/postgres:1\",
          imagePullPolicy: IfNotPresent, command: [sh, -c, \"sleep 600 & wait\"], env: [{{name: PIX_DB_HOST, value: pix-db}}],
          envFrom: [{{configMapRef: {{name: pix-env}}}}, {{secretRef: {{name: pix-secrets}}}}],
          volumeMounts: [{{name: work, mountPath: /drydock}}]}}],
          volumes: [{{name: work, emptyDir: {{medium: Memory, sizeLimit: 1Mi}}}}]}}}}\n"
    );
    let mut child = plant.command("kubectl").args(["apply", "-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    plant.kubectl(&["-n", ns, "wait", &format!("pod/{name}"), "--for=condition=Ready", "--timeout=60s"]);
}

#[test]
fn a_full_disk_fails_the_step_and_harms_nothing() {
    let Some(plant) = Plant::install("dd-room", 5_000) else { return };
    let before = plant.fingerprint(None);
    let start: Vec<String> = plant.start("pod");
    let start: Vec<&str> = start.iter().map(String::as_str).chain(["--plain"]).collect();

    // too little here is found before anything begins
    let Some(disk) = Disk::mount(&plant.state(), 64) else { return };
    said(plant.drydock(&start)).expect(
        "little room here",
        3,
        &["disk-local: ", "1.00 GiB needed at least", "--state-dir", "Still safe: everything"],
    );
    drop(disk);

    // a run that stands before its preflight gets a client pod whose disk is full at 1 MiB
    let Some(disk) = Disk::mount(&plant.state(), 1100) else { return };
    plant.answers_without("short.yaml", &["other"]);
    let short: Vec<&str> = start.iter().map(|arg| if *arg == "answers.yaml" { "short.yaml" } else { arg }).collect();
    said(plant.drydock(&short)).expect("an answer is missing", 5, &["other: none, or items"]);
    tiny_client(&plant);
    said(plant.drydock(&RESUME)).expect(
        "the disk of the client pod is full",
        1,
        &["No space left on device", "counts as no dump", "Still safe: production", "You can: "],
    );

    // the next try takes a new client pod; now the disk here fills up while the dump comes in, and the journal goes on
    disk.fill(256);
    Live::start(plant.drydock(&RESUME[..3])).end().expect(
        "the disk here is full",
        1,
        &[
            "create pod drydock-client",
            "No space left on device",
            ".part",
            "what came is thrown away",
            "a file or disk of this machine refused",
        ],
    );

    disk.empty();

    // not even the journal can be written: nothing further is sent, and the torn line is cut off by the next one
    let journal = plant.state().join("state/runs");
    let mut journal = std::fs::read_dir(journal).unwrap().map(|run| run.unwrap().path().join("journal.jsonl"));
    let journal = journal.find(|path| path.display().to_string().contains(&plant.run())).unwrap();
    let kib = std::fs::metadata(&journal).unwrap().len() / 1024 + 1;
    let limited = "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"";
    let program = env!("CARGO_BIN_EXE_drydock");
    let mut command = plant.command("bash");
    command = command.env("DRYDOCK_STATE_DIR", plant.state()).args(["-c", limited, "bash", &kib.to_string(), program]);
    said(command.args(RESUME)).expect(
        "the journal cannot grow",
        4,
        &["the journal cannot be written", "a file may not be larger", "Still safe: ", "You can: "],
    );

    // with room the same run goes on, from the same journal
    let mut live = Live::start(plant.drydock(&RESUME[..3]));
    live.step("rehearse");
    live.kill();
    assert_eq!(plant.fingerprint(Some(&before)), before, "a dump changed the database");
    plant.assert_no_secret();
    drop(disk);
}
