//! The exported functions.

use super::engine::{Compiled, Engine};
use super::exports;
use super::host::{Function, Host};
use super::http;
use super::outgoing::Outgoing;
use super::pairs::{self, Pair};
use super::run::{Bounds, Cancel, Ended, Failure, Guest, Job, Target, Usage, run};
use super::streams::{Input, Output, Reader};
use crate::ffi::{Buffer, View, guard, put, release};
use std::time::Duration;
use wasmtime_wasi::cli::AsyncStdinStream;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// `coffer_wasm_status`.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum Status {
    Done = 0,
    BadModule = 1,
    UnsupportedImport = 2,
    MissingExport = 3,
    BadArguments = 4,
    BadPreopen = 5,
    Trap = 6,
    OutOfMemory = 7,
    OutOfFuel = 8,
    Timeout = 9,
    Cancelled = 10,
    Internal = 11,
    NoResponse = 12,
    BadResult = 13,
}

pub fn status_of(failure: Failure) -> (Status, String) {
    match failure {
        Failure::BadModule(text) => (Status::BadModule, text),
        Failure::UnsupportedImport(text) => (Status::UnsupportedImport, text),
        Failure::MissingExport(text) => (Status::MissingExport, text),
        Failure::BadArguments(text) => (Status::BadArguments, text),
        Failure::BadPreopen(text) => (Status::BadPreopen, text),
        Failure::Trap(text) => (Status::Trap, text),
        Failure::OutOfMemory(text) => (Status::OutOfMemory, text),
        Failure::OutOfFuel => (Status::OutOfFuel, String::new()),
        Failure::Timeout => (Status::Timeout, String::new()),
        Failure::Cancelled => (Status::Cancelled, String::new()),
        Failure::NoResponse(text) => (Status::NoResponse, text),
        Failure::BadResult(text) => (Status::BadResult, text),
        Failure::Internal(text) => (Status::Internal, text),
    }
}

/// `coffer_wasm_preopen`.
#[repr(C)]
pub struct Preopen {
    host_path: View,
    guest_path: View,
    read_only: bool,
}

/// `coffer_wasm_invocation`.
#[repr(C)]
pub struct Invocation {
    function: View,
    arguments: *const View,
    argument_count: usize,
    environment: *const Pair,
    environment_count: usize,
    preopens: *const Preopen,
    preopen_count: usize,
    standard_input: Input,
    standard_output: Output,
    standard_error: Output,
    memory: u64,
    fuel: u64,
    has_fuel: bool,
    wall_time_milliseconds: u64,
    has_wall_time: bool,
    cancel: *const Cancel,
    host: Host,
    outgoing: Outgoing,
}

/// `coffer_wasm_outcome`.
#[repr(C)]
pub struct Outcome {
    pub text: Buffer,
    exit_code: i32,
    pub peak_memory: u64,
    pub fuel: u64,
}

/// `coffer_wasm_request`.
#[repr(C)]
pub struct Request {
    method: View,
    target: View,
    authority: View,
    headers: *const Pair,
    header_count: usize,
    body: View,
    response_limit: usize,
}

impl Request {
    /// # Safety
    /// The pointers are valid.
    unsafe fn read(&self) -> http::Request {
        // SAFETY: promised by the caller.
        unsafe {
            let headers = list(self.headers, self.header_count).iter();
            http::Request {
                method: self.method.text(),
                target: self.target.text(),
                authority: self.authority.text(),
                headers: headers
                    .map(|pair| (pair.key.text(), pair.value.bytes().to_vec()))
                    .collect(),
                body: self.body.bytes().to_vec(),
                response_limit: self.response_limit,
            }
        }
    }
}

/// `coffer_wasm_response`.
#[repr(C)]
pub struct Response {
    status: u32,
    headers: Buffer,
    body: Buffer,
}

/// # Safety
/// `data` points to `count` values, or `count` is zero.
pub unsafe fn list<'a, T>(data: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: promised by the caller.
    unsafe { std::slice::from_raw_parts(data, count) }
}

