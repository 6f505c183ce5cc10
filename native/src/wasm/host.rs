//! Interfaces that the embedding program answers. Nothing is known here of what they mean: arguments go out as CBOR by
//! the types that the component declares, and the answer comes back the same way.

use super::limits::State;
use super::typed;
use crate::ffi::{Buffer, View};
use std::ffi::c_void;
use wasmtime::StoreContextMut;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{Linker, Val};

/// `coffer_wasm_host`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Host {
    call: Option<extern "C" fn(*mut c_void, View, View, View, *mut Buffer) -> bool>,
    context: *mut c_void,
}

// SAFETY: called on the thread that runs the guest only; the header says that a kept instance may change threads.
unsafe impl Send for Host {}

impl Host {
    /// CBOR in, CBOR out; an error is the message that the guest traps with.
    fn call(self, interface: &str, function: &str, arguments: &[u8]) -> Result<Vec<u8>, String> {
        let Some(call) = self.call else {
            return Err("nothing here answers it".to_owned());
        };
        let view = |text: &str| View::from(text.as_bytes());
        let mut out = Buffer::EMPTY;
        let answered = call(
            self.context,
            view(interface),
            view(function),
            View::from(arguments),
            &raw mut out,
        );
        let out = out.into_vec();
        if answered {
            return Ok(out);
        }
        Err(String::from_utf8_lossy(&out).into_owned())
    }
}

/// One function of an interface; an empty function stands for the interface alone, which may have types only.
pub struct Function {
    pub interface: String,
    pub function: String,
}

pub fn link(linker: &mut Linker<State>, functions: &[Function]) -> wasmtime::Result<()> {
    for Function { interface, function } in functions {
        let mut instance = linker.instance(interface)?;
        if function.is_empty() {
            continue;
        }
        let (interface, name) = (interface.clone(), function.clone());
        instance.func_new(function, move |store, ty, arguments, results| {
            let answered = answer(&store, &interface, &name, &ty, arguments, results);
            answered.map_err(|error| wasmtime::Error::msg(format!("{interface}#{name}: {error}")))
        })?;
    }
    Ok(())
}

fn answer(
    store: &StoreContextMut<'_, State>,
    interface: &str,
    name: &str,
    ty: &ComponentFunc,
    arguments: &[Val],
    results: &mut [Val],
) -> Result<(), String> {
    let types: Vec<_> = ty.params().map(|(_, ty)| ty).collect();
    let arguments = typed::encode_all(arguments, types.into_iter())?;
    let answered = store.data().host.call(interface, name, &arguments)?;
    typed::decode_result(&answered, ty.results(), results)
        .map_err(|error| format!("the answer does not fit its type: {error}"))
}
