//! The program `psql`.

use super::{
    VERSION,
    options::Options,
    reach::{Target, connect},
    session::{Manner, Session},
};
use crate::practice::shell::{Output, Place, Streams};

/// Long options with the short ones they stand for.
const LONG: [(&str, &str); 14] = [
    ("version", "V"),
    ("command", "c"),
    ("file", "f"),
    ("output", "o"),
    ("host", "h"),
    ("port", "p"),
    ("username", "U"),
    ("dbname", "d"),
    ("quiet", "q"),
    ("tuples-only", "t"),
    ("no-align", "A"),
    ("no-psqlrc", "X"),
    ("single-transaction", "1"),
    ("set", "v"),
];

/// Where the options and the environment say.
pub fn target(place: &Place, options: &Options) -> Target {
    let of = |name: &str, variable: &str| {
        options
            .value(name)
            .map(str::to_owned)
            .or_else(|| place.env.get(variable).cloned())
            .filter(|text| !text.is_empty())
    };
    let user = of("U", "PGUSER").or_else(|| options.words.get(1).cloned());
    let database = options.value("d").map(str::to_owned).or_else(|| options.words.first().cloned());
    Target { host: of("h", "PGHOST"), user, database: database.or_else(|| of("d", "PGDATABASE")) }
}

/// Runs psql; its exit status is the real one's: 1 an error of its own or of `-c`, 2 no connection, 3 a script stopped.
pub async fn psql(place: &Place, args: &[String], streams: Streams) -> u8 {
    let options = match Options::read(args, "XqAt1Vw", "vcfohpUdF", &LONG) {
        Ok(options) => options,
        Err(problem) => {
            streams.err.say(format!("/usr/lib/postgresql/15/bin/psql: {problem}\npsql: hint: Try \"psql --help\" for more information.\n")).await;
            return 1;
        }
    };
    if options.has("V") {
        streams.out.say(format!("psql (PostgreSQL) {VERSION}\n")).await;
        return 0;
    }
    let reached = match connect(place, &target(place, &options)) {
        Ok(reached) => reached,
        Err(problem) => {
            streams.err.say(format!("psql: error: {problem}\n")).await;
            return 2;
        }
    };
    let stop = options.values(&["v"]).any(|(_, set)| matches!(set, "ON_ERROR_STOP=1" | "ON_ERROR_STOP=on"));
    let manner = Manner { quiet: options.has("q"), tuples: options.has("t"), unaligned: options.has("A"), stop };
    let answers = match options.value("o") {
        Some("/dev/null") => Output::Null,
        Some(path) => place.file(path),
        None => streams.out.clone(),
    };
    let single = options.has("1");
    let mut session = Session { place: place.clone(), reached, manner, answers, streams };
    let kept = if single { session.keep() } else { None };
    let status = run(&mut session, &options).await;
    if status != 0
        && let Some(kept) = kept
    {
        session.put_back(kept);
    }
    status
}

async fn run(session: &mut Session, options: &Options) -> u8 {
    let sources: Vec<(&str, &str)> = options.values(&["c", "f"]).collect();
    if sources.is_empty() {
        let text = String::from_utf8_lossy(&session.streams.input.all().await).into_owned();
        return if session.script(&text, None).await.is_ok() { 0 } else { 3 };
    }
    for (option, value) in sources {
        if option == "c" {
            if session.command(value).await.is_err() {
                return 1;
            }
            continue;
        }
        let (text, name) = if value == "-" {
            (Some(session.streams.input.all().await), "<stdin>")
        } else {
            let found =
                session.place.shared.look(|state| state.pods.get(&session.place.uid)?.files.get(value).cloned());
            (found.map(|bytes| bytes.to_vec()), value)
        };
        let Some(text) = text else {
            session.streams.err.say(format!("{value}: No such file or directory\n")).await;
            return 1;
        };
        if session.script(&String::from_utf8_lossy(&text), Some(name)).await.is_err() {
            return 3;
        }
    }
    0
}

/// A result as psql prints it.
pub fn print(manner: Manner, columns: &[String], rows: &[Vec<Option<String>>]) -> String {
    let cell = |value: &Option<String>| value.clone().unwrap_or_default();
    let ending = if rows.len() == 1 { "(1 row)".to_owned() } else { format!("({} rows)", rows.len()) };
    let mut text = String::new();
    if manner.unaligned {
        if !manner.tuples {
            text += &(columns.join("|") + "\n");
        }
        for row in rows {
            text += &(row.iter().map(cell).collect::<Vec<_>>().join("|") + "\n");
        }
        return if manner.tuples { text } else { text + &ending + "\n" };
    }
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|v| cell(v).replace('\n', "+")).collect()).collect();
    let wide = |text: &String| text.chars().count();
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| cells.iter().map(|row| wide(&row[at])).chain(std::iter::once(wide(&columns[at]))).max().unwrap_or(0))
        .collect();
    if !manner.tuples {
        let names: Vec<String> = columns.iter().zip(&widths).map(|(name, width)| format!(" {name:^width$} ")).collect();
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
        text = [names.join("|"), rules.join("+"), text].join("\n");
    }
    for row in &cells {
        let last = row.len().saturating_sub(1);
        let shown = row.iter().zip(&widths).enumerate().map(|(at, (value, width))| {
            if !value.is_empty() && value.parse::<f64>().is_ok() {
                format!(" {value:>width$}")
            } else if at == last {
                format!(" {value}")
            } else {
                format!(" {value:<width$}")
            }
        });
        text += &(shown.collect::<Vec<_>>().join(" |") + "\n");
    }
    if manner.tuples { text + "\n" } else { text + &ending + "\n\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_look_like_psql() {
        let rows = vec![vec![Some("5000".to_owned())]];
        let columns = ["count".to_owned()];
        assert_eq!(print(Manner::default(), &columns, &rows), " count \n-------\n  5000\n(1 row)\n\n");
        let bare = Manner { tuples: true, unaligned: true, ..Manner::default() };
        assert_eq!(print(bare, &columns, &rows), "5000\n");
    }
}
