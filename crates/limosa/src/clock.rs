//! Times as file names and logs hold them.

use std::time::Duration;

/// UTC as `YYYYMMDDHHMMSS`, for a time since the Unix epoch.
pub fn stamp(since_epoch: Duration) -> String {
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(0);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y%m%d%H%M%S").to_string()
}

/// UTC as RFC 3339 has it, to the millisecond: `2023-11-14T22:13:20.000Z`, for a time since the Unix epoch.
pub fn rfc3339(since_epoch: Duration) -> String {
    let milliseconds = i64::try_from(since_epoch.as_millis()).unwrap_or(0);
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_second() {
        assert_eq!(stamp(Duration::from_secs(1_700_000_000)), "20231114221320");
        assert_eq!(rfc3339(Duration::from_millis(1_700_000_000_007)), "2023-11-14T22:13:20.007Z");
        assert_eq!(rfc3339(Duration::MAX), "1970-01-01T00:00:00.000Z");
    }
}
