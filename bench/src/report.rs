//! Tables of what was measured, with ratios.

use std::fmt::Write;
use std::time::Duration;

use crate::stopwatch::Taken;

/// The runs of one tool in one table.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) runs: Vec<Taken>,
}

/// Median of an unsorted list; the upper of two in the middle.
pub(crate) fn median<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// Milliseconds with as many digits as mean something.
pub(crate) fn milliseconds(time: Duration) -> String {
    let value = time.as_secs_f64() * 1000.0;
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

impl Line {
    fn wall(&self) -> Option<Duration> {
        median(self.runs.iter().map(|run| run.wall).collect())
    }
}

/// A Markdown table, fastest first: wall time, ratio to the floor (the first line given) and to limosa, CPU, memory.
pub(crate) fn table(title: &str, lines: &[Line]) -> String {
    let wall_of = |name: &str| lines.iter().find(|line| line.name == name).and_then(Line::wall);
    let floor = lines.first().and_then(Line::wall);
    let ours = wall_of("limosa");
    let mut sorted: Vec<(&Line, Duration)> = lines.iter().filter_map(|line| Some((line, line.wall()?))).collect();
    sorted.sort_by_key(|(_, wall)| *wall);
    let ratio = |wall: Duration, to: Option<Duration>| match to {
        Some(to) if !to.is_zero() => format!("{:.2}", wall.as_secs_f64() / to.as_secs_f64()),
        _ => "-".to_owned(),
    };
    let mut text = format!(
        "\n### {title}\n\n| tool | wall ms, median (min-max) | x floor | x limosa | client CPU ms | peak MiB |\n\
         |---|---|---|---|---|---|\n"
    );
    for (line, wall) in sorted {
        let least = line.runs.iter().map(|run| run.wall).min().unwrap_or_default();
        let most = line.runs.iter().map(|run| run.wall).max().unwrap_or_default();
        let cpu = median(line.runs.iter().map(|run| run.cpu).collect()).unwrap_or_default();
        let peak = line.runs.iter().map(|run| run.peak_kib).max().unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} ({}-{}) | {} | {} | {} | {} |",
            line.name,
            milliseconds(wall),
            milliseconds(least),
            milliseconds(most),
            ratio(wall, floor),
            ratio(wall, ours),
            milliseconds(cpu),
            (peak + 512) / 1024
        );
    }
    text
}

/// Characters of the longest bar.
const LONGEST_BAR: u128 = 50;

/// The same as bars, fastest first; ours is filled. The longest stands for the slowest but one where that one is far off.
pub(crate) fn chart(lines: &[Line]) -> String {
    let mut walls: Vec<(&str, Duration)> = lines.iter().filter_map(|line| Some((line.name, line.wall()?))).collect();
    walls.sort_by_key(|(_, wall)| *wall);
    let [.., (_, slower), (_, slowest)] = &walls[..] else { return String::new() };
    let full = if *slowest > *slower * 4 { slower } else { slowest }.as_micros().max(1);
    let width = walls.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = "\n```text\n".to_owned();
    for (name, wall) in walls {
        let length = (wall.as_micros() * LONGEST_BAR / full).clamp(1, LONGEST_BAR + 2);
        let sign = if name == "limosa" { "█" } else { "░" };
        let cut = if length > LONGEST_BAR { " »" } else { "" };
        let bar = sign.repeat(usize::try_from(length.min(LONGEST_BAR)).unwrap_or_default());
        let _ = writeln!(text, "{name:width$} {bar}{cut} {} ms", milliseconds(wall));
    }
    text + "```\n"
}

/// How much of the last minute something on this machine waited for a processor, where the kernel says it.
pub(crate) fn pressure() -> String {
    let text = std::fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
    let average = text.split_whitespace().find_map(|word| word.strip_prefix("avg60="));
    average.map_or_else(|| "unknown".to_owned(), |value| format!("{value} %"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &'static str, walls: &[u64]) -> Line {
        let taken = |wall: &u64| Taken {
            wall: Duration::from_millis(*wall),
            cpu: Duration::from_millis(1),
            peak_kib: 10 * 1024,
        };
        Line { name, runs: walls.iter().map(taken).collect() }
    }

    #[test]
    fn bars_are_in_proportion() {
        let text = chart(&[line("floor", &[100]), line("limosa", &[50]), line("slow", &[200]), line("far", &[4000])]);
        let bar = |sign: &str, length: usize| sign.repeat(length);
        let expected = format!(
            "\n```text\nlimosa {} 50.0 ms\nfloor  {} 100 ms\nslow   {} 200 ms\nfar    {} » 4000 ms\n```\n",
            bar("█", 12),
            bar("░", 25),
            bar("░", 50),
            bar("░", 50)
        );
        assert_eq!(text, expected);
        assert_eq!(chart(&[line("only", &[1])]), "");
    }

    #[test]
    fn ratios_are_to_the_first_line_and_to_limosa() {
        let text = table("t", &[line("floor", &[100, 300, 200]), line("limosa", &[400]), line("none", &[])]);
        assert!(text.contains("| floor | 200 (100-300) | 1.00 | 0.50 | 1.0 | 10 |"), "{text}");
        assert!(text.contains("| limosa | 400 (400-400) | 2.00 | 1.00 | 1.0 | 10 |"), "{text}");
        assert!(!text.contains("none"), "{text}");
    }
}
