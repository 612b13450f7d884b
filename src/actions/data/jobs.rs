//! Long commands in a client pod: started detached, followed by their files, found again after a crash.

use std::time::{Duration, Instant};

use super::client::FOLDER;
use crate::{
    actions::{
        context::{Halt, StepCx},
        programs::output::{classifier, tag},
    },
    ports::{Collect, JobState, PodRef, PortError},
    postgres::messages::Classifier,
    run::{OutputLine, Row, Sign, Tag},
    text::{Diagnostic, units},
};

/// A disk with less room than this counts as full, in bytes.
const FULL: u64 = 64 << 10;

/// For so long a job may go on unheard.
const PATIENCE: Duration = Duration::from_secs(180);

/// The pause before a cluster that does not answer is asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// Lines of its errors that are told when it failed.
const REPORTED: usize = 5;

/// For so long a job is tried to be stopped.
const STOPPING: Duration = Duration::from_secs(20);

/// What a job is measured by.
#[derive(Debug, Clone, Copy)]
pub enum Measure {
    /// By what it writes; the size that should come to, where that is known.
    Writes(Option<u64>),
    /// By how far it has read a file of so many bytes.
    Reads(u64),
}

impl Measure {
    /// Bytes so far, and their total.
    fn of(self, out: u64, read: u64) -> (u64, Option<u64>) {
        match self {
            Self::Writes(total) => (out, total),
            Self::Reads(total) => (read.min(total), Some(total)),
        }
    }
}

/// A job in a client pod.
struct Job<'a> {
    cx: &'a StepCx,
    pod: &'a PodRef,
    name: &'a str,
    /// What the operator knows it by.
    shown: &'a str,
}

/// Runs `command` as job `name` in the client pod and waits for its end. Starting it again finds the one that runs. A stop of the
/// operator ends it there, whatever is done here at that moment.
pub async fn run(
    cx: &StepCx,
    pod: &PodRef,
    name: &str,
    command: &[String],
    shown: &str,
    measure: Measure,
) -> Result<u64, Halt> {
    let job = Job { cx, pod, name, shown };
    let started = Instant::now();
    let mut unheard = None;
    // a start that is under way is waited for: nobody could tell whether there is a job to stop
    while let Err(error) = cx.world.exec.start(pod, FOLDER, name, command).await {
        tokio::select! {
            biased;
            () = cx.cancel.cancelled() => return Err(job.stop().await),
            waited = job.wait(error, &mut unheard) => waited?,
        }
    }
    tokio::select! {
        biased;
        () = cx.cancel.cancelled() => Err(job.stop().await),
        ended = job.follow(measure, started) => ended,
    }
}

impl Job<'_> {
    /// Ends it, and says whether that was heard.
    async fn stop(&self) -> Halt {
        let stopped = async {
            while let Err(error) = self.cx.world.exec.stop(self.pod, FOLDER, self.name).await {
                if !error.is_transient() {
                    return Err(error);
                }
                tokio::time::sleep(AGAIN).await;
            }
            Ok(())
        };
        let (shown, pod) = (self.shown, &self.pod.pod);
        Halt::Stopped(match tokio::time::timeout(STOPPING, stopped).await {
            Ok(Ok(())) => format!("{shown} was stopped by the operator"),
            Ok(Err(error)) => {
                format!(
                    "stopped by the operator; {shown} may go on in pod {pod}: {}",
                    crate::text::printable(&error.detail)
                )
            }
            Err(_) => format!("stopped by the operator; {shown} may go on in pod {pod}: the cluster does not answer"),
        })
    }

    /// Waits after an error that may pass: the job goes on in its pod, whether it is heard of or not.
    async fn wait(&self, error: PortError, unheard: &mut Option<tokio::time::Instant>) -> Result<(), Halt> {
        let since = *unheard.get_or_insert_with(tokio::time::Instant::now);
        if !error.is_transient() || since.elapsed() >= PATIENCE {
            return Err(error.into());
        }
        let row = Row {
            sign: Sign::Running,
            word: "no answer".into(),
            name: self.shown.to_owned(),
            detail: units::seconds(since.elapsed().as_secs()),
        };
        self.cx.show("It goes on in its pod; the cluster is asked again.", vec![row], None, None);
        tokio::time::sleep(AGAIN).await;
        Ok(())
    }

    /// Waits for its end; the bytes it wrote.
    async fn follow(&self, measure: Measure, started: Instant) -> Result<u64, Halt> {
        let Self { cx, pod, name, shown } = *self;
        let (mut told, mut classes, mut unheard) = (0, classifier(cx), None);
        loop {
            let heard = async {
                let state = cx.world.exec.poll(pod, FOLDER, name).await?;
                if let JobState::Running { err, .. } | JobState::Ended { err, .. } = state
                    && err > told
                {
                    told = tell_errors(cx, pod, name, shown, (told, &mut classes)).await?;
                }
                Ok::<_, PortError>(state)
            };
            let state = match heard.await {
                Ok(state) => state,
                Err(error) => {
                    self.wait(error, &mut unheard).await?;
                    continue;
                }
            };
            unheard = None;
            let (out, read) = match state {
                JobState::Running { out, read, .. } => (out, read),
                JobState::Ended { out, .. } => (out, u64::MAX),
                JobState::Absent | JobState::Lost => {
                    return Err(Diagnostic::new(format!("{shown}: the job is gone from pod {}", pod.pod))
                        .proves("the pod or its node ended it; what it wrote counts as cut")
                        .help("try again")
                        .into());
                }
            };
            let (done, total) = measure.of(out, read);
            let rate = done.checked_div(started.elapsed().as_secs().max(1)).unwrap_or(0);
            let of = total.map_or_else(String::new, |total| format!(" of {}", units::bytes(total)));
            let detail = format!("{}{of} · {}/s", units::bytes(done), units::bytes(rate));
            let row = Row { sign: Sign::Running, word: "running".into(), name: shown.to_owned(), detail };
            cx.show(
                "It runs in a client pod of ours inside the cluster.",
                vec![row],
                total.map(|total| (done, total)),
                None,
            );
            match state {
                JobState::Ended { code: 0, out, .. } => return Ok(out),
                JobState::Ended { code, .. } => return Err(self.failure(code).await.into()),
                _ => tokio::time::sleep(Duration::from_millis(700)).await,
            }
        }
    }

    /// Why it ended with this status.
    async fn failure(&self, code: u8) -> Diagnostic {
        let Self { cx, pod, name, shown } = *self;
        let mut problem = Diagnostic::new(format!("{shown} ended with status {code}"));
        if let Ok(tools) = cx.world.exec.probe(pod, &[], FOLDER).await
            && tools.free_bytes < FULL
        {
            problem = problem
                .cause(format!("the disk of pod {} is full: {} free", pod.pod, units::bytes(tools.free_bytes)))
                .help("give its node room for temporary files, then try again: a new pod with an empty disk is made");
        }
        last_errors(cx, pod, name).await.into_iter().fold(problem, Diagnostic::cause)
    }
}

