//! Rego over regorus: parse once, clone the prepared engine for each evaluation.

use crate::ffi::{Buffer, View, guard, put, release};
use anyhow::{Result, anyhow, bail};
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A range longer than this is an error instead of the memory it would take.
const MAX_RANGE: i64 = 1_000_000;
/// Interpreter steps between two looks at the clock.
const TIMER_INTERVAL: u32 = 64;

/// `coffer_lookup`: 1 with JSON in the buffer, 0 for nothing, negative with a message in the buffer.
type Lookup = extern "C" fn(*mut c_void, View, *mut Buffer) -> i32;

/// `coffer_policy`: a parsed module, shared by threads.
pub struct Policy {
    engine: Engine,
}

/// `coffer_evaluation`: one engine with its input; used by one thread at a time.
pub struct Evaluation {
    engine: Engine,
    host: Option<Arc<Host>>,
}

/// Calls back for reference values, and remembers the answers: one evaluation sees one value for an id, and what is
/// asked afterwards for an explanation is answered from what decided.
struct Host {
    lookup: Lookup,
    context: *mut c_void,
    known: Mutex<BTreeMap<String, Value>>,
    replay: AtomicBool,
}

// SAFETY: the header demands that `context` may be used from the thread that evaluates.
unsafe impl Send for Host {}
// SAFETY: as above; an evaluation is used by one thread at a time.
unsafe impl Sync for Host {}

impl Host {
    fn query(&self, id: &str) -> Result<Value> {
        let mut known = self.known.lock().map_err(|_| anyhow!("an earlier look-up failed"))?;
        if let Some(value) = known.get(id) {
            return Ok(value.clone());
        }
        if self.replay.load(Ordering::Relaxed) {
            bail!("reference value {id} was not read by the evaluation");
        }
        let value = self.call(id)?;
        known.insert(id.to_owned(), value.clone());
        Ok(value)
    }

    fn call(&self, id: &str) -> Result<Value> {
        let mut buffer = Buffer::EMPTY;
        let found = (self.lookup)(self.context, View::from(id.as_bytes()), &raw mut buffer);
        let text = String::from_utf8_lossy(&buffer.into_vec()).into_owned();
        match found {
            0 => Ok(Value::Null),
            1 => Value::from_json_str(&text),
            _ => bail!("reference value {id}: {text}"),
        }
    }
}

/// numbers.range and numbers.range_step with a bound; regorus would first reserve memory for all of it.
fn bounded_range(arguments: &[Value]) -> Result<Value> {
    let integer = |index: usize| arguments.get(index).and_then(|value| value.as_i64().ok());
    let (Some(first), Some(last)) = (integer(0), integer(1)) else {
        return Ok(Value::Undefined);
    };
    let step = if arguments.len() > 2 { integer(2) } else { Some(1) };
    let Some(step) = step.filter(|step| *step > 0) else {
        bail!("numbers.range_step: step must be a positive number");
    };
    let distance = last.abs_diff(first) / step.unsigned_abs();
    if distance >= MAX_RANGE.unsigned_abs() {
        bail!("numbers.range from {first} to {last} is longer than the limit of {MAX_RANGE}");
    }
    let direction = if first <= last { step } else { -step };
    let count = i64::try_from(distance)? + 1;
    let values = (0..count).map(|index| Value::from(first + index * direction));
    Ok(Value::from(values.collect::<Vec<_>>()))
}

impl Policy {
    fn parse(name: String, text: String) -> Result<Self> {
        let mut engine = Engine::new();
        engine.set_policy_length_config(regorus::PolicyLengthConfig {
            max_col: NonZeroU32::MAX,
            ..Default::default()
        });
        engine.set_gather_prints(true);
        engine.add_policy(name, text)?;
        engine.add_extension("numbers.range".into(), 2, Box::new(|a: Vec<Value>| bounded_range(&a)))?;
        engine.add_extension(
            "numbers.range_step".into(),
            3,
            Box::new(|a: Vec<Value>| bounded_range(&a)),
        )?;
        Ok(Self { engine })
    }

    /// Name of the package, how many rules it has, and its syntax tree: what the C++ side checks and explains by.
    fn describe(&mut self) -> Result<(String, usize)> {
        let package = self.engine.get_packages()?.join(",");
        let rules = self.engine.get_modules().iter().map(|module| module.policy.len()).sum();
        Ok((package, rules))
    }
}

impl Policy {
    /// Compact, unlike the engine's own get_ast_as_json: indentation of deep trees takes gigabytes.
    fn syntax_tree(&self) -> Result<String> {
        let mut engine = self.engine.clone();
        Ok(serde_json::to_string(engine.get_modules())?)
    }
}

impl Evaluation {
    fn query(&mut self, query: String) -> Result<Option<String>> {
        let results = self.engine.eval_query(query, false)?;
        let value = results
            .result
            .into_iter()
            .next()
            .and_then(|result| result.expressions.into_iter().next())
            .map(|expression| expression.value);
        match value {
            None | Some(Value::Undefined) => Ok(None),
            Some(value) => Ok(Some(value.to_json_str()?)),
        }
    }

    /// Covered line numbers, ascending, as decimal text separated by spaces.
    fn covered_lines(&self) -> Result<String> {
        let report = self.engine.get_coverage_report()?;
        let lines = report.files.iter().flat_map(|file| file.covered.iter());
        Ok(lines.map(u32::to_string).collect::<Vec<_>>().join(" "))
    }
}

