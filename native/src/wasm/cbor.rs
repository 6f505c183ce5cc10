//! As much of CBOR (RFC 8949) as values of components need: the writer's output is read by `codec/cbor.h`, and the
//! reader takes what that writes (definite lengths, no tags).

/// Bytes of one message; `value_limits` of `wasm/value.h`.
pub const MAX_SIZE: usize = 4 << 20;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;

#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn room(&self, size: usize) -> Result<(), String> {
        if size > MAX_SIZE - self.bytes.len() {
            return Err(format!("the values have over {MAX_SIZE} bytes"));
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.room(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn head(&mut self, major: u8, argument: u64) -> Result<(), String> {
        let major = major << 5;
        if let Ok(small) = u8::try_from(argument) {
            return if small < 24 {
                self.put(&[major | small])
            } else {
                self.put(&[major | 24, small])
            };
        }
        let mut head = [0; 9];
        head[0] = major | 27;
        head[1..].copy_from_slice(&argument.to_be_bytes());
        self.put(&head)
    }

    pub fn integer(&mut self, value: i128) -> Result<(), String> {
        let out_of_range = |_| "an integer of over 64 bits".to_owned();
        if value < 0 {
            return self.head(NEGATIVE, u64::try_from(-1 - value).map_err(out_of_range)?);
        }
        self.head(UNSIGNED, u64::try_from(value).map_err(out_of_range)?)
    }

    pub fn bytes(&mut self, value: &[u8]) -> Result<(), String> {
        self.head(BYTES, value.len() as u64)?;
        self.put(value)
    }

    pub fn text(&mut self, value: &str) -> Result<(), String> {
        self.head(TEXT, value.len() as u64)?;
        self.put(value.as_bytes())
    }

    pub fn array(&mut self, count: usize) -> Result<(), String> {
        self.head(ARRAY, count as u64)
    }

    pub fn map(&mut self, count: usize) -> Result<(), String> {
        self.head(MAP, count as u64)
    }

    pub fn bool(&mut self, value: bool) -> Result<(), String> {
        self.put(&[if value { 0xf5 } else { 0xf4 }])
    }

    pub fn null(&mut self) -> Result<(), String> {
        self.put(&[0xf6])
    }

    pub fn float(&mut self, value: f64) -> Result<(), String> {
        self.put(&[0xfb])?;
        self.put(&value.to_be_bytes())
    }
}

pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("the values are cut off")?;
        self.rest = rest;
        Ok(taken)
    }

    /// The major type, the additional information and the argument.
    fn head(&mut self) -> Result<(u8, u8, u64), String> {
        let first = self.take(1)?[0];
        let (major, info) = (first >> 5, first & 31);
        let width = match info {
            0..24 => return Ok((major, info, u64::from(info))),
            24..28 => 1 << (info - 24),
            _ => return Err("a length that is not definite".to_owned()),
        };
        let bytes = self.take(width)?.iter();
        Ok((major, info, bytes.fold(0, |value, byte| value << 8 | u64::from(*byte))))
    }

    fn sized(&mut self, major: u8, expected: &str) -> Result<usize, String> {
        let found = self.head()?;
        if found.0 != major {
            return Err(format!("expected {expected}"));
        }
        // Each item of what follows has a byte at least.
        usize::try_from(found.2)
            .ok()
            .filter(|count| *count <= self.rest.len())
            .ok_or_else(|| "the values are cut off".to_owned())
    }

    pub fn integer(&mut self) -> Result<i128, String> {
        match self.head()? {
            (UNSIGNED, _, value) => Ok(i128::from(value)),
            (NEGATIVE, _, value) => Ok(-1 - i128::from(value)),
            _ => Err("expected an integer".to_owned()),
        }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], String> {
        let size = self.sized(BYTES, "bytes")?;
        self.take(size)
    }

    pub fn text(&mut self) -> Result<&'a str, String> {
        let size = self.sized(TEXT, "text")?;
        std::str::from_utf8(self.take(size)?).map_err(|_| "text that is not UTF-8".to_owned())
    }

    pub fn array(&mut self) -> Result<usize, String> {
        self.sized(ARRAY, "an array")
    }

    pub fn map(&mut self) -> Result<usize, String> {
        self.sized(MAP, "a map")
    }

    pub fn bool(&mut self) -> Result<bool, String> {
        match self.take(1)? {
            [0xf4] => Ok(false),
            [0xf5] => Ok(true),
            _ => Err("expected a bool".to_owned()),
        }
    }

    /// True, and it is taken, where null is next.
    pub fn if_null(&mut self) -> bool {
        let null = self.rest.first() == Some(&0xf6);
        if null {
            self.rest = &self.rest[1..];
        }
        null
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the argument has the width that was read"
    )]
    pub fn float(&mut self) -> Result<f64, String> {
        match self.head()? {
            (7, 25, bits) => Ok(half(bits as u16)),
            (7, 26, bits) => Ok(f64::from(f32::from_bits(bits as u32))),
            (7, 27, bits) => Ok(f64::from_bits(bits)),
            _ => Err("expected a float".to_owned()),
        }
    }

    pub fn end(&self) -> Result<(), String> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(format!("{} bytes follow the values", self.rest.len()))
    }
}

/// RFC 8949 appendix D.
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let value = match bits >> 10 & 31 {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + fraction) * 2f64.powi(i32::from(exponent) - 25),
    };
    if bits >> 15 == 0 { value } else { -value }
}
