#include "wasm/detail/artefact_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "crypto/mac.h"
#include "crypto/random.h"

namespace coffer::wasm::detail {
namespace {

constexpr std::string_view magic = "coffer-wasm-1\n";
constexpr std::size_t mac_size = 32;
// Machine code of the largest module that anyone runs is far below.
constexpr std::size_t max_file_size = std::size_t{1} << 30;

std::unexpected<Error> io_error(const std::filesystem::path& path, std::string_view what) {
  return fail(WasmError::cache_io, std::string{what} + " " + path.string() + ": " + std::strerror(errno));
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Result<std::optional<Bytes>> read_file(const std::filesystem::path& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0 && errno == ENOENT) return std::nullopt;
  struct stat status{};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return io_error(path, "cannot open");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (!S_ISREG(status.st_mode) || size > max_file_size) {
    return fail(WasmError::cache_rejected, path.string() + " is no regular file of at most 1 GiB");
  }
  Bytes content(size);
  for (std::size_t at = 0; at < size;) {
    const auto count = ::read(file.get(), content.data() + at, size - at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return io_error(path, "cannot read");
    at += static_cast<std::size_t>(count);
  }
  return content;
}

Result<> write_file(const std::filesystem::path& path, ByteView content) {
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return io_error(path, "cannot create");
  while (!content.empty()) {
    const auto count = ::write(file.get(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error(path, "cannot write");
    content = content.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

std::string ArtefactKey::file_name() const {
  ByteWriter engine;
  engine.u64_be(engine_compatibility);
  return codec::hex_encode(wasm_digest) + "-" + codec::hex_encode(engine.view()) + (metered ? "-metered" : "");
}

Result<ArtefactCache> ArtefactCache::open(DiskCache options) {
  if (options.key.size() < 32) {
    return fail(WasmError::bad_arguments,
                "the cache's key must have at least 32 bytes, has " + std::to_string(options.key.size()));
  }
  std::error_code error;
  std::filesystem::create_directories(options.directory.parent_path(), error);
  if (::mkdir(options.directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return io_error(options.directory, "cannot make the directory");
  }
  return ArtefactCache{std::move(options)};
}

Bytes ArtefactCache::authenticate(const ArtefactKey& key, char kind, ByteView code) const {
  ByteWriter head;
  head.bytes(as_bytes(magic)).u64_be(key.wasm_digest.size()).bytes(key.wasm_digest);
  head.u64_be(key.engine_compatibility).u8(key.metered ? 1 : 0).u8(static_cast<std::uint8_t>(kind));
  crypto::Hmac mac(crypto::HashAlgorithm::sha256, options_.key.expose());
  mac.update(head.view());
  mac.update(code);
  return mac.finish();
}

Result<std::optional<Artefact>> ArtefactCache::load(const ArtefactKey& key) const {
  const auto path = options_.directory / key.file_name();
  const auto content = TRY(read_file(path));
  if (!content) return std::nullopt;
  if (content->size() <= magic.size() + mac_size || !as_text(*content).starts_with(magic)) {
    return fail(WasmError::cache_rejected, path.string() + " is no compiled module");
  }
  const auto body = ByteView{*content}.subspan(magic.size());
  const char kind = static_cast<char>(body[mac_size]);
  const auto code = body.subspan(mac_size + 1);
  if (!constant_time_equal(authenticate(key, kind, code), body.first(mac_size))) {
    return fail(WasmError::cache_rejected, path.string() + " is not authentic: its HMAC does not hold");
  }
  return Artefact{.component = kind == 'c', .code = to_bytes(code)};
}

Result<> ArtefactCache::store(const ArtefactKey& key, const Artefact& artefact) const {
  const char kind = artefact.component ? 'c' : 'm';
  const auto mac = authenticate(key, kind, artefact.code);
  const auto content = concat({as_bytes(magic), mac, as_bytes(std::string_view{&kind, 1}), artefact.code});
  const auto path = options_.directory / key.file_name();
  auto temporary = path;
  temporary += "." + codec::hex_encode(crypto::system_random().bytes(8));
  auto written = write_file(temporary, content);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) written = io_error(path, "cannot replace");
  if (!written) ::unlink(temporary.c_str());
  return written;
}

}  // namespace coffer::wasm::detail