/// `coffer_evaluation_options`.
#[repr(C)]
pub struct Options {
    input: View,
    data: View,
    budget_milliseconds: u64,
    coverage: bool,
    lookup: Option<Lookup>,
    context: *mut c_void,
}

fn begin(policy: &Policy, options: &Options) -> Result<Evaluation> {
    let mut engine = policy.engine.clone();
    // SAFETY: the views are valid during the call.
    let (input, data) = unsafe { (options.input.text(), options.data.text()) };
    engine.set_input(Value::from_json_str(&input)?);
    if !data.is_empty() {
        engine.add_data(Value::from_json_str(&data)?)?;
    }
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit: Duration::from_millis(options.budget_milliseconds),
        check_interval: NonZeroU32::new(TIMER_INTERVAL).unwrap_or(NonZeroU32::MIN),
    });
    engine.set_enable_coverage(options.coverage);
    let host = options.lookup.map(|lookup| {
        Arc::new(Host {
            lookup,
            context: options.context,
            known: Mutex::default(),
            replay: AtomicBool::new(false),
        })
    });
    if let Some(host) = host.clone() {
        let query = move |arguments: Vec<Value>| match arguments.first() {
            Some(Value::String(id)) => host.query(id),
            _ => bail!("query_reference_value takes the name of a reference value, a string"),
        };
        engine.add_extension("query_reference_value".into(), 1, Box::new(query))?;
    }
    Ok(Evaluation { engine, host })
}

/// Negative results of the functions below.
const FAILED: i32 = -1;
const TIMED_OUT: i32 = -2;
const PANICKED: i32 = -3;

fn code_of(error: &anyhow::Error) -> i32 {
    use regorus::LimitError::TimeLimitExceeded;
    match error.downcast_ref::<regorus::LimitError>() {
        Some(TimeLimitExceeded { .. }) => TIMED_OUT,
        _ => FAILED,
    }
}

/// # Safety
/// As for [`put`].
unsafe fn answer(result: Result<Option<String>>, out: *mut Buffer, error: *mut Buffer) -> i32 {
    match result {
        Ok(None) => 0,
        Ok(Some(text)) => {
            // SAFETY: promised by the caller.
            unsafe { put(out, text.into_bytes()) };
            1
        }
        Err(failure) => {
            // SAFETY: promised by the caller.
            unsafe { put(error, format!("{failure:#}").into_bytes()) };
            code_of(&failure)
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_policy_parse(name: View, text: View, error: *mut Buffer) -> *mut Policy {
    // SAFETY: the header's contract, here and below.
    unsafe {
        guard(error, std::ptr::null_mut(), || {
            match Policy::parse(name.text(), text.text()) {
                Ok(policy) => Box::into_raw(Box::new(policy)),
                Err(failure) => {
                    put(error, format!("{failure:#}").into_bytes());
                    std::ptr::null_mut()
                }
            }
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_policy_free(policy: *mut Policy) {
    // SAFETY: the header's contract.
    unsafe { release(policy) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_policy_describe(policy: *mut Policy, package: *mut Buffer, rules: *mut usize) -> i32 {
    // SAFETY: the header's contract.
    unsafe {
        guard(package, PANICKED, || match (*policy).describe() {
            Ok((name, count)) => {
                rules.write(count);
                put(package, name.into_bytes());
                1
            }
            Err(failure) => answer(Err(failure), package, package),
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_policy_prepare(policy: *mut Policy, error: *mut Buffer) -> i32 {
    // SAFETY: the header's contract.
    unsafe {
        guard(error, PANICKED, || {
            let prepared = (*policy).engine.eval_query("true".into(), false);
            answer(prepared.map(|_| None), error, error)
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_policy_syntax_tree(policy: *const Policy, out: *mut Buffer) -> i32 {
    // SAFETY: the header's contract.
    unsafe { guard(out, PANICKED, || answer((*policy).syntax_tree().map(Some), out, out)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_evaluation_begin(
    policy: *const Policy,
    options: *const Options,
    error: *mut Buffer,
) -> *mut Evaluation {
    // SAFETY: the header's contract.
    unsafe {
        guard(error, std::ptr::null_mut(), || match begin(&*policy, &*options) {
            Ok(evaluation) => Box::into_raw(Box::new(evaluation)),
            Err(failure) => {
                put(error, format!("{failure:#}").into_bytes());
                std::ptr::null_mut()
            }
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_evaluation_query(
    evaluation: *mut Evaluation,
    query: View,
    out: *mut Buffer,
    error: *mut Buffer,
) -> i32 {
    // SAFETY: the header's contract.
    unsafe {
        guard(error, PANICKED, || {
            answer((*evaluation).query(query.text()), out, error)
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_evaluation_coverage(evaluation: *mut Evaluation, out: *mut Buffer) -> i32 {
    // SAFETY: the header's contract.
    unsafe {
        guard(out, PANICKED, || {
            let evaluation = &mut *evaluation;
            if let Some(host) = &evaluation.host {
                host.replay.store(true, Ordering::Relaxed);
            }
            answer(evaluation.covered_lines().map(Some), out, out)
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_evaluation_free(evaluation: *mut Evaluation) {
    // SAFETY: the header's contract.
    unsafe { release(evaluation) };
}
