//! The constant scripts that a container is asked to run, as `sh -c SCRIPT drydock-NAME ARG…`. Arguments are positional and
//! never spliced into shell text. Only `run` is ever the outermost; the others run inside it. The practice world knows
//! them by name.

/// One of the scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Run a command on the acknowledged stream.
    Run,
    /// Give a command variables under other names.
    Env,
    /// Start a command detached.
    Start,
    /// How a detached command stands.
    Poll,
    /// End a detached command.
    Stop,
    /// Bytes of a file.
    Read,
    /// Append to a file.
    Write,
    /// Size and SHA-256 of a file.
    Digest,
    /// What the container has.
    Probe,
    /// What the container reaches over the network.
    Reach,
}

impl Script {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Run,
        Self::Env,
        Self::Start,
        Self::Poll,
        Self::Stop,
        Self::Read,
        Self::Write,
        Self::Digest,
        Self::Probe,
        Self::Reach,
    ];

    /// Its name, given to the shell as `$0`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "drydock-run",
            Self::Env => "drydock-env",
            Self::Start => "drydock-start",
            Self::Poll => "drydock-poll",
            Self::Stop => "drydock-stop",
            Self::Read => "drydock-read",
            Self::Write => "drydock-write",
            Self::Digest => "drydock-digest",
            Self::Probe => "drydock-probe",
            Self::Reach => "drydock-reach",
        }
    }

    /// Its text with comments, as it lies in assets/remote.
    pub fn source(self) -> &'static str {
        match self {
            Self::Run => include_str!("../../assets/remote/run.sh"),
            Self::Env => include_str!("../../assets/remote/env.sh"),
            Self::Start => include_str!("../../assets/remote/start.sh"),
            Self::Poll => include_str!("../../assets/remote/poll.sh"),
            Self::Stop => include_str!("../../assets/remote/stop.sh"),
            Self::Read => include_str!("../../assets/remote/read.sh"),
            Self::Write => include_str!("../../assets/remote/write.sh"),
            Self::Digest => include_str!("../../assets/remote/digest.sh"),
            Self::Probe => include_str!("../../assets/remote/probe.sh"),
            Self::Reach => include_str!("../../assets/remote/reach.sh"),
        }
    }

    /// The command that runs it with `args`. Comments and indentation are left out: the text travels in a URL.
    pub fn command(self, args: &[&str]) -> Vec<String> {
        let text: Vec<&str> = self
            .source()
            .lines()
            .map(str::trim_start)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let mut command = vec!["sh".to_owned(), "-c".to_owned(), text.join("\n"), self.name().to_owned()];
        command.extend(args.iter().map(|&arg| arg.to_owned()));
        command
    }
}

/// `command` with the libpq variables of `pairs` (name to give, name in the container) set; no value is among the words.
pub fn environment_command(pairs: &[(String, String)], command: &[String]) -> Vec<String> {
    let names: Vec<String> = pairs.iter().map(|(name, from)| format!("{name}={from}")).collect();
    let mut args: Vec<&str> = names.iter().map(String::as_str).collect();
    args.push("--");
    args.extend(command.iter().map(String::as_str));
    Script::Env.command(&args)
}
