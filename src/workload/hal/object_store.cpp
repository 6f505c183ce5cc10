#include "workload/hal/object_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "codec/base64.h"
#include "crypto/aead.h"
#include "image/unpack/beneath.h"
#include "workload/hal/arguments.h"

namespace coffer::workload::hal {
namespace {

constexpr std::size_t seal_overhead = crypto::gcm_iv_size + crypto::gcm_tag_size;
constexpr std::string_view unfinished_prefix = ".unfinished-";  // no key begins like this

std::unexpected<Error> system_failure(std::string_view what, const std::string& name) {
  if (errno == ENOENT) return fail(HalError::not_found, "there is no \"" + name + "\"");
  return fail(HalError::io, "could not " + std::string{what} + " \"" + name + "\": " + std::strerror(errno));
}

// In this folder's own terms.
template <class T>
Result<T> as_io(Result<T> result) {
  if (!result) return fail(HalError::io, result.error().message);
  return result;
}

std::optional<struct stat> status_of(int folder, const std::string& name) {
  struct stat status{};
  const bool found = ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  return found ? std::optional{status} : std::nullopt;
}

bool is_object(const std::optional<struct stat>& status) {
  return status && S_ISREG(status->st_mode);
}

// What lies in a folder by names that can be used; others are not the guests' business.
Result<std::vector<std::string>> names_in(int folder) {
  auto names = TRY(as_io(image::unpack::list_names(folder)));
  std::erase_if(names, [](const std::string& name) { return !check_name(name); });
  std::ranges::sort(names);
  return names;
}

Result<> write_all(int file, ByteView data, const std::string& name) {
  while (!data.empty()) {
    const auto count = ::write(file, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("write", name);
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<Bytes> read_all(int file, std::size_t size, const std::string& name) {
  Bytes out(size);
  std::size_t filled = 0;
  while (filled < size) {
    const auto count = ::read(file, out.data() + filled, size - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("read", name);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  out.resize(filled);
  return out;
}

// What a worker left that was killed while it wrote.
Result<> remove_unfinished(int folder) {
  for (const auto& name : TRY(as_io(image::unpack::list_names(folder)))) {
    if (name.starts_with(unfinished_prefix)) ::unlinkat(folder, name.c_str(), 0);
  }
  return {};
}

void count_down(std::size_t& count) {
  if (count > 0) --count;
}

// Binds a sealed object to its place.
Bytes place_of(const std::string& container, const std::string& key) {
  return to_bytes("hal object " + container + "/" + key);
}

}  // namespace

Result<> check_name(std::string_view name) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/'; };
  if (name.empty() || name.size() > ObjectStore::max_name || name.front() == '.' ||
      std::ranges::any_of(name, control)) {
    return fail(HalError::bad_value,
                "names of containers and objects have 1 to 200 bytes, no '/', no control character and no dot first");
  }
  return {};
}

// The name is this store's own: several tasks may write to one folder.
ObjectStore::ObjectStore(StorageFolder folder, Options options)
    : folder_(std::move(folder)),
      options_(std::move(options)),
      unfinished_(std::string{unfinished_prefix} + codec::hex_encode(options_.random->bytes(8))) {}

Result<std::unique_ptr<ObjectStore>> ObjectStore::open(StorageFolder folder, Options options) {
  std::unique_ptr<ObjectStore> store(new ObjectStore(std::move(folder), std::move(options)));
  TRY(store->count_what_is_there());
  return store;
}

Result<> ObjectStore::count_what_is_there() {
  for (const auto& container : TRY(names_in(folder_.descriptor()))) {
    const auto opened = open_container(container);
    if (!opened) continue;
    ++containers_;
    for (const auto& key : TRY(names_in(opened->get()))) {
      const auto status = status_of(opened->get(), key);
      if (!is_object(status)) continue;
      ++objects_;
      used_ += static_cast<std::uint64_t>(status->st_size);
    }
  }
  return {};
}

Result<FileDescriptor> ObjectStore::open_container(const std::string& container) const {
  TRY(check_name(container));
  auto opened = coffer::open_beneath(folder_.descriptor(), container.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened) return system_failure("open the container", container);
  return opened;
}

Result<> ObjectStore::make_container(const std::string& container) {
  TRY(check_name(container));
  const std::lock_guard lock(mutex_);
  if (open_container(container)) return {};
  if (containers_ >= max_containers) {
    return fail(HalError::limit, "a task has at most " + std::to_string(max_containers) + " containers");
  }
  if (::mkdirat(folder_.descriptor(), container.c_str(), 0700) != 0) {
    return system_failure("make the container", container);
  }
  ++containers_;
  return {};
}

Result<> ObjectStore::remove_container(const std::string& container) {
  const std::lock_guard lock(mutex_);
  const auto opened = TRY(open_container(container));
  for (const auto& key : TRY(names_in(opened.get()))) {
    const auto status = status_of(opened.get(), key);
    if (!is_object(status)) continue;
    if (::unlinkat(opened.get(), key.c_str(), 0) != 0) return system_failure("remove", key);
    count_down(objects_);
    used_ -= std::min(used_, static_cast<std::uint64_t>(status->st_size));
  }
  TRY(remove_unfinished(opened.get()));
  if (::unlinkat(folder_.descriptor(), container.c_str(), AT_REMOVEDIR) != 0) {
    return system_failure("remove the container", container);
  }
  count_down(containers_);
  return {};
}

Result<Bytes> ObjectStore::sealed(const std::string& container, const std::string& key, ByteView data) const {
  if (!options_.seal_with) return to_bytes(data);
  const auto iv = options_.random->bytes(crypto::gcm_iv_size);
  const auto joined =
      TRY(crypto::aes_gcm_seal_joined(options_.seal_with->expose(), iv, place_of(container, key), data));
  return concat({iv, joined});
}

Result<Bytes> ObjectStore::opened(const std::string& container, const std::string& key, Bytes content) const {
  if (!options_.seal_with) return content;
  const ByteView view{content};
  const auto iv = view.first(std::min(view.size(), crypto::gcm_iv_size));
  const auto plain =
      crypto::aes_gcm_open_joined(options_.seal_with->expose(), iv, place_of(container, key), view.subspan(iv.size()));
  if (!plain) return fail(HalError::bad_value, "the object was not sealed by this task, or was altered");
  return to_bytes(plain->expose());
}

// Beside it first, and then into its place: whoever reads meets one version or the other.
Result<> ObjectStore::write_file(int container, const std::string& key, ByteView content) {
  constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  const FileDescriptor file{::openat(container, unfinished_.c_str(), flags, 0600)};
  if (!file) return system_failure("write", key);
  auto written = write_all(file.get(), content, key);
  if (written && ::renameat(container, unfinished_.c_str(), container, key.c_str()) != 0) {
    written = system_failure("put in place", key);
  }
  if (!written) ::unlinkat(container, unfinished_.c_str(), 0);
  return written;
}

Result<> ObjectStore::put(const std::string& container, const std::string& key, ByteView data) {
  TRY(check_name(key));
  const auto content = TRY(sealed(container, key, data));
  const std::lock_guard lock(mutex_);
  const auto opened = TRY(open_container(container));
  const auto before = status_of(opened.get(), key);
  if (before && !is_object(before)) return fail(HalError::io, "\"" + key + "\" is no file");
  const auto freed = before ? std::min(used_, static_cast<std::uint64_t>(before->st_size)) : 0;
  const auto room = options_.max_size - std::min(options_.max_size, used_ - freed);
  if (content.size() > room || (!before && objects_ >= max_objects)) {
    return fail(HalError::limit, "this task's storage is full: " + std::to_string(used_) + " of " +
                                     std::to_string(options_.max_size) + " bytes in " + std::to_string(objects_) +
                                     " of " + std::to_string(max_objects) + " objects");
  }
  TRY(write_file(opened.get(), key, content));
  used_ = used_ - freed + content.size();
  if (!before) ++objects_;
  return {};
}

Result<Bytes> ObjectStore::get(const std::string& container, const std::string& key) const {
  TRY(check_name(key));
  const auto folder = TRY(open_container(container));
  const FileDescriptor file{::openat(folder.get(), key.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!file) return system_failure("open", key);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(HalError::io, "\"" + key + "\" is no file");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_bytes + seal_overhead) {
    return fail(HalError::limit,
                "the object has " + std::to_string(size) + " bytes, and a guest takes " + std::to_string(max_bytes));
  }
  auto content = TRY(read_all(file.get(), size, key));
  return opened(container, key, std::move(content));
}

Result<> ObjectStore::remove(const std::string& container, const std::string& key) {
  TRY(check_name(key));
  const std::lock_guard lock(mutex_);
  const auto opened = TRY(open_container(container));
  const auto status = status_of(opened.get(), key);
  if (!is_object(status)) return fail(HalError::not_found, "there is no \"" + key + "\"");
  if (::unlinkat(opened.get(), key.c_str(), 0) != 0) return system_failure("remove", key);
  count_down(objects_);
  used_ -= std::min(used_, static_cast<std::uint64_t>(status->st_size));
  return {};
}

Result<std::vector<std::string>> ObjectStore::list(const std::string& container) const {
  const auto opened = TRY(open_container(container));
  auto names = TRY(names_in(opened.get()));
  std::erase_if(names, [&](const std::string& name) { return !is_object(status_of(opened.get(), name)); });
  if (names.size() > max_objects) return fail(HalError::limit, std::to_string(names.size()) + " objects lie there");
  return names;
}

Result<ObjectFacts> ObjectStore::facts(const std::string& container, const std::string& key) const {
  TRY(check_name(key));
  const auto opened = TRY(open_container(container));
  const auto status = status_of(opened.get(), key);
  if (!is_object(status)) return fail(HalError::not_found, "there is no \"" + key + "\"");
  auto size = static_cast<std::uint64_t>(status->st_size);
  if (options_.seal_with) size -= std::min<std::uint64_t>(size, seal_overhead);
  return ObjectFacts{size, status->st_mtim.tv_sec};
}

}  // namespace coffer::workload::hal