/// # Safety
/// The invocation's pointers are valid, and its input was not taken before.
unsafe fn wasi_of(invocation: &Invocation, arguments: &[String]) -> Result<WasiP1Ctx, Failure> {
    let mut builder = WasiCtxBuilder::new();
    builder
        .args(arguments)
        .stdout(invocation.standard_output)
        .stderr(invocation.standard_error);
    // SAFETY: promised by the caller.
    unsafe {
        let input = invocation.standard_input.take();
        if !input.is_empty() {
            builder.stdin(AsyncStdinStream::new(Reader::new(input)));
        }
        for pair in list(invocation.environment, invocation.environment_count) {
            builder.env(pair.key.text(), pair.value.text());
        }
        for preopen in list(invocation.preopens, invocation.preopen_count) {
            let permissions = if preopen.read_only {
                FsPerms::ReadOnly
            } else {
                FsPerms::ReadWrite
            };
            let host = preopen.host_path.text();
            let opened = builder.preopened_dir(&host, preopen.guest_path.text(), permissions);
            opened.map_err(|error| Failure::BadPreopen(format!("{host}: {error:#}")))?;
        }
    }
    Ok(builder.build_p1())
}

/// # Safety
/// The invocation's pointers are valid.
unsafe fn target_of(invocation: &Invocation) -> Target {
    // SAFETY: promised by the caller.
    let function = unsafe { invocation.function.text() };
    if function.is_empty() {
        Target::Command
    } else {
        Target::Function(function)
    }
}

/// What the guest gets, and its argv or a function's arguments.
///
/// # Safety
/// As for [`wasi_of`]; the outgoing side was not taken before either.
pub unsafe fn guest_of(invocation: &Invocation, is_function: bool) -> Result<(Guest, Vec<String>), Failure> {
    // SAFETY: promised by the caller.
    unsafe {
        let outgoing = invocation.outgoing.take();
        let arguments = list(invocation.arguments, invocation.argument_count);
        let arguments: Vec<String> = arguments.iter().map(|argument| argument.text()).collect();
        let wasi = wasi_of(invocation, if is_function { &[] } else { &arguments })?;
        let guest = Guest {
            wasi,
            memory: invocation.memory,
            host: invocation.host,
            outgoing,
        };
        Ok((guest, arguments))
    }
}

/// # Safety
/// The invocation's pointers are valid.
pub unsafe fn bounds_of(invocation: &Invocation) -> Bounds<'_> {
    let wall_time = Duration::from_millis(invocation.wall_time_milliseconds);
    Bounds {
        fuel: invocation.has_fuel.then_some(invocation.fuel),
        wall_time: invocation.has_wall_time.then_some(wall_time),
        // SAFETY: promised by the caller.
        cancel: unsafe { invocation.cancel.as_ref() },
    }
}