/// Writes what the job said on standard error since byte `told` to the step's output; returns how far it was told.
async fn tell_errors(
    cx: &StepCx,
    pod: &PodRef,
    job: &str,
    source: &str,
    (told, classes): (u64, &mut Classifier),
) -> Result<u64, PortError> {
    let from = format!("+{}", told + 1);
    let text = read(cx, pod, &["tail", "-c", &from, &format!("{FOLDER}/{job}.err")]).await?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let said: Vec<(String, String)> = text[..whole].lines().map(|line| source_of(line, source)).collect();
    // one that is found again is read from its beginning
    let known = if told == 0 { cx.driver.already_written(&said).await } else { 0 };
    for (index, (line, (source, text))) in text[..whole].lines().zip(said).enumerate() {
        let (at, tag) = (cx.world.clock.now(), tag(classes, line));
        if index >= known {
            cx.driver.line(OutputLine { at, source, tag, text }).await;
        }
    }
    Ok(told + whole as u64)
}

/// Who said a line, and what: a program that names itself is the source.
fn source_of(line: &str, source: &str) -> (String, String) {
    let (source, text) = match line.split_once(": ") {
        Some((program @ ("pg_dump" | "psql"), said)) => (program, said),
        _ => (source, line),
    };
    (source.to_owned(), text.to_owned())
}

async fn read(cx: &StepCx, pod: &PodRef, command: &[&str]) -> Result<String, PortError> {
    let command: Vec<String> = command.iter().map(|&part| part.to_owned()).collect();
    let mut out = Collect::new(8 << 20);
    cx.world.exec.run(pod, &command, &[], &mut out, &cx.cancel).await?;
    Ok(out.text())
}

/// What went wrong, from the last lines of standard error.
async fn last_errors(cx: &StepCx, pod: &PodRef, job: &str) -> Vec<String> {
    let text = read(cx, pod, &["tail", "-n", "20", &format!("{FOLDER}/{job}.err")]).await.unwrap_or_default();
    let mut classes = classifier(cx);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    reported(lines.map(|line| (tag(&mut classes, line), line)).collect())
}

/// The lines that report an error, or whatever is there without one; the last of them, since those say why it ended.
fn reported(lines: Vec<(Tag, &str)>) -> Vec<String> {
    let (errors, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|(tag, _)| *tag == Tag::Error);
    let told = if errors.is_empty() { others } else { errors };
    let told = told.into_iter().filter(|(tag, _)| *tag != Tag::Expected);
    let mut told: Vec<String> = told.map(|(_, line)| crate::text::printable(line)).collect();
    told.split_off(told.len().saturating_sub(REPORTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_a_job_are_told() {
        let talk: Vec<String> = (0..8).map(|n| format!("pg_dump: reading {n}")).collect();
        let lines = |tag| talk.iter().map(move |line| (tag, line.as_str()));
        let told = reported(lines(Tag::Plain).chain([(Tag::Plain, "pg_dump: terminated by user")]).collect());
        assert_eq!((told.len(), told[4].as_str()), (REPORTED, "pg_dump: terminated by user"));
        let told = reported([(Tag::Error, "FATAL: no room")].into_iter().chain(lines(Tag::Plain)).collect());
        assert_eq!(told, ["FATAL: no room"]);
        assert!(reported(lines(Tag::Expected).collect()).is_empty());
    }
}
