//! The remote scripts under every POSIX shell of this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use drydock::ports::remote::{Script, environment_command};

/// `sh`, and those of dash, bash and busybox that are here.
fn shells() -> Vec<Vec<String>> {
    let candidates: [&[&str]; 4] = [&["sh"], &["dash"], &["bash"], &["busybox", "sh"]];
    let here = |words: &&[&str]| {
        Command::new(words[0]).args(&words[1..]).args(["-c", "exit 0"]).output().is_ok_and(|out| out.status.success())
    };
    let found: Vec<Vec<String>> = candidates
        .iter()
        .copied()
        .filter(|words| here(words))
        .map(|words| words.iter().map(|&w| w.to_owned()).collect())
        .collect();
    println!("shells: {found:?}");
    found
}

fn spawn(shell: &[String], command: &[String]) -> std::process::Child {
    // the command begins with `sh`: the shell under test takes its place
    let words: Vec<&String> = shell.iter().chain(&command[1..]).collect();
    let mut child = Command::new(words[0]);
    child.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn run(shell: &[String], input: &[u8], command: &[&str]) -> Output {
    let length = input.len().to_string();
    let mut args = vec!["NONCE", &length, "count"];
    args.extend(command);
    let mut child = spawn(shell, &Script::Run.command(&args));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    stdin.write_all(b"ok\n").unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    output
}

fn script(shell: &[String], script: Script, args: &[&str]) -> String {
    let output = spawn(shell, &script.command(args)).wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn run_ends_with_the_true_status_and_the_count_of_bytes() {
    for shell in shells() {
        let out = run(&shell, b"five\n", &["sh", "-c", "cat; printf 'x\\ny'; echo e >&2; exit 7"]);
        assert!(out.status.success(), "{shell:?}");
        assert_eq!(String::from_utf8_lossy(&out.stdout), "five\nx\nyNONCE:7:8\n", "{shell:?}");
        assert_eq!(String::from_utf8_lossy(&out.stderr), "e\n", "{shell:?}");
        let out = run(&shell, b"", &["no-such-program"]);
        assert!(String::from_utf8_lossy(&out.stdout).contains("NONCE:127:0\n"), "{shell:?}");
        let out = run(&shell, b"", &["sh", "-c", "kill -9 $$"]);
        assert_eq!(String::from_utf8_lossy(&out.stdout), "NONCE:137:0\n", "{shell:?}");
    }
}

#[test]
fn run_passes_on_what_it_need_not_count() {
    for shell in shells() {
        let mut child =
            spawn(&shell, &Script::Run.command(&["NONCE", "0", "pass", "sh", "-c", "printf 'x\\ny'; exit 7"]));
        child.stdin.as_mut().unwrap().write_all(b"ok\n").unwrap();
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{shell:?}");
        assert_eq!(String::from_utf8_lossy(&out.stdout), "x\nyNONCE:7:-\n", "{shell:?}");
    }
}

#[test]
fn the_end_of_stdin_stops_the_command_and_leaves_nothing() {
    for (number, (shell, output)) in shells().iter().flat_map(|shell| [(shell, "count"), (shell, "pass")]).enumerate() {
        let mark = format!("4{number:02}{:06}", std::process::id());
        let work = format!("sleep {mark} | cat; exit 0");
        let mut child = spawn(shell, &Script::Run.command(&["NONCE", "0", output, "sh", "-c", &work]));
        std::thread::sleep(Duration::from_millis(400));
        let started = Instant::now();
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success(), "{shell:?} {output}");
        assert!(started.elapsed() < Duration::from_secs(5), "{shell:?} {output}");
        let left =
            Command::new("sh").args(["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"]).output().unwrap();
        assert!(!String::from_utf8_lossy(&left.stdout).contains(&format!("sleep {mark}")), "{shell:?} {output}");
    }
}

#[test]
fn jobs_are_found_again_and_stopped() {
    for shell in shells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert_eq!(script(&shell, Script::Poll, &[path, "a"]), "absent");
        script(&shell, Script::Start, &[path, "a", "sh", "-c", "echo out; exit 3"]);
        script(&shell, Script::Start, &[path, "b", "sh", "-c", "sleep 300; exit 5"]);
        script(&shell, Script::Start, &[path, "b", "sh", "-c", "echo twice"]);
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(script(&shell, Script::Poll, &[path, "a"]), "ended 3 4 0", "{shell:?}");
        assert_eq!(script(&shell, Script::Poll, &[path, "b"]), "running 0 0 0", "{shell:?}");
        script(&shell, Script::Stop, &[path, "b"]);
        let said = script(&shell, Script::Poll, &[path, "b"]);
        // some shells tell on stderr which signal ended their child
        assert!(said.starts_with("ended 5 0 ") || said.starts_with("ended 143 0 "), "{shell:?} {said}");
        std::fs::write(folder.path().join("c.pid"), "1 1\n").unwrap();
        assert_eq!(script(&shell, Script::Poll, &[path, "c"]), "lost", "{shell:?}");
        // what a full disk leaves: files without content, of a job that neither lives nor ended well
        std::fs::write(folder.path().join("d.pid"), "").unwrap();
        assert_eq!(script(&shell, Script::Poll, &[path, "d"]), "lost", "{shell:?}");
        std::fs::write(folder.path().join("d.status"), "").unwrap();
        assert_eq!(script(&shell, Script::Poll, &[path, "d"]), "ended 125 0 0", "{shell:?}");
    }
}