/// # Safety
/// As for [`guest_of`].
unsafe fn run_invocation(
    compiled: &Compiled,
    invocation: &Invocation,
    target: Target,
) -> (Result<Ended, Failure>, Usage) {
    // SAFETY: promised by the caller.
    let (guest, bounds) = unsafe {
        (
            guest_of(invocation, matches!(target, Target::Function(_))),
            bounds_of(invocation),
        )
    };
    match guest {
        Ok((guest, arguments)) => run(Job {
            compiled,
            target,
            arguments,
            guest,
            bounds,
        }),
        Err(failure) => (Err(failure), Usage::default()),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_engine_new(
    metered: bool,
    instances: u32,
    host_functions: *const Pair,
    host_function_count: usize,
    error: *mut Buffer,
) -> *mut Engine {
    // SAFETY: the header's contract, here and below.
    unsafe {
        guard(error, std::ptr::null_mut(), || {
            let functions = list(host_functions, host_function_count).iter();
            let functions = functions.map(|pair| Function {
                interface: pair.key.text(),
                function: pair.value.text(),
            });
            match Engine::new(metered, instances, &functions.collect::<Vec<_>>()) {
                Ok(engine) => Box::into_raw(Box::new(engine)),
                Err(failure) => {
                    put(error, format!("{failure:#}").into_bytes());
                    std::ptr::null_mut()
                }
            }
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_engine_free(engine: *mut Engine) {
    // SAFETY: the header's contract.
    unsafe { release(engine) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_engine_tick(engine: *const Engine) {
    // SAFETY: the header's contract.
    unsafe { (*engine).engine.increment_epoch() };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_engine_compatibility(engine: *const Engine) -> u64 {
    // SAFETY: the header's contract.
    unsafe { guard(std::ptr::null_mut(), 0, || (*engine).compatibility()) }
}

/// # Safety
/// The pointers are valid for writing.
unsafe fn answer_module(result: Result<Compiled, Failure>, out: *mut *mut Compiled, error: *mut Buffer) -> i32 {
    match result {
        Ok(compiled) => {
            // SAFETY: promised by the caller.
            unsafe { out.write(Box::into_raw(Box::new(compiled))) };
            Status::Done as i32
        }
        Err(failure) => {
            let (status, text) = status_of(failure);
            // SAFETY: promised by the caller.
            unsafe { put(error, text.into_bytes()) };
            status as i32
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_compile(
    engine: *const Engine,
    wasm: View,
    out: *mut *mut Compiled,
    error: *mut Buffer,
) -> i32 {
    // SAFETY: the header's contract.
    unsafe {
        guard(error, Status::Internal as i32, || {
            answer_module((*engine).compile(wasm.bytes()), out, error)
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_load(
    engine: *const Engine,
    artefact: View,
    component: bool,
    out: *mut *mut Compiled,
    error: *mut Buffer,
) -> i32 {
    // SAFETY: the header's contract, of which authenticity of the artefact is a part.
    unsafe {
        guard(error, Status::Internal as i32, || {
            answer_module((*engine).load(artefact.bytes(), component), out, error)
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_module_free(module: *mut Compiled) {
    // SAFETY: the header's contract.
    unsafe { release(module) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_module_is_component(module: *const Compiled) -> bool {
    // SAFETY: the header's contract.
    unsafe { (*module).is_component() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_module_serialize(module: *const Compiled, out: *mut Buffer) -> i32 {
    // SAFETY: the header's contract.
    unsafe {
        guard(out, Status::Internal as i32, || match (*module).serialize() {
            Ok(bytes) => {
                put(out, bytes);
                Status::Done as i32
            }
            Err(failure) => {
                put(out, format!("{failure:#}").into_bytes());
                Status::Internal as i32
            }
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_module_exports(module: *const Compiled, out: *mut Buffer) -> i32 {
    // SAFETY: the header's contract.
    unsafe {
        guard(out, Status::Internal as i32, || {
            put(out, exports::list(&*module).into_bytes());
            Status::Done as i32
        })
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn coffer_wasm_cancel_new() -> *mut Cancel {
    Box::into_raw(Box::default())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_cancel_trigger(cancel: *const Cancel) {
    // SAFETY: the header's contract.
    unsafe { guard(std::ptr::null_mut(), (), || (*cancel).trigger()) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_cancel_free(cancel: *mut Cancel) {
    // SAFETY: the header's contract.
    unsafe { release(cancel) };
}

/// # Safety
/// `outcome` is valid, and `response` is null or valid.
unsafe fn answer(
    result: Result<Ended, Failure>,
    usage: Usage,
    response: *mut Response,
    outcome: &mut Outcome,
) -> Status {
    outcome.peak_memory = usage.peak_memory;
    outcome.fuel = usage.fuel;
    let text = &raw mut outcome.text;
    match result {
        Ok(Ended::Exited(code)) => outcome.exit_code = code,
        // SAFETY: promised by the caller, here and below.
        Ok(Ended::Returned(values)) => unsafe { put(text, values.join("\n").into_bytes()) },
        Ok(Ended::Answered(answered)) => {
            if let Some(response) = unsafe { response.as_mut() } {
                response.status = u32::from(answered.status);
                response.headers = Buffer::new(pairs::lines(&answered.headers));
                response.body = Buffer::new(answered.body);
            }
        }
        Err(failure) => {
            let (status, message) = status_of(failure);
            unsafe { put(text, message.into_bytes()) };
            return status;
        }
    }
    Status::Done
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_run(
    module: *const Compiled,
    invocation: *const Invocation,
    outcome: *mut Outcome,
) -> i32 {
    // SAFETY: the header's contract.
    unsafe {
        guard(&raw mut (*outcome).text, Status::Internal as i32, || {
            let target = target_of(&*invocation);
            let (result, usage) = run_invocation(&*module, &*invocation, target);
            answer(result, usage, std::ptr::null_mut(), &mut *outcome) as i32
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_handle(
    module: *const Compiled,
    invocation: *const Invocation,
    request: *const Request,
    response: *mut Response,
    outcome: *mut Outcome,
) -> i32 {
    // SAFETY: the header's contract.
    unsafe {
        guard(&raw mut (*outcome).text, Status::Internal as i32, || {
            let target = Target::Request((*request).read());
            let (result, usage) = run_invocation(&*module, &*invocation, target);
            answer(result, usage, response, &mut *outcome) as i32
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_module_handles_http(module: *const Compiled) -> bool {
    // SAFETY: the header's contract.
    unsafe { guard(std::ptr::null_mut(), false, || (*module).handles_http()) }
}
