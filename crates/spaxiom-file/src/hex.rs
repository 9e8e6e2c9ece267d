//! Bytes as text.

use std::fmt::Write;

/// Bytes as lower-case hexadecimal digits, two each.
///
/// ```
/// assert_eq!(spaxiom_file::hex(&[0, 171, 16]), "00ab10");
/// ```
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
