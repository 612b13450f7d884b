//! Numbers as the screens write them: every number has a unit and one style.

/// Bytes in binary units, up to three significant digits: `2.31 GiB`, `512 B`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut scale, mut unit) = (1u128, 0);
    // 999.5 of a unit would round to four digits
    while u128::from(n) * 2 >= scale * 1999 && unit + 1 < UNITS.len() {
        scale *= 1024;
        unit += 1;
    }
    let hundredths = (u128::from(n) * 100 + scale / 2) / scale;
    let name = UNITS[unit];
    match hundredths {
        _ if unit == 0 => format!("{n} B"),
        0..=999 => format!("{}.{:02} {name}", hundredths / 100, hundredths % 100),
        1000..=9999 => format!("{}.{} {name}", hundredths / 100, hundredths % 100 / 10),
        _ => format!("{} {name}", hundredths / 100),
    }
}

/// A count with thousands separated by commas: `1,204`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 volume`, `1,204 volumes`.
pub fn plural(n: impl TryInto<u64>, one: &str, many: &str) -> String {
    // no count of things in memory is above what fits
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A duration in whole seconds: `42 s`, `1 min 03 s`, `2 h 01`.
pub fn seconds(s: u64) -> String {
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02}", s / 3600, s % 3600 / 60),
    }
}

/// An estimate in seconds, rounded to what can be meant: `about 5 min`, `about 40 s`.
pub fn about(s: u64) -> String {
    match s {
        0..90 => format!("about {s} s"),
        90..5400 => format!("about {} min", (s + 30) / 60),
        5400..172_800 => format!("about {} h {:02}", s / 3600, s % 3600 / 60),
        _ => format!("about {} days", s / 86_400),
    }
}

/// A long hash shortened for people: `8be1…04c7`.
pub fn hash(hex: &str) -> String {
    match (hex.get(..4), hex.get(hex.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) if hex.len() > 9 => format!("{head}…{tail}"),
        _ => hex.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_the_screens_write_them() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1.00 KiB");
        assert_eq!(bytes(2_480_343_121), "2.31 GiB");
        assert_eq!(bytes(40_000_000), "38.1 MiB");
        assert_eq!(bytes(u64::from(u32::MAX)), "4.00 GiB");
        assert_eq!(count(1204), "1,204");
        assert_eq!(count(38_204_117), "38,204,117");
        assert_eq!(count(7), "7");
        assert_eq!(plural(1_u64, "volume", "volumes"), "1 volume");
        assert_eq!(plural(0_usize, "volume", "volumes"), "0 volumes");
        assert_eq!(plural(1204_u32, "volume", "volumes"), "1,204 volumes");
        assert_eq!(seconds(63), "1 min 03 s");
        assert_eq!(seconds(7260), "2 h 01");
        assert_eq!(hash("8be1aaaaaaaaaaaa04c7"), "8be1…04c7");
    }
}
