//! Names with values as they cross the ABI: as views on the way in, as lines on the way out.

use super::http::Headers;
use crate::ffi::View;

/// `coffer_wasm_pair`.
#[repr(C)]
pub struct Pair {
    pub key: View,
    pub value: View,
}

impl From<&(String, Vec<u8>)> for Pair {
    fn from((key, value): &(String, Vec<u8>)) -> Self {
        Self {
            key: View::from(key.as_bytes()),
            value: View::from(&value[..]),
        }
    }
}

/// One a line, the name before the first tab: a name has no tab, a value no line break.
pub fn lines(headers: &Headers) -> Vec<u8> {
    let lines = headers
        .iter()
        .map(|(name, value)| [name.as_bytes(), b"\t", value, b"\n"].concat());
    lines.collect::<Vec<_>>().concat()
}

pub fn split_lines(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let whole = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    whole.map(|line| {
        let tab = line.iter().position(|byte| *byte == b'\t').unwrap_or(line.len());
        (&line[..tab], line.get(tab + 1..).unwrap_or_default())
    })
}
