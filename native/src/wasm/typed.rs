//! Values of components as CBOR, both ways by the type that the component declares (`wasm/value.h` has the table).

use super::cbor::{Reader, Writer};
use wasmtime::component::Val;
use wasmtime::component::types::{Field, Record, Type};

type Done = Result<(), String>;

fn not_carried(what: &str) -> String {
    format!("{what} cannot cross between host and guest")
}

fn name_of(ty: &Type) -> &'static str {
    match ty {
        Type::Own(_) | Type::Borrow(_) => "a resource",
        Type::Future(_) => "a future",
        Type::Stream(_) => "a stream",
        Type::Map(_) => "a map",
        Type::ErrorContext => "an error context",
        _ => "a value of another type",
    }
}

/// An array of the values, which are of these types.
pub fn encode_all(values: &[Val], types: impl ExactSizeIterator<Item = Type>) -> Result<Vec<u8>, String> {
    let mut out = Writer::default();
    out.array(values.len())?;
    for (value, ty) in values.iter().zip(types) {
        encode(value, &ty, &mut out)?;
    }
    Ok(out.finish())
}

/// What a function gave: its one result, or null.
pub fn encode_result(values: &[Val], mut types: impl ExactSizeIterator<Item = Type>) -> Result<Vec<u8>, String> {
    let mut out = Writer::default();
    match (values, types.next()) {
        ([value], Some(ty)) => encode(value, &ty, &mut out)?,
        _ => out.null()?,
    }
    Ok(out.finish())
}

fn encode(value: &Val, ty: &Type, out: &mut Writer) -> Done {
    match (value, ty) {
        (Val::List(items), Type::List(ty)) => encode_items(items, &ty.ty(), out),
        (Val::FixedLengthList(items), Type::FixedLengthList(ty)) => encode_items(items, &ty.ty(), out),
        (Val::Tuple(items), Type::Tuple(ty)) => {
            out.array(items.len())?;
            let mut pairs = items.iter().zip(ty.types());
            pairs.try_for_each(|(item, ty)| encode(item, &ty, out))
        }
        (Val::Record(fields), Type::Record(ty)) => {
            out.map(fields.len())?;
            fields.iter().zip(ty.fields()).try_for_each(|((name, value), field)| {
                out.text(name)?;
                encode(value, &field.ty, out)
            })
        }
        (Val::Flags(names), _) => {
            out.array(names.len())?;
            names.iter().try_for_each(|name| out.text(name))
        }
        (Val::Variant(..) | Val::Option(_) | Val::Result(_), _) => encode_choice(value, ty, out),
        _ => encode_scalar(value, ty, out),
    }
}

fn encode_scalar(value: &Val, ty: &Type, out: &mut Writer) -> Done {
    match value {
        Val::Bool(value) => out.bool(*value),
        Val::S8(value) => out.integer(i128::from(*value)),
        Val::U8(value) => out.integer(i128::from(*value)),
        Val::S16(value) => out.integer(i128::from(*value)),
        Val::U16(value) => out.integer(i128::from(*value)),
        Val::S32(value) => out.integer(i128::from(*value)),
        Val::U32(value) => out.integer(i128::from(*value)),
        Val::S64(value) => out.integer(i128::from(*value)),
        Val::U64(value) => out.integer(i128::from(*value)),
        Val::Float32(value) => out.float(f64::from(*value)),
        Val::Float64(value) => out.float(*value),
        Val::Char(value) => out.text(value.encode_utf8(&mut [0; 4])),
        Val::String(value) | Val::Enum(value) => out.text(value),
        _ => Err(not_carried(name_of(ty))),
    }
}

fn encode_items(items: &[Val], ty: &Type, out: &mut Writer) -> Done {
    if *ty == Type::U8 {
        let bytes: Vec<u8> = items
            .iter()
            .map(|item| if let Val::U8(byte) = item { *byte } else { 0 })
            .collect();
        return out.bytes(&bytes);
    }
    out.array(items.len())?;
    items.iter().try_for_each(|item| encode(item, ty, out))
}

