//! The exported functions for kept instances.

use super::engine::Compiled;
use super::interface::{Invocation, Outcome, Status, bounds_of, guest_of, status_of};
use super::kept::Kept;
use super::run::{Bounds, Cancel, Failure, Usage};
use crate::ffi::{Buffer, View, guard, put, release};
use std::time::Duration;

/// `coffer_wasm_call`.
#[repr(C)]
pub struct Call {
    function: View,
    input: View,
    fuel: u64,
    has_fuel: bool,
    wall_time_milliseconds: u64,
    cancel: *const Cancel,
}

impl Call {
    /// # Safety
    /// The pointers are valid.
    unsafe fn bounds(&self) -> Bounds<'_> {
        Bounds {
            fuel: self.has_fuel.then_some(self.fuel),
            wall_time: Some(Duration::from_millis(self.wall_time_milliseconds)),
            // SAFETY: promised by the caller.
            cancel: unsafe { self.cancel.as_ref() },
        }
    }
}

/// # Safety
/// `outcome` is valid.
unsafe fn answer((answered, usage): (Result<Vec<u8>, Failure>, Usage), outcome: *mut Outcome) -> i32 {
    let (status, text) = match answered {
        Ok(bytes) => (Status::Done, bytes),
        Err(failure) => {
            let (status, text) = status_of(failure);
            (status, text.into_bytes())
        }
    };
    // SAFETY: promised by the caller.
    unsafe {
        (*outcome).peak_memory = usage.peak_memory;
        (*outcome).fuel = usage.fuel;
        put(&raw mut (*outcome).text, text);
    }
    status as i32
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_instance_new(
    module: *const Compiled,
    invocation: *const Invocation,
    out: *mut *mut Kept,
    error: *mut Buffer,
) -> i32 {
    // SAFETY: the header's contract, here and below.
    unsafe {
        guard(error, Status::Internal as i32, || {
            let (guest, bounds) = (guest_of(&*invocation, false), bounds_of(&*invocation));
            match guest.and_then(|(guest, _)| Kept::new(&*module, guest, &bounds)) {
                Ok(kept) => {
                    out.write(Box::into_raw(Box::new(kept)));
                    Status::Done as i32
                }
                Err(failure) => {
                    let (status, text) = status_of(failure);
                    put(error, text.into_bytes());
                    status as i32
                }
            }
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_instance_call(
    instance: *mut Kept,
    call: *const Call,
    outcome: *mut Outcome,
) -> i32 {
    // SAFETY: the header's contract, here and below.
    unsafe {
        guard(&raw mut (*outcome).text, Status::Internal as i32, || {
            let call = &*call;
            let function = call.function.text();
            answer((*instance).call(&function, call.input.bytes(), &call.bounds()), outcome)
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_instance_exchange(
    instance: *mut Kept,
    call: *const Call,
    outcome: *mut Outcome,
) -> i32 {
    // SAFETY: the header's contract, here and below.
    unsafe {
        guard(&raw mut (*outcome).text, Status::Internal as i32, || {
            let call = &*call;
            let function = call.function.text();
            answer(
                (*instance).exchange(&function, call.input.bytes(), &call.bounds()),
                outcome,
            )
        })
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_wasm_instance_free(instance: *mut Kept) {
    // SAFETY: the header's contract.
    unsafe { release(instance) };
}
