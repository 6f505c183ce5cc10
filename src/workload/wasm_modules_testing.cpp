#include "workload/wasm_modules_testing.h"

#include <string>

namespace coffer::workload {
namespace {

using namespace std::string_literals;

// Every size here is below 128, so one byte is its LEB128 form.
std::string counted(std::string_view content) {
  return std::string(1, static_cast<char>(content.size())) + std::string{content};
}
std::string section(char id, std::string_view content) {
  return id + counted(content);
}
std::string code(std::string_view body) {
  return section(10, "\x01" + counted("\0"s + std::string{body} + "\x0b"));
}

Bytes module(const std::string& sections) {
  return to_bytes("\0asm\x01\0\0\0"s + sections);
}

// () -> () is type 0.
Bytes command_without_imports(std::string_view body) {
  return module(section(1, "\x01\x60\0\0"s) + section(3, "\x01\0"s) + section(7, "\x01\x06_start\0\0"s) + code(body));
}

// A command with one imported function of type 1 (function 0), a memory, and _start (function 1).
Bytes command(std::string_view import_type, std::string_view import_name, std::string_view body,
              const std::string& data) {
  const auto imports = "\x01" + counted("wasi_snapshot_preview1") + counted(import_name) + "\0\x01"s;
  return module(section(1, "\x02\x60\0\0"s + std::string{import_type}) + section(2, imports) + section(3, "\x01\0"s) +
                section(5, "\x01\0\x01"s) + section(7, "\x02\x06memory\x02\0\x06_start\0\x01"s) + code(body) + data);
}

}  // namespace

Bytes adder() {
  return module(section(1, "\x01\x60\x02\x7f\x7f\x01\x7f"s) + section(3, "\x01\0"s) +
                section(7,
                        "\x01\x03"
                        "add\0\0"s) +
                code("\x20\0\x20\x01\x6a"s));
}

// proc_exit(code): (i32) -> (). i32.const takes signed LEB128: two bytes from 64 on.
Bytes exiter(unsigned exit_code) {
  const std::string number{static_cast<char>((exit_code & 0x7f) | 0x80), static_cast<char>(exit_code >> 7)};
  return command("\x60\x01\x7f\0"s, "proc_exit", "\x41" + number + "\x10\0"s, "");
}

// fd_write(1, iovec at 0, 1, count at 200): (i32, i32, i32, i32) -> i32. The text stands at 8.
Bytes printer(std::string_view text) {
  const auto iovec = "\x08\0\0\0"s + static_cast<char>(text.size()) + "\0\0\0"s;
  const auto data = section(11, "\x01\0\x41\0\x0b"s + counted(iovec + std::string{text}));
  return command("\x60\x04\x7f\x7f\x7f\x7f\x01\x7f"s, "fd_write", "\x41\x01\x41\0\x41\x01\x41\xc8\x01\x10\0\x1a"s,
                 data);
}

Bytes spinner() {
  return command_without_imports("\x03\x40\x0c\0\x0b"s);
}
Bytes trapper() {
  return command_without_imports("\0"s);
}

}  // namespace coffer::workload
