//! A small file that an operator named, read whole: its kind and length are asked first. Called by `ask`.

use std::path::Path;

use tokio::io::AsyncReadExt as _;

use crate::ports::SecretBytes;

/// Most bytes of a file that is asked for.
const LARGEST_FILE: usize = 1 << 20;

/// A regular file's bytes, at most [`LARGEST_FILE`]: neither a pipe nor a disk is read, nor a large file into memory.
pub async fn small_file(path: &Path) -> Result<SecretBytes, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let found = tokio::fs::metadata(path).await.map_err(unreadable)?;
    if !found.is_file() {
        return Err("is no regular file; name the file itself".to_owned());
    }
    let too_long = || "is longer than 1 MiB; name the file itself".to_owned();
    let length = usize::try_from(found.len()).ok().filter(|length| *length <= LARGEST_FILE).ok_or_else(too_long)?;
    // room for all of it at once: a vector that grows leaves copies of the secret behind
    let mut content = Vec::with_capacity(length + 64);
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut content).await.map_err(unreadable)?;
    let content = SecretBytes::new(content);
    if content.expose_secret().len() > LARGEST_FILE { Err(too_long()) } else { Ok(content) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_small_regular_file_is_read() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("env");
        for (length, good) in [(0, true), (LARGEST_FILE, true), (LARGEST_FILE + 1, false)] {
            std::fs::write(&file, vec![b'x'; length]).unwrap();
            assert_eq!(
                small_file(&file).await.map(|content| content.expose_secret().len()).ok(),
                good.then_some(length)
            );
        }
        // endless, and of length 0 as the system tells it: the limit alone would not do
        assert!(small_file(Path::new("/dev/zero")).await.unwrap_err().contains("no regular file"));
        assert!(small_file(home.path()).await.unwrap_err().contains("no regular file"));
        assert!(small_file(&home.path().join("none")).await.unwrap_err().contains("cannot be read"));
    }
}
