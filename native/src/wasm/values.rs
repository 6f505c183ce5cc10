//! Arguments and results of core functions as text, strictly by signature.

use wasmtime::{FuncType, Val, ValType};

/// Decimal or 0x, with a sign or not; the whole range of the signed and of the unsigned type.
fn integer(text: &str, bits: u32) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = hexadecimal.map_or((digits, 10), |digits| (digits, 16));
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if negative { -magnitude } else { magnitude };
    (-(1i128 << (bits - 1))..(1i128 << bits))
        .contains(&value)
        .then_some(value)
}

/// Truncation keeps the bits: 4294967295 and -1 are the same i32.
#[expect(clippy::cast_possible_truncation, reason = "the bits are what is wanted")]
fn parse(text: &str, ty: &ValType) -> Option<Val> {
    match ty {
        ValType::I32 => integer(text, 32).map(|value| Val::I32(value as i32)),
        ValType::I64 => integer(text, 64).map(|value| Val::I64(value as i64)),
        ValType::F32 => text.parse::<f32>().ok().map(|value| Val::F32(value.to_bits())),
        ValType::F64 => text.parse::<f64>().ok().map(|value| Val::F64(value.to_bits())),
        _ => None,
    }
}

pub fn parse_all(function: &str, ty: &FuncType, arguments: &[String]) -> Result<Vec<Val>, String> {
    if ty.params().len() != arguments.len() {
        return Err(format!(
            "{function} takes {} arguments, {} were given",
            ty.params().len(),
            arguments.len()
        ));
    }
    let pairs = ty.params().zip(arguments).enumerate();
    pairs
        .map(|(index, (ty, text))| {
            parse(text, &ty)
                .ok_or_else(|| format!("argument {} of {function} must be an {ty}, found {text:?}", index + 1))
        })
        .collect()
}

pub fn print(value: &Val) -> Result<String, String> {
    match value {
        Val::I32(value) => Ok(value.to_string()),
        Val::I64(value) => Ok(value.to_string()),
        Val::F32(bits) => Ok(f32::from_bits(*bits).to_string()),
        Val::F64(bits) => Ok(f64::from_bits(*bits).to_string()),
        _ => Err("a result of a type that has no text form".to_owned()),
    }
}