#[test]
fn of_starts_at_once_one_begins_the_job() {
    for shell in shells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        for job in ["a", "b", "c"] {
            let begun = format!("echo begun >>{path}/{job}.begun; exit 4");
            let start = Script::Start.command(&[path, job, "sh", "-c", &begun]);
            let all: Vec<_> = (0..8).map(|_| spawn(&shell, &start)).collect();
            for child in all {
                assert!(child.wait_with_output().unwrap().status.success(), "{shell:?} {job}");
            }
            std::thread::sleep(Duration::from_millis(300));
            assert_eq!(
                std::fs::read_to_string(folder.path().join(format!("{job}.begun"))).unwrap(),
                "begun\n",
                "{shell:?}"
            );
            assert_eq!(script(&shell, Script::Poll, &[path, job]), "ended 4 0 0", "{shell:?}");
        }
    }
}

#[test]
fn a_job_whose_start_was_killed_is_named_and_stopped_all_the_same() {
    for shell in shells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        std::fs::create_dir(folder.path().join("a.d")).unwrap();
        let out = spawn(&shell, &Script::Start.command(&[path, "a", "true"])).wait_with_output().unwrap();
        assert!(!out.status.success() && String::from_utf8_lossy(&out.stderr).contains("did not come to its end"));
        assert_eq!(script(&shell, Script::Poll, &[path, "a"]), "absent", "{shell:?}");
        // a stop that comes while a start is under way waits for its pid
        std::fs::create_dir(folder.path().join("b.d")).unwrap();
        let stop = spawn(&shell, &Script::Stop.command(&[path, "b"]));
        std::thread::sleep(Duration::from_millis(300));
        let mut job = Command::new("sleep").arg("300").spawn().unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", job.id())).unwrap();
        let began = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().to_owned();
        std::fs::write(folder.path().join("b.part"), format!("{} {began}\n", job.id())).unwrap();
        std::fs::rename(folder.path().join("b.part"), folder.path().join("b.pid")).unwrap();
        let ended = job.wait().unwrap();
        assert!(!ended.success(), "{shell:?}");
        assert!(stop.wait_with_output().unwrap().status.success(), "{shell:?}");
    }
}

