#include "vm/image.h"

#include "codec/base64.h"
#include "crypto/hash.h"
#include "vm/files.h"

namespace coffer::vm {

namespace json = codec::json;

namespace {

std::string digest_of(ByteView content) {
  return codec::hex_encode(crypto::sha256(content));
}

Result<> check_digest(const std::filesystem::path& file, std::string_view expected) {
  const auto actual = digest_of(TRY(read_file(file)));
  if (actual == expected) return {};
  return fail(VmError::bad_image, file.string() + ": expected SHA-256 " + std::string{expected} + ", found " + actual +
                                      "; build the image anew");
}

Result<Image> parse_image(const std::filesystem::path& directory, const json::Object& description) {
  const std::string what = "vm.json";
  const auto* version = description.find("version");
  if (version == nullptr || version->if_int64() != 1) return fail(VmError::bad_image, "vm.json: expected version 1");
  const auto* memory = description.find("memory_mib");
  const auto mib = memory != nullptr ? memory->if_uint64() : std::nullopt;
  if (!mib || *mib < 64 || *mib > (1U << 20))
    return fail(VmError::bad_image, "vm.json: memory_mib is from 64 to 1048576");
  Image out{.kernel = directory / "vmlinuz", .initrd = directory / "initrd"};
  out.memory_mib = static_cast<unsigned>(*mib);
  out.command_line = TRY(json::string_member(description, "command_line", what));
  out.kernel_release = TRY(json::string_member(description, "kernel_release", what));
  TRY(check_digest(out.kernel, TRY(json::string_member(description, "kernel_sha256", what))));
  TRY(check_digest(out.initrd, TRY(json::string_member(description, "initrd_sha256", what))));
  return out;
}

}  // namespace

Result<Image> save_image(const std::filesystem::path& directory, Image out, ByteView kernel, ByteView initrd) {
  TRY(make_directories(directory));
  out.kernel = directory / "vmlinuz";
  out.initrd = directory / "initrd";
  TRY(write_file(out.kernel, kernel));
  TRY(write_file(out.initrd, initrd));
  const json::Object description{{"version", 1},
                                 {"command_line", out.command_line},
                                 {"memory_mib", out.memory_mib},
                                 {"kernel_release", out.kernel_release},
                                 {"kernel_sha256", digest_of(kernel)},
                                 {"initrd_sha256", digest_of(initrd)}};
  TRY(write_file(directory / "vm.json", as_bytes(json::serialize_pretty(description) + "\n")));
  return out;
}

Result<Image> load_image(const std::filesystem::path& directory) {
  const auto text = read_file(directory / "vm.json");
  if (!text) {
    return fail(VmError::bad_image, directory.string() +
                                        " is no machine image, it has no vm.json; `coffer vm build` "
                                        "makes one");
  }
  const auto description = json::parse(as_text(*text));
  if (!description) return fail(VmError::bad_image, "vm.json: " + description.error().message);
  return parse_image(directory, *TRY(description->as_object("vm.json")));
}

}  // namespace coffer::vm
