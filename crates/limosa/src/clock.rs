//! Times as file names hold them.

use std::time::Duration;

/// UTC as `YYYYMMDDHHMMSS`, for a time since the Unix epoch.
pub fn stamp(since_epoch: Duration) -> String {
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(0);
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y%m%d%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_second() {
        assert_eq!(stamp(Duration::from_secs(1_700_000_000)), "20231114221320");
    }
}