fn encode_choice(value: &Val, ty: &Type, out: &mut Writer) -> Done {
    match (value, ty) {
        (Val::Variant(name, payload), Type::Variant(ty)) => {
            out.array(if payload.is_some() { 2 } else { 1 })?;
            out.text(name)?;
            let case = ty.cases().find(|case| case.name == name).and_then(|case| case.ty);
            match (payload, case) {
                (Some(payload), Some(ty)) => encode(payload, &ty, out),
                _ => Ok(()),
            }
        }
        (Val::Option(None), _) => out.null(),
        (Val::Option(Some(value)), Type::Option(ty)) => {
            out.array(1)?;
            encode(value, &ty.ty(), out)
        }
        (Val::Result(value), Type::Result(ty)) => {
            let (name, payload, ty) = match value {
                Ok(payload) => ("ok", payload, ty.ok()),
                Err(payload) => ("err", payload, ty.err()),
            };
            out.map(1)?;
            out.text(name)?;
            match (payload, ty) {
                (Some(payload), Some(ty)) => encode(payload, &ty, out),
                _ => out.null(),
            }
        }
        _ => Err(not_carried(name_of(ty))),
    }
}

/// From an array with one value of each type.
pub fn decode_all(bytes: &[u8], types: impl ExactSizeIterator<Item = Type>) -> Result<Vec<Val>, String> {
    let mut input = Reader::new(bytes);
    let (found, expected) = (input.array()?, types.len());
    if found != expected {
        return Err(format!("expected {expected} values, found {found}"));
    }
    let values: Result<Vec<_>, _> = types
        .enumerate()
        .map(|(index, ty)| decode(&ty, &mut input).map_err(|error| format!("value {}: {error}", index + 1)))
        .collect();
    let values = values?;
    input.end()?;
    Ok(values)
}

/// Into `results`, which has a place for the one result of a function, or none.
pub fn decode_result(bytes: &[u8], mut types: impl ExactSizeIterator<Item = Type>, results: &mut [Val]) -> Done {
    let mut input = Reader::new(bytes);
    match (results, types.next()) {
        ([result], Some(ty)) => *result = decode(&ty, &mut input)?,
        _ => {
            if !input.if_null() {
                return Err("expected null: the function has no result".to_owned());
            }
        }
    }
    input.end()
}

fn integer<T: TryFrom<i128>>(input: &mut Reader) -> Result<T, String> {
    let value = input.integer()?;
    T::try_from(value).map_err(|_| format!("{value} is out of its type's range"))
}

fn decode(ty: &Type, input: &mut Reader) -> Result<Val, String> {
    match ty {
        Type::List(ty) => Ok(Val::List(decode_items(&ty.ty(), input)?)),
        Type::FixedLengthList(ty) => {
            let items = decode_items(&ty.ty(), input)?;
            if items.len() != ty.len() as usize {
                return Err(format!("expected {} items, found {}", ty.len(), items.len()));
            }
            Ok(Val::FixedLengthList(items))
        }
        Type::Tuple(ty) => {
            let (found, expected) = (input.array()?, ty.types().len());
            if found != expected {
                return Err(format!("expected a tuple of {expected}, found {found} items"));
            }
            let items: Result<_, _> = ty.types().map(|ty| decode(&ty, input)).collect();
            Ok(Val::Tuple(items?))
        }
        Type::Record(ty) => decode_record(ty, input),
        Type::Enum(_) | Type::Flags(_) => decode_names(ty, input),
        Type::Variant(_) | Type::Option(_) | Type::Result(_) => decode_choice(ty, input),
        _ => decode_scalar(ty, input),
    }
}

fn decode_scalar(ty: &Type, input: &mut Reader) -> Result<Val, String> {
    Ok(match ty {
        Type::Bool => Val::Bool(input.bool()?),
        Type::S8 => Val::S8(integer(input)?),
        Type::U8 => Val::U8(integer(input)?),
        Type::S16 => Val::S16(integer(input)?),
        Type::U16 => Val::U16(integer(input)?),
        Type::S32 => Val::S32(integer(input)?),
        Type::U32 => Val::U32(integer(input)?),
        Type::S64 => Val::S64(integer(input)?),
        Type::U64 => Val::U64(integer(input)?),
        #[expect(clippy::cast_possible_truncation, reason = "the nearest value of its type")]
        Type::Float32 => Val::Float32(input.float()? as f32),
        Type::Float64 => Val::Float64(input.float()?),
        Type::Char => {
            let mut letters = input.text()?.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => Val::Char(letter),
                _ => return Err("expected text of one character".to_owned()),
            }
        }
        Type::String => Val::String(input.text()?.to_owned()),
        _ => return Err(not_carried(name_of(ty))),
    })
}

