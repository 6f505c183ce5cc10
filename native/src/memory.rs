//! A bound on what one thread may hold. regorus allocates what a policy asks for, and Rust aborts the process where an
//! allocation fails; so a thread that evaluates a policy gets a budget, and one that would go over it stops for ever:
//! the caller is told through a hook and goes on without that thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::c_void;

type Hook = extern "C" fn(*mut c_void);

#[derive(Clone, Copy)]
struct Budget {
    limit: i64,
    hook: Hook,
    context: *mut c_void,
}

thread_local! {
    static BUDGET: Cell<Option<Budget>> = const { Cell::new(None) };
    // Signed: a thread may release what another one allocated.
    static HELD: Cell<i64> = const { Cell::new(0) };
}

/// The system's allocator, which counts on threads that have a budget.
pub struct BoundedAllocator;

impl BoundedAllocator {
    /// Called before the allocation, so that a huge one never reaches the system.
    fn charge(size: usize) {
        // try_with: destructors of a thread may allocate after its locals are gone.
        let Ok(Some(budget)) = BUDGET.try_with(Cell::get) else {
            return;
        };
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let held = HELD.with(Cell::get).saturating_add(size);
        if held > budget.limit {
            stop(budget);
        }
        HELD.with(|cell| cell.set(held));
    }

    fn discharge(size: usize) {
        if let Ok(Some(_)) = BUDGET.try_with(Cell::get) {
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            HELD.with(|cell| cell.set(cell.get().saturating_sub(size)));
        }
    }
}

/// Unwinding out of an allocator is undefined behaviour and returning null ends in an abort: waiting is what is left.
fn stop(budget: Budget) -> ! {
    BUDGET.with(|cell| cell.set(None));
    (budget.hook)(budget.context);
    loop {
        std::thread::park();
    }
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for BoundedAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::charge(layout.size());
        // SAFETY: the caller's contract is System's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::charge(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::charge(size);
        Self::discharge(layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        Self::discharge(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn coffer_thread_limit_memory(limit: u64, hook: Option<Hook>, context: *mut c_void) {
    HELD.with(|cell| cell.set(0));
    let budget = hook.filter(|_| limit > 0).map(|hook| Budget {
        limit: i64::try_from(limit).unwrap_or(i64::MAX),
        hook,
        context,
    });
    BUDGET.with(|cell| cell.set(budget));
}
