#include "vm/shared_libraries.h"

#include <elf.h>

#include <cstring>

#include "vm/child.h"
#include "vm/files.h"

namespace coffer::vm {

namespace {

std::unexpected<Error> bad(std::string text) {
  return fail(VmError::bad_program, std::move(text));
}

template <class T>
Result<T> structure_at(ByteView bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return bad("the ELF headers are cut");
  T out;
  std::memcpy(&out, bytes.data() + offset, sizeof(T));
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(" \t") - start + 1);
}

constexpr std::string_view default_loader = "/lib64/ld-linux-x86-64.so.2";

// The loader resolves without running anything of the program.
Result<std::vector<SharedLibrary>> resolve(const std::string& loader, const std::filesystem::path& file) {
  auto out = TRY(parse_loader_list(TRY(run_tool({loader, "--list", file.string()}, "libc6"))));
  std::error_code failure;
  for (auto& library : out) {
    library.path = std::filesystem::canonical(library.path, failure);
    if (failure) return bad(library.name + ": " + failure.message());
  }
  return out;
}

}  // namespace

Result<std::string> elf_interpreter(ByteView program) {
  const auto header = TRY(structure_at<Elf64_Ehdr>(program, 0));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_machine != EM_X86_64) {
    return bad("an ELF program for x86-64 is expected");
  }
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = TRY(structure_at<Elf64_Phdr>(program, header.e_phoff + i * sizeof(Elf64_Phdr)));
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_offset > program.size() || program.size() - segment.p_offset < segment.p_filesz) {
      return bad("the interpreter's name lies behind the end");
    }
    const auto name = as_text(program.subspan(segment.p_offset, segment.p_filesz));
    return std::string{name.substr(0, name.find('\0'))};
  }
  return std::string{};
}

Result<std::vector<SharedLibrary>> parse_loader_list(std::string_view text) {
  std::vector<SharedLibrary> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto arrow = line.find(" => ");
    // Without an arrow: the kernel's own (linux-vdso.so.1) and the loader.
    if (arrow == std::string_view::npos) continue;
    const auto name = line.substr(0, arrow);
    const auto place = line.substr(arrow + 4);
    if (!place.starts_with('/')) return bad("the library " + std::string{name} + " is not found on this machine");
    out.push_back({std::string{name}, std::string{place.substr(0, place.find(" ("))}});
  }
  return out;
}

Result<Dependencies> shared_libraries(const std::filesystem::path& program) {
  Dependencies out;
  // The loader would take /proc/self/exe for itself.
  std::error_code failure;
  const auto place = std::filesystem::canonical(program, failure);
  if (failure) return bad(program.string() + ": " + failure.message());
  auto interpreter = elf_interpreter(TRY(read_file(place)));
  if (!interpreter) return bad(program.string() + ": " + interpreter.error().message);
  out.loader = *std::move(interpreter);
  if (out.loader.empty()) return out;
  out.libraries = TRY(resolve(out.loader, place));
  return out;
}

Result<std::vector<SharedLibrary>> library_dependencies(const std::filesystem::path& library) {
  return resolve(std::string{default_loader}, library);
}

}  // namespace coffer::vm
