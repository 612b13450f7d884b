//! The admin's own dump script lies: it ends with status 0 and a cheerful line, and its files are worth nothing.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use crate::{
    live::{Live, said},
    pixelcore::Plant,
};

/// Puts upstream's dump script, changed, into the folder of scripts.
struct Scripts {
    folder: PathBuf,
    good: String,
}

impl Scripts {
    fn new(plant: &Plant) -> Self {
        let folder = plant.folder.path().join("scripts");
        std::fs::create_dir(&folder).unwrap();
        std::fs::copy(plant.files().join("pix-restore-data.sh"), folder.join("pix-restore-data.sh")).unwrap();
        let good = std::fs::read_to_string(plant.files().join("pix-dump-data.sh")).unwrap();
        Self { folder, good }
    }

    fn write(&self, text: &str) {
        let path = self.folder.join("pix-dump-data.sh");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// One part of it replaced by another.
    fn changed(&self, from: &str, to: &str) {
        assert!(self.good.contains(from), "{from:?} is not in the script");
        self.write(&self.good.replace(from, to));
    }

    /// Lines before its cheerful end.
    fn then(&self, more: &str) {
        self.changed("echo \"Done:\"", &format!("{more}\necho \"Done:\""));
    }
}

#[test]
fn a_dump_that_is_none_is_found_whatever_its_script_says() {
    let Some(plant) = Plant::install("dd-lies", 3_000) else { return };
    let before = plant.fingerprint(None);
    let scripts = Scripts::new(&plant);
    let mut start = plant.start("scripts");
    for arg in &mut start {
        if arg.starts_with("scripts=") {
            *arg = format!("scripts={}", scripts.folder.display());
        }
    }
    let start: Vec<&str> = start.iter().map(String::as_str).chain(["--plain"]).collect();
    // a failed check of the files leads back to the dump
    let again = "\n  files: {choose: [\"again:dump\"]}\n";
    let answers = std::fs::read_to_string(plant.folder.path().join("answers.yaml")).unwrap() + again;
    std::fs::write(plant.folder.path().join("answers.yaml"), answers).unwrap();
    let resume = ["resume", "--answers", "answers.yaml", "--plain"];
    let (dump, csv) =
        (&format!("db-data.sql-{}", plant.namespace), &format!("object_properties_history.csv-{}", plant.namespace));
    let safe = ["Still safe: production", "What that proves: ", "You can: "];
    let refused = |situation: &str, args: &[&str], words: &[&str]| {
        said(plant.drydock(args)).expect(situation, 1, &[words, &safe[..]].concat());
    };

    scripts.then(&format!("head -c 9000 {dump} >half; mv half {dump}"));
    refused("half of the dump, twice", &start, &[dump, "was cut", "2.3 Dump the database (try 2)"]);
    scripts.then(&format!("head -n 500 {csv} >half; mv half {csv}"));
    refused(
        "half of the CSV, cut at a row",
        &resume,
        &[csv, "the file has 489 rows and the source had 3,005", "cut at the end of a row"],
    );
    scripts.changed("kubectl exec -n $NS $POD --", "kubectl exec -n $NS pix-db-0 --");
    refused("in the database's container", &resume, &["4 error lines", "could not translate host name"]);
    scripts.changed("PIX_DB_NAME'", "PIX_DB_NAME -t no_such_table 2>/dev/null'");
    refused("nothing matched, and its error thrown away", &resume, &["1 error line", &format!("{dump} is empty")]);
    scripts.then(&format!(": >{csv}"));
    refused("an empty CSV", &resume, &[csv, "is empty"]);
    scripts.then(&format!("head -n 1 {csv} >none; mv none {csv}"));
    refused("a CSV with its head only", &resume, &[csv, "0 rows"]);
    scripts.then(&format!("sed -i 's/$/\\r/' {csv}"));
    refused("CRLF in the CSV", &resume, &[csv, "CR"]);
    scripts.then(&format!("sed -i 's/$/\\r/' {dump}"));
    refused("CRLF in the dump", &resume, &[dump, "CR"]);
    let up = "until pg_isready -q -h pix-db; do sleep 0.3; done";
    scripts.then(&format!(
        "kubectl -n $NS delete pod pix-db-0 --grace-period=1 >/dev/null\nkubectl -n $NS wait pod/pix-db-0 --for=condition=Ready \
         --timeout=60s >/dev/null\nkubectl -n $NS exec deploy/pix-core -- timeout 60 sh -c '{up}'"
    ));
    refused("the database restarts after both files", &resume, &["or restarted, during the dump", "two moments"]);
    scripts.write("#!/bin/bash\necho Done:\n");
    refused("no file at all", &resume, &["ended with status 0 and left no file", dump]);
    scripts.write("#!/bin/no-such-shell\n");
    refused("a script that cannot be started", &resume, &["pix-dump-data.sh"]);

    // and with the good one the same run goes on
    scripts.write(&scripts.good);
    let mut live = Live::start(plant.drydock(&["resume", "--answers", "answers.yaml"]));
    live.step("rehearse");
    live.kill();
    assert_eq!(plant.fingerprint(Some(&before)), before, "a dump changed the database");
}
