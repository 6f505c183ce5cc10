//! What every exported function needs: byte views in, buffers out, and no panic that crosses the border.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// `coffer_view`: borrowed bytes, valid during the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    data: *const u8,
    size: usize,
}

impl View {
    /// # Safety
    /// `data` points to `size` readable bytes, or `size` is zero.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.size == 0 || self.data.is_null() {
            return &[];
        }
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts(self.data, self.size) }
    }

    /// Text that is not UTF-8 is read with replacement characters: names and messages only.
    ///
    /// # Safety
    /// As for [`View::bytes`].
    pub unsafe fn text(self) -> String {
        // SAFETY: promised by the caller.
        String::from_utf8_lossy(unsafe { self.bytes() }).into_owned()
    }
}

impl From<&[u8]> for View {
    fn from(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            size: bytes.len(),
        }
    }
}

/// `coffer_buffer`: bytes owned by the receiver, released by `coffer_buffer_free`.
#[repr(C)]
pub struct Buffer {
    data: *mut u8,
    size: usize,
    capacity: usize,
}

impl Buffer {
    pub const EMPTY: Self = Self {
        data: std::ptr::null_mut(),
        size: 0,
        capacity: 0,
    };

    pub fn new(bytes: Vec<u8>) -> Self {
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        Self {
            data: bytes.as_mut_ptr(),
            size: bytes.len(),
            capacity: bytes.capacity(),
        }
    }

    pub fn into_vec(self) -> Vec<u8> {
        if self.data.is_null() {
            return Vec::new();
        }
        // SAFETY: the three fields come from `Buffer::new` and are given back once.
        unsafe { Vec::from_raw_parts(self.data, self.size, self.capacity) }
    }
}

/// Writes `bytes` where the caller asked for them.
///
/// # Safety
/// `out` is null or valid for writing one `Buffer`, whose old value is not released.
pub unsafe fn put(out: *mut Buffer, bytes: Vec<u8>) {
    if !out.is_null() {
        // SAFETY: promised by the caller.
        unsafe { out.write(Buffer::new(bytes)) };
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

/// Runs `body`; a panic becomes `on_panic` and its text goes to `error`.
///
/// # Safety
/// As for [`put`].
pub unsafe fn guard<T>(error: *mut Buffer, on_panic: T, body: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(panic) => {
            let text = panic_text(panic.as_ref());
            // A payload whose own drop panics would abort the process.
            std::mem::forget(panic);
            // SAFETY: promised by the caller.
            unsafe { put(error, text.into_bytes()) };
            on_panic
        }
    }
}

/// Releases a boxed handle. A panic in its destructors ends here.
///
/// # Safety
/// `handle` is null or came from `Box::into_raw` and is released once.
pub unsafe fn release<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: promised by the caller.
        unsafe { guard(std::ptr::null_mut(), (), || drop(Box::from_raw(handle))) };
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_buffer_free(buffer: Buffer) {
    drop(buffer.into_vec());
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn coffer_buffer_copy(bytes: View) -> Buffer {
    // SAFETY: the header's contract of coffer_view.
    Buffer::new(unsafe { bytes.bytes() }.to_vec())
}
