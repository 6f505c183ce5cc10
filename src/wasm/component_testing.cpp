#include "wasm/component_testing.h"

#include "base/byte_reader.h"

namespace coffer::wasm::testing {
namespace {

constexpr std::uint8_t s32_type = 0x7a;

void put_size(ByteWriter& out, std::size_t size) {
  for (; size >= 0x80; size >>= 7) out.u8(static_cast<std::uint8_t>(size | 0x80));
  out.u8(static_cast<std::uint8_t>(size));
}

void put_name(ByteWriter& out, std::string_view name) {
  put_size(out, name.size());
  out.bytes(as_bytes(name));
}

// A section with a vector of one item, or the bare content of a core module.
void put_section(ByteWriter& out, std::uint8_t id, const ByteWriter& content) {
  out.u8(id);
  put_size(out, content.view().size());
  out.bytes(content.view());
}

// Preamble, core module 0, its instance 0, and core function 0 = instance 0's export `function`.
ByteWriter start(ByteView core_module, std::string_view function) {
  ByteWriter out;
  out.bytes(as_bytes(std::string_view{"\0asm\x0d\0\x01\0", 8}));
  ByteWriter module;
  module.bytes(core_module);
  put_section(out, 1, module);
  ByteWriter instance;
  instance.u8(1).u8(0x00).u8(0).u8(0);
  put_section(out, 2, instance);
  ByteWriter alias;
  alias.u8(1).u8(0x00).u8(0x00).u8(0x01).u8(0);
  put_name(alias, function);
  put_section(out, 6, alias);
  return out;
}

// Function 0: core function 0 lifted to function type `type`.
void lift(ByteWriter& out, std::uint8_t type) {
  ByteWriter canon;
  canon.u8(1).u8(0x00).u8(0x00).u8(0).u8(0).u8(type);
  put_section(out, 8, canon);
}

// sort: 0x01 a function, 0x05 an instance.
void put_export(ByteWriter& out, std::string_view name, std::uint8_t sort) {
  ByteWriter item;
  item.u8(1).u8(0x00);
  put_name(item, name);
  item.u8(sort).u8(0).u8(0x00);
  put_section(out, 11, item);
}

void export_in_interface(ByteWriter& out, std::string_view interface, std::string_view function) {
  ByteWriter instance;
  instance.u8(1).u8(0x01).u8(1).u8(0x00);
  put_name(instance, function);
  instance.u8(0x01).u8(0);
  put_section(out, 5, instance);
  put_export(out, interface, 0x05);
}

}  // namespace

Bytes component_with_add(ByteView core_module) {
  auto out = start(core_module, "add");
  ByteWriter types;
  types.u8(1).u8(0x40).u8(2);
  put_name(types, "a");
  types.u8(s32_type);
  put_name(types, "b");
  types.u8(s32_type).u8(0x00).u8(s32_type);
  put_section(out, 7, types);
  lift(out, 0);
  put_export(out, "add", 0x01);
  return out.take();
}

Bytes component_with_interface(ByteView core_module) {
  auto out = start(core_module, "add");
  ByteWriter types;
  types.u8(2).u8(0x6f).u8(2).u8(s32_type).u8(s32_type);  // type 0: tuple<s32, s32>
  types.u8(0x40).u8(1);
  put_name(types, "pair");
  types.u8(0).u8(0x00).u8(s32_type);
  put_section(out, 7, types);
  lift(out, 1);
  export_in_interface(out, "docs:adder/add@0.1.0", "sum");
  return out.take();
}

Bytes component_with_run(ByteView core_module, std::string_view core_function) {
  auto out = start(core_module, core_function);
  ByteWriter types;
  types.u8(2).u8(0x6a).u8(0x00).u8(0x00);  // type 0: result
  types.u8(0x40).u8(0).u8(0x00).u8(0);
  put_section(out, 7, types);
  lift(out, 1);
  export_in_interface(out, "wasi:cli/run@0.2.0", "run");
  return out.take();
}

}  // namespace coffer::wasm::testing
