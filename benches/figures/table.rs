//! The table: one row a figure, with what stands beside it and whether it keeps its limit.

use std::time::Duration;

/// How a figure stands to its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It keeps it.
    Kept,
    /// It does not.
    Missed,
    /// It has none, or could not be measured.
    None,
}

impl Verdict {
    /// Kept, when `holds`.
    pub fn of(holds: bool) -> Self {
        if holds { Self::Kept } else { Self::Missed }
    }
}

/// In the place of a figure that could not be taken.
const NOT_RUN: &str = "NOT RUN";

/// One figure.
#[derive(Debug, Clone)]
pub struct Row {
    pub figure: String,
    pub measured: String,
    pub beside: String,
    pub limit: String,
    pub verdict: Verdict,
}

impl Row {
    pub fn new(figure: &str, measured: String, beside: String) -> Self {
        Self { figure: figure.to_owned(), measured, beside, limit: String::new(), verdict: Verdict::None }
    }

    /// The same with its limit.
    pub fn within(self, limit: &str, holds: bool) -> Self {
        Self { limit: limit.to_owned(), verdict: Verdict::of(holds), ..self }
    }

    /// A figure that could not be taken, and why.
    pub fn not_run(figure: &str, why: &str) -> Self {
        Self::new(figure, NOT_RUN.to_owned(), why.to_owned())
    }

    /// Whether it was taken.
    pub fn was_run(&self) -> bool {
        self.measured != NOT_RUN
    }
}

/// The rows as a Markdown table that is also readable as it is.
pub fn print(rows: &[Row]) {
    let mut lines = vec![["figure", "measured", "beside it, in the same run", "limit", ""].map(str::to_owned)];
    lines.push(std::array::from_fn(|_| "-".to_owned()));
    lines.extend(rows.iter().map(|row| {
        let verdict = match row.verdict {
            Verdict::Kept => "kept",
            Verdict::Missed => "MISSED",
            Verdict::None => "",
        };
        [row.figure.clone(), row.measured.clone(), row.beside.clone(), row.limit.clone(), verdict.to_owned()]
    }));
    let widths: [usize; 5] =
        std::array::from_fn(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0));
    for (index, line) in lines.iter().enumerate() {
        let cells: Vec<String> = line
            .iter()
            .zip(widths)
            .map(|(cell, width)| if index == 1 { "-".repeat(width) } else { format!("{cell:width$}") })
            .collect();
        println!("| {} |", cells.join(" | "));
    }
}

/// One line that names what was not measured, and why; nothing where all was.
pub fn left_out(rows: &[Row]) -> Option<String> {
    let left: Vec<String> =
        rows.iter().filter(|row| !row.was_run()).map(|row| format!("{} ({})", row.figure, row.beside)).collect();
    (!left.is_empty()).then(|| format!("{} of {} figures did not run: {}", left.len(), rows.len(), left.join("; ")))
}

/// Durations, sorted, to be asked for what most and what nearly all of them keep.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn new(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "nothing was timed");
        times.sort();
        Self(times)
    }

    /// The smallest that at least this share (0 to 100) keeps.
    pub fn percentile(&self, share: usize) -> Duration {
        self.0[(self.0.len() * share).div_ceil(100).clamp(1, self.0.len()) - 1]
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// `p50 … ms, p99 … ms`.
    pub fn text(&self) -> String {
        format!("p50 {}, p99 {}", ms(self.percentile(50)), ms(self.percentile(99)))
    }
}

/// Milliseconds with one decimal below ten.
pub fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

/// MiB in a second.
#[allow(clippy::cast_precision_loss, reason = "a speed of three digits")]
pub fn speed(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / 1_048_576.0 / time.as_secs_f64()
}

/// Bytes as MiB.
pub fn mib(bytes: u64) -> String {
    format!("{:.0} MiB", speed(bytes, Duration::from_secs(1)))
}
