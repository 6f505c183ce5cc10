// elastic:hal/storage: containers of objects below the task's folder, which is opened with the first of them.
#include <array>
#include <mutex>

#include "crypto/kdf.h"
#include "workload/hal/handles.h"
#include "workload/hal/interface.h"
#include "workload/hal/object_store.h"

namespace coffer::workload::hal {
namespace {

constexpr std::size_t max_open = 64;
constexpr std::size_t seal_key_size = 32;

class Storage final : public Table<Storage> {
 public:
  static constexpr std::string_view id = "elastic:hal/storage@0.1.0";
  static std::span<const Function<Storage>> table();
  explicit Storage(const Context& context) : context_(context) {}

 private:
  using Container = const std::string;

  // Upstream makes what it is asked to open, and opens what it is asked to make.
  Result<Value> open(Arguments& arguments) {
    auto name = TRY(arguments.text());
    auto& objects = *TRY(store());
    TRY(objects.make_container(name));
    return Value(TRY(open_.add(std::make_shared<Container>(std::move(name)))));
  }
  // With what it holds.
  Result<Value> remove_container(Arguments& arguments) {
    const auto handle = TRY(arguments.u64());
    const auto container = TRY(open_.get(handle));
    TRY(TRY(store())->remove_container(*container));
    TRY(open_.remove(handle));
    context_.events.record(EventType::storage, "container removed", *container);
    return nothing();
  }
  Result<Value> put(Arguments& arguments) {
    const auto container = TRY(open_.get(TRY(arguments.u64())));
    const auto key = TRY(arguments.text());
    TRY(TRY(store())->put(*container, key, TRY(arguments.bytes())));
    context_.events.record(EventType::storage, "stored", *container + "/" + key);
    return Value{next_object_++};
  }
  Result<Value> get(Arguments& arguments) {
    const auto container = TRY(open_.get(TRY(arguments.u64())));
    const auto key = TRY(arguments.text());
    return Value(TRY(TRY(store())->get(*container, key)));
  }
  Result<Value> remove(Arguments& arguments) {
    const auto container = TRY(open_.get(TRY(arguments.u64())));
    const auto key = TRY(arguments.text());
    TRY(TRY(store())->remove(*container, key));
    context_.events.record(EventType::storage, "removed", *container + "/" + key);
    return nothing();
  }
  Result<Value> list(Arguments& arguments) {
    const auto container = TRY(open_.get(TRY(arguments.u64())));
    codec::cbor::Array out;
    for (auto& name : TRY(TRY(store())->list(*container))) out.emplace_back(std::move(name));
    return Value{std::move(out)};
  }
  Result<Value> facts(Arguments& arguments) {
    const auto container = TRY(open_.get(TRY(arguments.u64())));
    const auto key = TRY(arguments.text());
    const auto facts = TRY(TRY(store())->facts(*container, key));
    return record(field("size", facts.size),
                  field("created-at", static_cast<std::uint64_t>(std::max<std::int64_t>(facts.created_at, 0))),
                  field("content-type", "application/octet-stream"));
  }

  Result<ObjectStore*> store() {
    const std::lock_guard lock(mutex_);
    if (store_) return store_.get();
    const auto& settings = context_.services.storage;
    auto folder = TRY(StorageFolder::open(settings, context_.task.storage));
    ObjectStore::Options options{.max_size = settings.max_size, .random = context_.services.random};
    if (context_.task.encrypted) options.seal_with = TRY(seal_key());
    store_ = TRY(ObjectStore::open(std::move(folder), std::move(options)));
    return store_.get();
  }
  // One for each module and worker process: runs of one module read what others of it stored, until the worker ends.
  Result<SecretBytes> seal_key() const {
    return crypto::hkdf(crypto::HashAlgorithm::sha256, context_.services.storage_secret.expose(), {},
                        as_bytes("hal storage " + context_.task.module_digest), seal_key_size);
  }

  const Context context_;
  std::mutex mutex_;
  std::unique_ptr<ObjectStore> store_;
  Handles<Container> open_{"container", max_open};
  std::atomic<std::uint64_t> next_object_ = 1;
};

std::span<const Function<Storage>> Storage::table() {
  static constexpr std::array<Function<Storage>, 8> functions = {{
      {"create-container", 1, &Storage::open},
      {"open-container", 1, &Storage::open},
      {"delete-container", 1, &Storage::remove_container},
      {"store-object", 3, &Storage::put},
      {"retrieve-object", 2, &Storage::get},
      {"delete-object", 2, &Storage::remove},
      {"list-objects", 1, &Storage::list},
      {"get-metadata", 2, &Storage::facts},
  }};
  return functions;
}

}  // namespace

std::unique_ptr<Interface> make_storage(const Context& context) {
  return std::make_unique<Storage>(context);
}

}  // namespace coffer::workload::hal