fn decode_names(ty: &Type, input: &mut Reader) -> Result<Val, String> {
    let ty = match ty {
        Type::Enum(ty) => {
            let name = input.text()?;
            if !ty.names().any(|known| known == name) {
                return Err(format!("{name:?} is no case of the enum"));
            }
            return Ok(Val::Enum(name.to_owned()));
        }
        Type::Flags(ty) => ty,
        _ => return Err(not_carried(name_of(ty))),
    };
    let mut names = Vec::new();
    for _ in 0..input.array()? {
        let name = input.text()?;
        if !ty.names().any(|known| known == name) || names.iter().any(|seen| seen == name) {
            return Err(format!("{name:?} is no flag, or named twice"));
        }
        names.push(name.to_owned());
    }
    Ok(Val::Flags(names))
}

fn decode_items(ty: &Type, input: &mut Reader) -> Result<Vec<Val>, String> {
    if *ty == Type::U8 {
        return Ok(input.bytes()?.iter().map(|byte| Val::U8(*byte)).collect());
    }
    let count = input.array()?;
    (0..count).map(|_| decode(ty, input)).collect()
}

/// The map's order is its own; the record's is that of its type.
fn decode_record(ty: &Record, input: &mut Reader) -> Result<Val, String> {
    let fields: Vec<Field> = ty.fields().collect();
    let mut values: Vec<Option<Val>> = fields.iter().map(|_| None).collect();
    for _ in 0..input.map()? {
        let name = input.text()?;
        let place = fields.iter().position(|field| field.name == name);
        let place = place.filter(|place| values[*place].is_none());
        let place = place.ok_or_else(|| format!("{name:?} is no field of the record, or named twice"))?;
        let value = decode(&fields[place].ty, input);
        values[place] = Some(value.map_err(|error| format!("field {name}: {error}"))?);
    }
    let pairs = fields.iter().zip(values);
    let complete: Result<Vec<_>, _> = pairs
        .map(|(field, value)| {
            let value = value.ok_or_else(|| format!("the record lacks field {}", field.name))?;
            Ok::<_, String>((field.name.to_owned(), value))
        })
        .collect();
    Ok(Val::Record(complete?))
}

fn decode_choice(ty: &Type, input: &mut Reader) -> Result<Val, String> {
    match ty {
        Type::Variant(ty) => {
            let count = input.array()?;
            let name = if count == 0 { "" } else { input.text()? };
            let case = ty.cases().find(|case| case.name == name);
            let case = case.ok_or_else(|| format!("{name:?} is no case of the variant"))?;
            let payload = match (case.ty, count) {
                (None, 1) => None,
                (Some(ty), 2) => Some(Box::new(decode(&ty, input)?)),
                _ => return Err(format!("case {name} has {count} items in its array")),
            };
            Ok(Val::Variant(name.to_owned(), payload))
        }
        Type::Option(ty) => {
            if input.if_null() {
                return Ok(Val::Option(None));
            }
            if input.array()? != 1 {
                return Err("expected null or an array of one".to_owned());
            }
            Ok(Val::Option(Some(Box::new(decode(&ty.ty(), input)?))))
        }
        Type::Result(ty) => {
            if input.map()? != 1 {
                return Err("expected a map with ok or err".to_owned());
            }
            match input.text()? {
                "ok" => Ok(Val::Result(Ok(decode_payload(ty.ok().as_ref(), input)?))),
                "err" => Ok(Val::Result(Err(decode_payload(ty.err().as_ref(), input)?))),
                _ => Err("expected a map with ok or err".to_owned()),
            }
        }
        _ => Err(not_carried(name_of(ty))),
    }
}

fn decode_payload(ty: Option<&Type>, input: &mut Reader) -> Result<Option<Box<Val>>, String> {
    match ty {
        Some(ty) => Ok(Some(Box::new(decode(ty, input)?))),
        None if input.if_null() => Ok(None),
        None => Err("expected null: this side of the result has no value".to_owned()),
    }
}
