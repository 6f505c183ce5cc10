#include <mutex>

#include "storage/detail/checks.h"
#include "storage/detail/sqlite_connection.h"
#include "storage/detail/wal_checkpointer.h"
#include "storage/key_value_store.h"

namespace coffer::storage {
namespace {

using detail::SqliteConnection;

constexpr std::size_t most_idle_readers = 8;

// Readers work side by side, each on a connection of its own. Writers share one connection and its transactions: SQLite
// has one writer at a time anyway, and each commit waits for the disk.
class SqliteStore final : public KeyValueStore {
 public:
  SqliteStore(std::filesystem::path file, std::unique_ptr<SqliteConnection> writer,
              std::unique_ptr<detail::WalCheckpointer> checkpointer)
      : file_(std::move(file)), checkpointer_(std::move(checkpointer)), writer_(std::move(writer)), writes_(*writer_) {
    writer_->checkpoint_by(*checkpointer_);
  }

  Result<std::optional<Bytes>> get(std::string_view space, std::string_view key) override {
    TRY(check_key(space, key));
    auto reader = TRY(take_reader());
    auto value = reader->get(space, key);
    give_back(std::move(reader));
    return value;
  }

  Result<> put(std::string_view space, std::string_view key, ByteView value) override {
    TRY(detail::check_value(space, key, value));
    TRY(writes_.run([&] { return writer_->put(space, key, value); }));
    return {};
  }

  Result<> put_if(std::string_view space, std::string_view key, std::optional<ByteView> expected,
                  ByteView value) override {
    TRY(detail::check_value(space, key, value));
    const auto written = TRY(writes_.run([&] {
      return expected ? writer_->replace(space, key, *expected, value) : writer_->insert(space, key, value);
    }));
    if (written == 0) return detail::conflict(space, key);
    return {};
  }

  Result<bool> erase(std::string_view space, std::string_view key) override {
    TRY(check_key(space, key));
    return TRY(writes_.run([&] { return writer_->erase(space, key); }))
    != 0;
  }

  Result<std::size_t> erase_all(std::string_view space, std::span<const std::string> keys) override {
    for (const auto& key : keys) TRY(check_key(space, key));
    return writes_.run([&]() -> Result<std::size_t> {
      std::size_t erased = 0;
      for (const auto& key : keys) erased += TRY(writer_->erase(space, key));
      return erased;
    });
  }

  Result<std::vector<std::string>> list(std::string_view space, std::string_view prefix, std::string_view after,
                                        std::size_t limit) override {
    TRY(detail::check_space(space));
    auto reader = TRY(take_reader());
    auto keys = reader->list(space, prefix, after, limit);
    give_back(std::move(reader));
    return keys;
  }

 private:
  Result<std::unique_ptr<SqliteConnection>> take_reader() {
    {
      const std::scoped_lock lock(pooling_);
      if (!idle_.empty()) {
        auto reader = std::move(idle_.back());
        idle_.pop_back();
        return reader;
      }
    }
    return SqliteConnection::open(file_);
  }

  void give_back(std::unique_ptr<SqliteConnection> reader) {
    const std::scoped_lock lock(pooling_);
    if (idle_.size() < most_idle_readers) idle_.push_back(std::move(reader));
  }

  const std::filesystem::path file_;
  std::unique_ptr<detail::WalCheckpointer> checkpointer_;
  std::unique_ptr<SqliteConnection> writer_;  // used by writes_ alone
  detail::GroupCommit writes_;
  std::mutex pooling_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_;
};

}  // namespace

Result<std::unique_ptr<KeyValueStore>> open_sqlite_store(const std::filesystem::path& file) {
  auto writer = TRY(SqliteConnection::open(file));
  auto checkpointer = TRY(detail::WalCheckpointer::start(file));
  return std::make_unique<SqliteStore>(file, std::move(writer), std::move(checkpointer));
}

}  // namespace coffer::storage
