//! Times as people read them.

use std::time::Duration;

/// `12 ms`, `1.3 s`, `2 min 5 s`, `1 h 3 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let seconds = duration.as_secs();
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        // Rounded to tenths first, so that 59.96 does not read as 60.0 s.
        1_000..59_950 => format!("{:.1} s", duration.as_secs_f64()),
        59_950..3_600_000 => {
            let seconds = seconds.max(60);
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The same for milliseconds.
pub(crate) fn milliseconds(milliseconds: u64) -> String {
    duration(Duration::from_millis(milliseconds))
}

/// A limit in milliseconds, where 0 means none.
pub(crate) fn limit(limit_ms: u64) -> String {
    match limit_ms {
        0 => "off".to_owned(),
        // Limits are round as a rule.
        1_000..60_000 if limit_ms.is_multiple_of(1000) => format!("{} s", limit_ms / 1000),
        _ => milliseconds(limit_ms),
    }
}

/// How fast work goes, and how long the rest takes at this pace; empty before anything is done.
pub(crate) fn pace(done: u64, total: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if done == 0 || seconds <= 0.0 {
        return String::new();
    }
    let rate = done as f64 / seconds;
    let shown = if rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") };
    let left = Duration::from_secs_f64(total.saturating_sub(done) as f64 / rate);
    format!("{shown} statements/s, about {} left", duration(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (milliseconds, expected) in [
            (0, "0 ms"),
            (12, "12 ms"),
            (999, "999 ms"),
            (1_000, "1.0 s"),
            (1_340, "1.3 s"),
            (59_949, "59.9 s"),
            (59_960, "1 min 0 s"),
            (125_000, "2 min 5 s"),
            (3_599_999, "59 min 59 s"),
            (3_600_000, "1 h 0 min"),
            (3_800_000, "1 h 3 min"),
        ] {
            assert_eq!(super::milliseconds(milliseconds), expected, "{milliseconds}");
        }
        assert_eq!(limit(0), "off");
        assert_eq!(limit(3_000), "3 s");
        assert_eq!(limit(3_500), "3.5 s");
    }

    #[test]
    fn pace_and_rest() {
        assert_eq!(pace(0, 10, Duration::from_secs(3)), "");
        assert_eq!(pace(10, 10, Duration::ZERO), "");
        assert_eq!(pace(5, 10, Duration::from_secs(10)), "0.5 statements/s, about 10.0 s left");
        assert_eq!(pace(1000, 3000, Duration::from_secs(10)), "100 statements/s, about 20.0 s left");
    }
}
