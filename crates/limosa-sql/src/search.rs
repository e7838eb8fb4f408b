//! Finding bytes, eight at a time where that is possible.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A word that has a zero byte wherever `word` holds `byte`; non-zero exactly if there is one.
/// Bit trick: <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>.
fn matches(word: u64, byte: u8) -> u64 {
    let zeroed = word ^ (LOW * u64::from(byte));
    zeroed.wrapping_sub(LOW) & !zeroed & HIGH
}

/// The first place of one of `needles` in `bytes`, at or after `from`.
fn find_any<const N: usize>(bytes: &[u8], from: usize, needles: [u8; N]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let mut chunks = rest.chunks_exact(8);
    let mut at = from;
    for chunk in &mut chunks {
        let mut eight = [0; 8];
        eight.copy_from_slice(chunk);
        let word = u64::from_le_bytes(eight);
        let found = needles.iter().fold(0, |found, &byte| found | matches(word, byte));
        if found != 0 {
            // A borrow can only set marks above a true one, so the lowest mark is always true.
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    chunks.remainder().iter().position(|byte| needles.contains(byte)).map(|offset| at + offset)
}

/// The first `byte` at or after `from`.
pub(crate) fn find(bytes: &[u8], from: usize, byte: u8) -> Option<usize> {
    find_any(bytes, from, [byte])
}

/// The first of two bytes at or after `from`.
pub(crate) fn find_either(bytes: &[u8], from: usize, one: u8, other: u8) -> Option<usize> {
    find_any(bytes, from, [one, other])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_loop_finds(bytes in proptest::collection::vec(0_u8..6, 0..60), from in 0_usize..70) {
            let plain = |wanted: &[u8]| {
                bytes.iter().enumerate().skip(from).find(|(_, byte)| wanted.contains(byte)).map(|(at, _)| at)
            };
            prop_assert_eq!(find(&bytes, from, 3), plain(&[3]));
            prop_assert_eq!(find_either(&bytes, from, 1, 5), plain(&[1, 5]));
        }

        #[test]
        fn finds_any_byte_value(bytes in any::<Vec<u8>>(), wanted: u8) {
            prop_assert_eq!(find(&bytes, 0, wanted), bytes.iter().position(|&byte| byte == wanted));
        }
    }
}