#[test]
fn a_job_goes_on_when_its_start_is_cut_off() {
    for shell in shells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        // its pid is written late, so that the start still waits for it when its client goes
        let slow = folder.path().join("sed");
        std::fs::write(&slow, "#!/bin/sh\nsleep 1\nPATH=${PATH#*:} exec sed \"$@\"\n").unwrap();
        std::fs::set_permissions(&slow, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path_before = std::env::var("PATH").unwrap();
        let mut words = vec!["NONCE".to_owned(), "0".to_owned(), "count".to_owned()];
        words.extend(Script::Start.command(&[path, "a", "sh", "-c", "sleep 2; echo whole"]));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let command = Script::Run.command(&words);
        let all: Vec<&String> = shell.iter().chain(&command[1..]).collect();
        let mut child = Command::new(all[0])
            .args(&all[1..])
            .env("PATH", format!("{path}:{path_before}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(script(&shell, Script::Poll, &[path, "a"]), "absent", "{shell:?}: the start is at work");
        drop(child.stdin.take());
        child.wait().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while !folder.path().join("a.status").exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(script(&shell, Script::Poll, &[path, "a"]), "ended 0 6 0", "{shell:?}");
    }
}

#[test]
fn a_job_says_how_far_it_has_read_its_file() {
    for shell in shells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let file = folder.path().join("rows.csv");
        std::fs::write(&file, vec![b'x'; 100_000]).unwrap();
        // it reads a part, keeps the file open, and writes to files of its own
        let read = format!("exec 5<{}; dd bs=1000 count=70 <&5 2>/dev/null; sleep 300", file.display());
        script(&shell, Script::Start, &[path, "load", "sh", "-c", &read]);
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(script(&shell, Script::Poll, &[path, "load"]), "running 70000 0 70000", "{shell:?}");
        script(&shell, Script::Stop, &[path, "load"]);
    }
}

#[test]
fn files_are_written_read_and_hashed() {
    for shell in shells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b'c");
        let path = path.to_str().unwrap();
        assert_eq!(script(&shell, Script::Digest, &[path]), "absent");
        for (offset, part) in [("0", "hello "), ("6", "world")] {
            let write = Script::Write.command(&[path, offset]);
            let words: Vec<&str> = write.iter().map(String::as_str).collect();
            run(&shell, part.as_bytes(), &words);
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), "hello world", "{shell:?}");
        let refused = Script::Write.command(&[path, "3"]);
        let out = run(&shell, b"x", &refused.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(String::from_utf8_lossy(&out.stdout).contains("NONCE:3:"), "{shell:?}");
        let all = "9223372036854775807";
        for (offset, length, part) in
            [("6", "3", "wor"), ("0", all, "hello world"), ("6", all, "world"), ("0", "3", "hel")]
        {
            assert_eq!(script(&shell, Script::Read, &[path, offset, length]), part, "{shell:?}");
        }
        let digest = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
        assert_eq!(script(&shell, Script::Digest, &[path]), format!("11 {digest}"), "{shell:?}");
        let said = script(&shell, Script::Probe, &[folder.path().to_str().unwrap(), "sh", "no-such-program"]);
        assert!(said.starts_with("program sh\nfirst ") && said.contains("\nfree "), "{shell:?} {said}");
    }
}

#[test]
fn a_file_is_hashed_where_openssl_is_old_or_broken() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (file, openssl) = (folder.path().join("file"), folder.path().join("openssl"));
    std::fs::write(&file, "hello world").unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    for said in ["echo 'unknown option -r'", "exit 1", "echo abc123", "true", "kill -9 $$"] {
        std::fs::write(&openssl, format!("#!/bin/sh\n{said}\n")).unwrap();
        std::fs::set_permissions(&openssl, std::fs::Permissions::from_mode(0o755)).unwrap();
        for shell in shells() {
            let command = Script::Digest.command(&[file.to_str().unwrap()]);
            let words: Vec<&String> = shell.iter().chain(&command[1..]).collect();
            let out = Command::new(words[0]).args(&words[1..]).env("PATH", &path).output().unwrap();
            let digest = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
            assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), format!("11 {digest}"), "{shell:?} {said}");
        }
    }
}

