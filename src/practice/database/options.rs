//! Arguments as getopt reads them: bundles of short options, values attached or following, words in between.

/// What was given.
#[derive(Debug, Default)]
pub struct Options {
    given: Vec<(String, String)>,
    /// The words that are no options.
    pub words: Vec<String>,
}

impl Options {
    /// Reads `args`. `valued` are the short options with a value; `long` the long ones with their short name (or their own).
    pub fn read(args: &[String], flags: &str, valued: &str, long: &[(&str, &str)]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if let Some(name) = arg.strip_prefix("--") {
                let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
                let known = long.iter().find(|(long, _)| *long == name);
                let short = known.map(|(_, short)| *short).ok_or_else(|| format!("unrecognized option '--{name}'"))?;
                let value = match (valued.contains(short) && short.len() == 1, value) {
                    (true, None) => {
                        args.next().cloned().ok_or_else(|| format!("option '--{name}' requires an argument"))?
                    }
                    (_, value) => value.unwrap_or_default().to_owned(),
                };
                options.given.push((short.to_owned(), value));
            } else if let Some(bundle) = arg.strip_prefix('-').filter(|bundle| !bundle.is_empty()) {
                let mut chars = bundle.chars();
                while let Some(flag) = chars.next() {
                    if valued.contains(flag) {
                        let attached = chars.as_str().to_owned();
                        chars = "".chars();
                        let value = if attached.is_empty() { args.next().cloned() } else { Some(attached) };
                        let value = value.ok_or_else(|| format!("option requires an argument -- '{flag}'"))?;
                        options.given.push((flag.to_string(), value));
                    } else if flags.contains(flag) {
                        options.given.push((flag.to_string(), String::new()));
                    } else {
                        return Err(format!("invalid option -- '{flag}'"));
                    }
                }
            } else {
                options.words.push(arg.clone());
            }
        }
        Ok(options)
    }

    /// Whether an option was given.
    pub fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    /// The last value of an option.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().rfind(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// All values of several options in order, each with its option.
    pub fn values<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.given.iter().filter(|(given, _)| names.contains(&given.as_str())).map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_and_values_are_told_apart() {
        let args: Vec<String> = ["-XqAt", "-v", "A=1", "-c", "select 1", "-hpix", "db"].map(str::to_owned).to_vec();
        let options = Options::read(&args, "XqAt", "vch", &[]).unwrap();
        assert!(options.has("A") && options.has("t") && !options.has("z"));
        assert_eq!((options.value("h"), options.value("c")), (Some("pix"), Some("select 1")));
        assert_eq!(options.words, ["db"]);
        assert!(Options::read(&["-z".to_owned()], "a", "b", &[]).is_err());
        assert!(Options::read(&["-b".to_owned()], "a", "b", &[]).is_err());
    }
}
