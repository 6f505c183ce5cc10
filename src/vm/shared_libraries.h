// The shared libraries that a program needs, as the dynamic loader of this machine finds them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "vm/error.h"

namespace coffer::vm {

struct SharedLibrary {
  std::string name;            // as a program asks for it: "libssl.so.3"
  std::filesystem::path path;  // where it is here, symbolic links followed
};

struct Dependencies {
  std::string loader;  // the program's interpreter, "/lib64/ld-linux-x86-64.so.2"; empty: a static program
  std::vector<SharedLibrary> libraries;
};

// PT_INTERP of an ELF program (System V ABI, chapter 5); empty for a static one. bad_program.
Result<std::string> elf_interpreter(ByteView program);

// bad_program where the loader misses one, or the file is no program of this machine.
Result<Dependencies> shared_libraries(const std::filesystem::path& program);

// What a shared library needs itself.
Result<std::vector<SharedLibrary>> library_dependencies(const std::filesystem::path& library);

// The lines of the loader's `--list`: "libssl.so.3 => /lib/x86_64-linux-gnu/libssl.so.3 (0x...)".
Result<std::vector<SharedLibrary>> parse_loader_list(std::string_view text);

}  // namespace coffer::vm