#[test]
fn variables_are_given_under_other_names_and_never_run() {
    for shell in shells() {
        let pairs = [("PGPASSWORD".to_owned(), "SECRET_OF_TEST".to_owned())];
        let command = environment_command(&pairs, &["sh".into(), "-c".into(), "printf %s \"$PGPASSWORD\"".into()]);
        let words: Vec<&String> = shell.iter().chain(&command[1..]).collect();
        let out =
            Command::new(words[0]).args(&words[1..]).env("SECRET_OF_TEST", "$(touch x) 'q' \"d\"").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout), "$(touch x) 'q' \"d\"", "{shell:?}");
        let bad = environment_command(&[("A;B".into(), "C".into())], &["true".into()]);
        let words: Vec<&String> = shell.iter().chain(&bad[1..]).collect();
        assert_eq!(Command::new(words[0]).args(&words[1..]).status().unwrap().code(), Some(126), "{shell:?}");
    }
}

/// A folder with only these programs of this machine; nothing where one of them is not here.
fn only(programs: &[&str]) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    for name in ["sed", "head"].iter().chain(programs) {
        // a stand-in of a version manager would need more than is there
        let path = ["/usr/bin", "/bin", "/usr/local/bin"].iter().map(|at| format!("{at}/{name}"));
        let path = path.into_iter().find(|path| std::path::Path::new(path).exists())?;
        // by its own path: some look beside themselves for the rest of them
        let own = folder.path().join(name);
        std::fs::write(&own, format!("#!/bin/sh\nexec {path} \"$@\"\n")).unwrap();
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    Some(folder)
}

#[test]
fn what_listens_is_reached_with_whatever_the_image_has() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap().port();
    // whoever only connects is served by the system; psql waits for a word and gets the end
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let shut = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (there, gone) = (format!("127.0.0.1/{open}"), format!("127.0.0.1/{shut}"));
    let mut tried = 0;
    for tools in [&["bash", "timeout"][..], &["python3"], &["psql"], &[]] {
        let Some(folder) = only(tools) else { continue };
        for shell in shells() {
            let command = Script::Reach.command(&[&there, &gone, "api"]);
            let program = Command::new("sh").args(["-c", "command -v \"$1\"", "sh", &shell[0]]).output().unwrap();
            let program = String::from_utf8(program.stdout).unwrap();
            let mut child = Command::new(program.trim());
            child.args(&shell[1..]).args(&command[1..]).env_clear().env("PATH", folder.path());
            child.env("KUBERNETES_SERVICE_HOST", "127.0.0.1").env("KUBERNETES_SERVICE_PORT", open.to_string());
            let said = String::from_utf8(child.output().unwrap().stdout).unwrap();
            let words = if tools.is_empty() { ["unknown"; 3] } else { ["reached", "closed", "reached"] };
            let wanted = format!("{there} {}\n{gone} {}\napi {}\n", words[0], words[1], words[2]);
            assert_eq!(said, wanted, "{shell:?} with {tools:?}");
            tried += 1;
        }
    }
    assert!(tried >= 2, "neither bash nor python3 is here");
}

#[test]
fn what_has_no_address_is_not_said_to_be_closed() {
    for shell in shells() {
        let command = Script::Reach.command(&["api"]);
        let words: Vec<&String> = shell.iter().chain(&command[1..]).collect();
        let out = Command::new(words[0]).args(&words[1..]).env_remove("KUBERNETES_SERVICE_HOST").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout), "api unknown\n", "{shell:?}");
    }
}

#[test]
fn every_script_fits_into_a_request_line() {
    let encoded = |words: &[String]| -> usize {
        words
            .iter()
            .flat_map(|word| word.bytes())
            .map(|b| if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) { 1 } else { 3 })
            .sum()
    };
    for script in Script::ALL {
        let inner = script.command(&["/drydock", "job", "123456789"]);
        let words: Vec<&str> = inner.iter().map(String::as_str).collect();
        let whole = Script::Run.command(&[&["0123456789abcdef01234567", "123456789"], &words[..]].concat());
        assert!(encoded(&whole) < 6 * 1024, "{} takes {} bytes", script.name(), encoded(&whole));
    }
}
