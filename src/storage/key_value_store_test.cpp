// What every store does alike.
#include "storage/key_value_store.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "storage/storage_testing.h"

namespace coffer::storage {
namespace {

using Keys = std::vector<std::string>;

struct StoreTest : testing::TestWithParam<Kind> {
  TemporaryDirectory directory;
  std::unique_ptr<KeyValueStore> store = open_store(GetParam(), directory.path());

  std::string value(std::string_view key, std::string_view space = "repository") {
    const auto found = store->get(space, key).value();
    return found ? to_text(*found) : "(absent)";
  }
  void put(std::string_view key, std::string_view text, std::string_view space = "repository") {
    const auto done = store->put(space, key, as_bytes(text));
    ASSERT_TRUE(done) << to_string(done.error());
  }
};

std::string kind_name(const testing::TestParamInfo<Kind>& info) {
  return std::string{name_of(info.param)};
}
constexpr Kind all_kinds[] = {Kind::memory, Kind::local_fs, Kind::local_fs_nested, Kind::sqlite};
INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, testing::ValuesIn(all_kinds), kind_name);

TEST_P(StoreTest, begins_empty) {
  EXPECT_EQ(value("default/key/k1"), "(absent)");
  EXPECT_EQ(store->list("repository").value(), Keys{});
  EXPECT_FALSE(store->erase("repository", "default/key/k1").value());
}

TEST_P(StoreTest, gives_back_the_last_value) {
  put("default/key/k1", "first");
  EXPECT_EQ(value("default/key/k1"), "first");
  put("default/key/k1", "second");
  EXPECT_EQ(value("default/key/k1"), "second");
}

TEST_P(StoreTest, keeps_any_bytes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  put("a", bytes);
  put("b", "");
  put("c", std::string(3'000'000, 'x'));
  EXPECT_EQ(value("a"), bytes);
  EXPECT_EQ(value("b"), "");
  EXPECT_EQ(value("c").size(), 3'000'000U);
}

TEST_P(StoreTest, namespaces_are_apart) {
  put("x", "one", "kbs");
  put("x", "two", "reference_value");
  EXPECT_EQ(value("x", "kbs"), "one");
  EXPECT_EQ(value("x", "reference_value"), "two");
  EXPECT_EQ(value("x", "kb"), "(absent)");
  EXPECT_TRUE(store->erase("kbs", "x").value());
  EXPECT_EQ(value("x", "reference_value"), "two");
}

TEST_P(StoreTest, erased_keys_are_gone) {
  put("default/key/k1", "v");
  EXPECT_TRUE(store->erase("repository", "default/key/k1").value());
  EXPECT_FALSE(store->erase("repository", "default/key/k1").value());
  EXPECT_EQ(value("default/key/k1"), "(absent)");
  EXPECT_EQ(store->list("repository").value(), Keys{});
}

TEST_P(StoreTest, erases_many_at_once_and_counts_those_that_were_there) {
  for (const auto* key : {"a", "b", "c", "d"}) put(key, "v");
  put("a", "v", "others");
  EXPECT_EQ(store->erase_all("repository", Keys{"a", "c", "absent", "d"}).value(), 3U);
  EXPECT_EQ(store->list("repository").value(), Keys{"b"});
  EXPECT_EQ(value("a", "others"), "v");
  EXPECT_EQ(store->erase_all("repository", Keys{}).value(), 0U);
  EXPECT_EQ(store->erase_all("repository", Keys{"../b"}).error().code, StorageError::bad_key);
  EXPECT_EQ(value("b"), "v");
}

TEST_P(StoreTest, lists_in_order_by_prefix_in_pages) {
  for (const auto* key : {"default/key/b", "default/key/a", "default/policy/a", "default/key/a-1", "other/key/a"}) {
    put(key, "v");
  }
  put("elsewhere", "v", "kbs");
  EXPECT_EQ(store->list("repository").value(),
            (Keys{"default/key/a", "default/key/a-1", "default/key/b", "default/policy/a", "other/key/a"}));
  EXPECT_EQ(store->list("repository", "default/key/").value(),
            (Keys{"default/key/a", "default/key/a-1", "default/key/b"}));
  EXPECT_EQ(store->list("repository", "default/key/a").value(), (Keys{"default/key/a", "default/key/a-1"}));
  EXPECT_EQ(store->list("repository", "default/", "default/key/a-1").value(),
            (Keys{"default/key/b", "default/policy/a"}));
  EXPECT_EQ(store->list("repository", "default/", "default/key/a-1", 1).value(), Keys{"default/key/b"});
  EXPECT_EQ(store->list("repository", "", "zzz").value(), Keys{});
  EXPECT_EQ(store->list("repository", "other", "default").value(), Keys{"other/key/a"});
  EXPECT_EQ(store->list("repository", "", "", 0).value(), Keys{});
  EXPECT_EQ(store->list("absent").value(), Keys{});
}

TEST_P(StoreTest, put_if_absent_writes_once) {
  EXPECT_TRUE(store->put_if("kbs", "k", std::nullopt, as_bytes("first")));
  EXPECT_EQ(store->put_if("kbs", "k", std::nullopt, as_bytes("second")).error().code, StorageError::conflict);
  EXPECT_EQ(value("k", "kbs"), "first");
}

TEST_P(StoreTest, put_if_equal_replaces_only_that_value) {
  EXPECT_EQ(store->put_if("kbs", "k", as_bytes("old"), as_bytes("new")).error().code, StorageError::conflict);
  put("k", "old", "kbs");
  EXPECT_EQ(store->put_if("kbs", "k", as_bytes("other"), as_bytes("new")).error().code, StorageError::conflict);
  EXPECT_EQ(store->put_if("kbs", "k", as_bytes("ol"), as_bytes("new")).error().code, StorageError::conflict);
  EXPECT_EQ(store->put_if("kbs", "k", ByteView{}, as_bytes("new")).error().code, StorageError::conflict);
  EXPECT_TRUE(store->put_if("kbs", "k", as_bytes("old"), as_bytes("new")));
  EXPECT_EQ(value("k", "kbs"), "new");
}

TEST_P(StoreTest, an_empty_value_is_not_an_absent_one) {
  put("k", "", "kbs");
  EXPECT_EQ(store->put_if("kbs", "k", std::nullopt, as_bytes("new")).error().code, StorageError::conflict);
  EXPECT_TRUE(store->put_if("kbs", "k", ByteView{}, as_bytes("new")));
}

TEST_P(StoreTest, bad_keys_are_refused_by_each_operation) {
  for (const std::string_view key :
       {"", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a/./b", "a b", "a\\b", "a:b", "ä"}) {
    EXPECT_EQ(store->get("kbs", key).error().code, StorageError::bad_key) << key;
    EXPECT_EQ(store->put("kbs", key, {}).error().code, StorageError::bad_key) << key;
    EXPECT_EQ(store->put_if("kbs", key, std::nullopt, {}).error().code, StorageError::bad_key) << key;
    EXPECT_EQ(store->erase("kbs", key).error().code, StorageError::bad_key) << key;
  }
  for (const std::string_view space : {"", "a/b", "..", "a b"}) {
    EXPECT_EQ(store->get(space, "k").error().code, StorageError::bad_key) << space;
    EXPECT_EQ(store->list(space).error().code, StorageError::bad_key) << space;
  }
  EXPECT_EQ(store->get("kbs", std::string(513, 'a')).error().code, StorageError::bad_key);
  EXPECT_EQ(store->get("kbs", std::string_view{"a\0b", 3}).error().code, StorageError::bad_key);
}

TEST_P(StoreTest, values_over_the_limit_are_refused) {
  const Bytes large(max_value_size + 1);
  EXPECT_EQ(store->put("kbs", "k", large).error().code, StorageError::too_large);
  EXPECT_EQ(store->put_if("kbs", "k", std::nullopt, large).error().code, StorageError::too_large);
  EXPECT_EQ(value("k", "kbs"), "(absent)");
}

// The same random operations on the store and on a std::map have the same results.
TEST_P(StoreTest, behaves_as_a_map_does) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const auto any_key = [&] {
    std::string key = "r" + std::to_string(below(2));
    for (auto depth = below(4); depth > 0; --depth) key += "/k" + std::to_string(below(3));
    return key + ".";  // so that no key is the folder of another
  };
  std::map<std::string, std::string> model;
  for (int step = 0; step < 400; ++step) {
    const auto key = any_key();
    const auto text = std::to_string(below(4));
    const auto entry = model.find(key);
    switch (below(5)) {
      case 0:
        put(key, text);
        model[key] = text;
        break;
      case 1: {
        const auto expected = std::to_string(below(4));
        const bool done = store->put_if("repository", key, as_bytes(expected), as_bytes(text)).has_value();
        ASSERT_EQ(done, entry != model.end() && entry->second == expected);
        if (done) model[key] = text;
        break;
      }
      case 2: {
        const bool done = store->put_if("repository", key, std::nullopt, as_bytes(text)).has_value();
        ASSERT_EQ(done, entry == model.end());
        if (done) model[key] = text;
        break;
      }
      case 3: ASSERT_EQ(store->erase("repository", key).value(), model.erase(key) == 1); break;
      default: {
        Keys expected;
        const auto prefix = key.substr(0, below(static_cast<unsigned>(key.size()) + 1));
        for (const auto& [name, ignored] : model) {
          if (name.starts_with(prefix)) expected.push_back(name);
        }
        ASSERT_EQ(store->list("repository", prefix).value(), expected) << prefix;
        break;
      }
    }
    ASSERT_EQ(value(key), model.contains(key) ? model[key] : "(absent)");
  }
}

// Counts up by compare and swap; every step of every thread must be in the result.
void count_up(KeyValueStore& store, int steps) {
  for (int done = 0; done < steps;) {
    const auto present = store.get("kbs", "counter").value();
    if (!present) FAIL() << "the counter is gone";
    const auto next = std::to_string(std::stoi(to_text(*present)) + 1);
    const auto written = store.put_if("kbs", "counter", *present, as_bytes(next));
    ASSERT_TRUE(written || written.error().code == StorageError::conflict) << to_string(written.error());
    if (written) ++done;
  }
}

TEST_P(StoreTest, put_if_loses_nothing_between_threads) {
  put("counter", "0", "kbs");
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) threads.emplace_back([&] { count_up(*store, 25); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(value("counter", "kbs"), "100");
}

TEST_P(StoreTest, only_one_of_many_creates) {
  std::atomic<int> created = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      if (store->put_if("kbs", "signer", std::nullopt, as_bytes(std::to_string(t)))) ++created;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(created, 1);
}

struct PersistentStoreTest : StoreTest {};
INSTANTIATE_TEST_SUITE_P(Stores, PersistentStoreTest,
                         testing::Values(Kind::local_fs, Kind::local_fs_nested, Kind::sqlite), kind_name);

TEST_P(PersistentStoreTest, values_outlive_the_store) {
  put("default/key/k1", "kept");
  put("policy", "kept too", "kbs");
  store.reset();
  store = open_store(GetParam(), directory.path());
  EXPECT_EQ(value("default/key/k1"), "kept");
  EXPECT_EQ(value("policy", "kbs"), "kept too");
  EXPECT_EQ(store->list("repository").value(), Keys{"default/key/k1"});
}

// Two stores on one place share nothing in memory, as two processes do.
TEST_P(PersistentStoreTest, put_if_loses_nothing_between_stores) {
  put("counter", "0", "kbs");
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] { count_up(*open_store(GetParam(), directory.path()), 20); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(value("counter", "kbs"), "60");
}

TEST_P(PersistentStoreTest, readers_see_whole_values_while_they_change) {
  const std::string a(100'000, 'a'), b(200'000, 'b');
  put("k", a, "kbs");
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(store->put("kbs", "k", as_bytes(i % 2 == 0 ? b : a)));
    stop = true;
  });
  while (!stop) {
    const auto seen = value("k", "kbs");
    EXPECT_TRUE(seen == a || seen == b) << seen.size();
  }
  writer.join();
}

TEST(StorageErrors, have_names_of_their_own) {
  std::set<std::string_view> names;
  for (const auto code : {StorageError::bad_key, StorageError::ambiguous, StorageError::conflict,
                          StorageError::too_large, StorageError::unavailable, StorageError::corrupt}) {
    EXPECT_TRUE(code_name(code).starts_with("storage."));
    EXPECT_TRUE(names.insert(code_name(code)).second);
  }
}

}  // namespace
}  // namespace coffer::storage
