// The cache of compiled modules: what it may load, and what it must not.
#include <sys/stat.h>

#include "codec/base64.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "wasm/component_testing.h"
#include "wasm/detail/artefact_cache.h"
#include "wasm/guest_testing.h"

namespace coffer::wasm {
namespace {

using testing::expect_code;
using testing::guest;

constexpr std::size_t few_instances = 2;

SecretBytes test_key(std::uint8_t seed) {
  SecretBytes key(32);
  for (auto& byte : key.mutable_expose()) byte = std::byte{seed};
  return key;
}

Runtime runtime_with(const std::filesystem::path& directory, std::uint8_t seed = 1) {
  auto runtime = Runtime::create({.disk_cache = DiskCache{directory, test_key(seed)}, .max_instances = few_instances});
  if (!runtime) throw std::runtime_error(to_string(runtime.error()));
  return std::move(*runtime);
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& directory) {
  return {std::filesystem::directory_iterator(directory), {}};
}

Origin origin_of(Runtime& runtime, ByteView wasm, CompileOptions options = {}) {
  const auto module = runtime.compile(wasm, options);
  if (!module) throw std::runtime_error(to_string(module.error()));
  return module->origin();
}

void change_byte(const std::filesystem::path& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const char old = static_cast<char>(file.get());
  file.seekp(at);
  file.put(static_cast<char>(old ^ 1));
}

std::string call_add(Runtime& runtime, ByteView wasm) {
  const auto module = runtime.compile(wasm);
  if (!module) return to_string(module.error());
  const auto result = runtime.call(*module, "add", {.arguments = {"5", "10"}});
  return result ? result->values.front() : to_string(result.error());
}

TEST(CompiledCache, serves_memory_first_then_disk) {
  const testing::TemporaryDirectory directory;
  const auto wasm = guest("functions");
  {
    auto runtime = runtime_with(directory.path() / "cache");
    EXPECT_EQ(origin_of(runtime, wasm), Origin::compiled);
    EXPECT_EQ(origin_of(runtime, wasm), Origin::memory_cache);
  }
  auto runtime = runtime_with(directory.path() / "cache");
  EXPECT_EQ(origin_of(runtime, wasm), Origin::disk_cache);
  EXPECT_EQ(call_add(runtime, wasm), "15");
}

TEST(CompiledCache, names_a_module_by_its_digest_wherever_it_comes_from) {
  const testing::TemporaryDirectory directory;
  const auto wasm = guest("functions");
  const auto expected = "sha256:" + codec::hex_encode(crypto::sha256(wasm));
  auto runtime = runtime_with(directory.path() / "cache");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(runtime.compile(wasm)->digest(), expected);
  EXPECT_EQ(runtime.compile(wasm, {.metered = true})->digest(), expected);
  EXPECT_EQ(runtime_with(directory.path() / "cache").compile(wasm)->digest(), expected);
}

TEST(CompiledCache, serves_components_from_disk) {
  const testing::TemporaryDirectory directory;
  const auto wasm = testing::component_with_add(guest("component_core"));
  {
    auto runtime = runtime_with(directory.path());
    EXPECT_EQ(origin_of(runtime, wasm), Origin::compiled);
  }
  auto runtime = runtime_with(directory.path());
  EXPECT_EQ(origin_of(runtime, wasm), Origin::disk_cache);
  EXPECT_EQ(call_add(runtime, wasm), "15");
}

TEST(CompiledCache, is_private_to_its_owner) {
  const testing::TemporaryDirectory directory;
  const auto path = directory.path() / "made" / "cache";
  auto runtime = runtime_with(path);
  (void)origin_of(runtime, guest("functions"));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  const auto files = files_in(path);
  ASSERT_EQ(files.size(), 1U);
  ASSERT_EQ(::stat(files[0].c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(CompiledCache, keeps_modules_that_were_encrypted_off_the_disk) {
  const testing::TemporaryDirectory directory;
  const CompileOptions encrypted{.may_use_disk = false};
  auto runtime = runtime_with(directory.path());
  EXPECT_EQ(origin_of(runtime, guest("functions"), encrypted), Origin::compiled);
  EXPECT_TRUE(files_in(directory.path()).empty());
  EXPECT_EQ(origin_of(runtime, guest("functions"), encrypted), Origin::memory_cache);
}

TEST(CompiledCache, refuses_a_file_that_was_changed_anywhere_and_compiles_anew) {
  const testing::TemporaryDirectory directory;
  const auto wasm = guest("functions");
  {
    auto runtime = runtime_with(directory.path());
    (void)origin_of(runtime, wasm);
  }
  const auto path = files_in(directory.path()).at(0);
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  for (const std::streamoff at : {std::streamoff{0}, std::streamoff{14}, std::streamoff{46}, size / 2, size - 1}) {
    change_byte(path, at);
    auto runtime = runtime_with(directory.path());
    EXPECT_EQ(origin_of(runtime, wasm), Origin::compiled) << at;
    EXPECT_EQ(call_add(runtime, wasm), "15");
    auto again = runtime_with(directory.path());
    EXPECT_EQ(origin_of(again, wasm), Origin::disk_cache) << "the good artefact replaces the bad one";
  }
}

TEST(CompiledCache, refuses_files_of_another_home) {
  const testing::TemporaryDirectory directory;
  const auto wasm = guest("functions");
  {
    auto runtime = runtime_with(directory.path(), 1);
    (void)origin_of(runtime, wasm);
  }
  auto runtime = runtime_with(directory.path(), 2);
  EXPECT_EQ(origin_of(runtime, wasm), Origin::compiled);
}

TEST(CompiledCache, keeps_metered_code_apart) {
  const testing::TemporaryDirectory directory;
  auto runtime = runtime_with(directory.path());
  (void)origin_of(runtime, guest("functions"));
  EXPECT_EQ(origin_of(runtime, guest("functions"), {.metered = true}), Origin::compiled);
  EXPECT_EQ(files_in(directory.path()).size(), 2U);
}

TEST(CompiledCache, needs_a_key_of_32_bytes) {
  const testing::TemporaryDirectory directory;
  expect_code(Runtime::create({.disk_cache = DiskCache{directory.path(), SecretBytes(31)}}), WasmError::bad_arguments);
}

TEST(CompiledCache, needs_a_directory_that_can_be_made) {
  expect_code(Runtime::create({.disk_cache = DiskCache{"/proc/nowhere/cache", test_key(1)}}), WasmError::cache_io);
}

class ArtefactFile : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory_;
  detail::ArtefactKey key_{crypto::sha256(as_bytes("module")), 7, false};

  detail::ArtefactCache cache() {
    auto opened = detail::ArtefactCache::open({directory_.path(), test_key(1)});
    if (!opened) throw std::runtime_error(to_string(opened.error()));
    return std::move(*opened);
  }
};

TEST_F(ArtefactFile, comes_back_as_it_was_stored) {
  ASSERT_TRUE(cache().store(key_, {.component = true, .code = to_bytes("machine code")}));
  const auto loaded = cache().load(key_);
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  ASSERT_TRUE(loaded->has_value());
  EXPECT_TRUE((*loaded)->component);
  EXPECT_EQ(to_text((*loaded)->code), "machine code");
}

TEST_F(ArtefactFile, that_is_absent_is_no_error) {
  const auto loaded = cache().load(key_);
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  EXPECT_FALSE(loaded->has_value());
}

TEST_F(ArtefactFile, is_rejected_under_another_name) {
  ASSERT_TRUE(cache().store(key_, {.component = false, .code = to_bytes("machine code")}));
  auto other = key_;
  other.engine_compatibility = 8;
  std::filesystem::rename(directory_.path() / key_.file_name(), directory_.path() / other.file_name());
  expect_code(cache().load(other), WasmError::cache_rejected);
  auto metered = key_;
  metered.metered = true;
  std::filesystem::rename(directory_.path() / other.file_name(), directory_.path() / metered.file_name());
  expect_code(cache().load(metered), WasmError::cache_rejected);
  auto module = key_;
  module.wasm_digest = crypto::sha256(as_bytes("other"));
  std::filesystem::rename(directory_.path() / metered.file_name(), directory_.path() / module.file_name());
  expect_code(cache().load(module), WasmError::cache_rejected);
}

TEST_F(ArtefactFile, is_rejected_with_each_single_byte_changed) {
  ASSERT_TRUE(cache().store(key_, {.component = false, .code = to_bytes("code")}));
  const auto path = directory_.path() / key_.file_name();
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  for (std::streamoff at = 0; at < size; ++at) {
    change_byte(path, at);
    expect_code(cache().load(key_), WasmError::cache_rejected);
    change_byte(path, at);
  }
  EXPECT_TRUE(cache().load(key_));
}

TEST_F(ArtefactFile, is_rejected_when_it_is_cut_short) {
  ASSERT_TRUE(cache().store(key_, {.component = false, .code = to_bytes("code")}));
  const auto path = directory_.path() / key_.file_name();
  for (auto size = std::filesystem::file_size(path); size-- > 0;) {
    std::filesystem::resize_file(path, size);
    expect_code(cache().load(key_), WasmError::cache_rejected);
  }
}

TEST_F(ArtefactFile, is_not_followed_through_a_link) {
  ASSERT_TRUE(cache().store(key_, {.component = false, .code = to_bytes("code")}));
  const auto path = directory_.path() / key_.file_name();
  std::filesystem::rename(path, directory_.path() / "elsewhere");
  std::filesystem::create_symlink(directory_.path() / "elsewhere", path);
  expect_code(cache().load(key_), WasmError::cache_io);
}

}  // namespace
}  // namespace coffer::wasm
