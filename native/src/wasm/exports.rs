//! Names and signatures of the functions that a module exports.

use super::engine::{Code, Compiled};
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::wasm_wave::wasm::DisplayFunc;
use wasmtime::{ExternType, FuncType};

fn core_signature(ty: &FuncType) -> String {
    let list = |types: Vec<String>| types.join(", ");
    let parameters = list(ty.params().map(|ty| ty.to_string()).collect());
    let results = list(ty.results().map(|ty| ty.to_string()).collect());
    format!("({parameters}) -> ({results})")
}

fn component_signature(ty: &ComponentFunc) -> String {
    DisplayFunc(ty.clone()).to_string()
}

/// One `name<TAB>signature` a line. Functions of an exported interface are named `interface#function`.
pub fn list(compiled: &Compiled) -> String {
    let lines: Vec<(String, String)> = match &compiled.code {
        Code::Core(module, _) => module
            .exports()
            .filter_map(|export| match export.ty() {
                ExternType::Func(ty) => Some((export.name().to_owned(), core_signature(&ty))),
                _ => None,
            })
            .collect(),
        Code::Component(linked) => {
            let ty = linked.component.component_type();
            let exports = ty.exports(&compiled.engine);
            exports
                .flat_map(|(name, export)| functions(&compiled.engine, name, export.ty))
                .collect()
        }
    };
    lines
        .iter()
        .map(|(name, signature)| format!("{name}\t{signature}\n"))
        .collect()
}

fn functions(engine: &wasmtime::Engine, name: &str, item: ComponentItem) -> Vec<(String, String)> {
    match item {
        ComponentItem::ComponentFunc(ty) => vec![(name.to_owned(), component_signature(&ty))],
        ComponentItem::ComponentInstance(instance) => instance
            .exports(engine)
            .filter_map(|(inner, export)| match export.ty {
                ComponentItem::ComponentFunc(ty) => Some((format!("{name}#{inner}"), component_signature(&ty))),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
