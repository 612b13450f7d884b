//! The `.env` file as the chart's template reads it.

use std::collections::BTreeMap;

/// Comments, blank lines, `export ` and one pair of surrounding quotes are removed.
pub fn read(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in text.replace('\r', "").lines() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if line.starts_with('#') {
            continue;
        }
        if let Some((key, value)) = line.split_once('=') {
            let value = value.trim();
            let inner = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            found.insert(key.trim().to_owned(), inner.unwrap_or(value).to_owned());
        }
    }
    found
}

/// Whether the chart puts a variable into the Secret.
pub fn is_secret(key: &str) -> bool {
    ["PASSWORD", "SECRET", "TOKEN"].iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_the_template_does() {
        let env = read("# x\nexport A=\"b c\"\r\nPIX_API_PASSWORD='change me #1'\n\nD=e=f\nnothing\n");
        assert_eq!(env["A"], "b c");
        assert_eq!(env["PIX_API_PASSWORD"], "change me #1");
        assert_eq!(env["D"], "e=f");
        assert_eq!(env.len(), 3);
        assert!(is_secret("PIX_API_PASSWORD") && !is_secret("PIX_DB_NAME"));
    }
}
