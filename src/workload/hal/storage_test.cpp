// elastic:hal/storage as a guest meets it.
#include <gtest/gtest.h>

#include <fstream>

#include "workload/hal/hal_testing.h"
#include "workload/hal/object_store.h"

namespace coffer::workload::hal {
namespace {

namespace fs = std::filesystem;
using testing::bytes;
using testing::Guest;

TEST(HalStorage, keeps_objects_in_containers) {
  Guest guest;
  const auto container = guest.handle("storage", "create-container", {"data"});
  guest.ok("storage", "store-object", {container, "k", bytes("value")});
  EXPECT_EQ(guest.ok("storage", "retrieve-object", {container, "k"}), bytes("value"));
  EXPECT_EQ(guest.ok("storage", "list-objects", {container}), (Value{codec::cbor::Array{"k"}}));
  const auto facts = guest.ok("storage", "get-metadata", {container, "k"});
  EXPECT_EQ(*facts.find("size"), Value{5});
  EXPECT_EQ(*facts.find("content-type"), Value{"application/octet-stream"});
  guest.ok("storage", "delete-object", {container, "k"});
  EXPECT_EQ(guest.err("storage", "retrieve-object", {container, "k"}), "hal.not_found");
}

TEST(HalStorage, a_container_opens_again_by_its_name_and_is_gone_when_it_is_deleted) {
  Guest guest;
  const auto first = guest.handle("storage", "create-container", {"data"});
  guest.ok("storage", "store-object", {first, "k", bytes("value")});
  const auto second = guest.handle("storage", "open-container", {"data"});
  EXPECT_NE(first, second);
  EXPECT_EQ(guest.ok("storage", "retrieve-object", {second, "k"}), bytes("value"));
  guest.ok("storage", "delete-container", {first});
  EXPECT_EQ(guest.err("storage", "list-objects", {first}), "hal.bad_handle");
  EXPECT_EQ(guest.err("storage", "retrieve-object", {second, "k"}), "hal.not_found");
}

TEST(HalStorage, names_that_lead_elsewhere_are_refused) {
  Guest guest;
  EXPECT_EQ(guest.err("storage", "create-container", {"../up"}), "hal.bad_value");
  const auto container = guest.handle("storage", "create-container", {"data"});
  EXPECT_EQ(guest.err("storage", "store-object", {container, "../../escape", bytes("x")}), "hal.bad_value");
  EXPECT_EQ(guest.err("storage", "retrieve-object", {container, "/etc/passwd"}), "hal.bad_value");
}

TEST(HalStorage, handles_are_bounded_and_the_tasks_own) {
  Guest guest, other;
  const auto container = guest.handle("storage", "create-container", {"data"});
  EXPECT_EQ(other.err("storage", "list-objects", {container}), "hal.bad_handle");
  for (int i = 1; i < 64; ++i) guest.ok("storage", "open-container", {"data"});
  EXPECT_EQ(guest.err("storage", "open-container", {"data"}), "hal.limit");
}

TEST(HalStorage, lies_where_the_start_says_if_the_operator_allows_it) {
  Guest guest, refused;
  guest.services.storage.allowed = {guest.folder.path() / "shared"};
  fs::create_directory(guest.folder.path() / "shared");
  guest.task.storage = guest.folder.path() / "shared" / "task";
  const auto container = guest.handle("storage", "create-container", {"c"});
  guest.ok("storage", "store-object", {container, "k", bytes("v")});
  EXPECT_EQ(guest.folder.read("shared/task/c/k"), "v");
  refused.task.storage = guest.folder.path() / "shared";
  EXPECT_EQ(refused.err("storage", "create-container", {"c"}), "hal.storage_refused");
}

TEST(HalStorage, is_as_large_as_the_worker_says) {
  Guest guest;
  guest.services.storage.max_size = 4;
  const auto container = guest.handle("storage", "create-container", {"c"});
  EXPECT_EQ(guest.err("storage", "store-object", {container, "k", bytes("12345")}), "hal.limit");
  guest.ok("storage", "store-object", {container, "k", bytes("1234")});
}

TEST(HalStorage, is_missing_where_the_worker_has_no_place) {
  Guest guest;
  guest.services.storage.own.clear();
  EXPECT_EQ(guest.err("storage", "create-container", {"c"}), "hal.unavailable");
}

std::string all_text(const fs::path& folder) {
  std::string out;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    out.append(std::istreambuf_iterator<char>{stream}, {});
  }
  return out;
}

TEST(HalStorage, what_encrypted_tasks_store_is_sealed_for_their_module_alone) {
  Guest guest;
  guest.services.storage.allowed = {guest.folder.path() / "shared"};
  fs::create_directory(guest.folder.path() / "shared");
  guest.task.storage = guest.folder.path() / "shared";
  guest.task.encrypted = true;
  const auto container = guest.handle("storage", "create-container", {"c"});
  guest.ok("storage", "store-object", {container, "k", bytes("a secret of the task")});
  EXPECT_EQ(guest.ok("storage", "retrieve-object", {container, "k"}), bytes("a secret of the task"));
  EXPECT_EQ(all_text(guest.folder.path()).find("secret"), std::string::npos);

  const std::shared_ptr<const Services> services(&guest.services, [](const Services*) {});
  const auto read_as = [&](Task task) {
    const Hal hal(services, std::move(task));
    const std::vector<Value> name{"c"};
    EXPECT_TRUE(hal.call("elastic:hal/storage@0.1.0", "open-container", name));
    const std::vector<Value> place{1, "k"};
    const auto answer = hal.call("elastic:hal/storage@0.1.0", "retrieve-object", place);
    return answer && answer->find("ok") != nullptr;
  };
  auto other_module = guest.task;
  other_module.module_digest = "sha256:01";
  EXPECT_TRUE(read_as(guest.task)) << "another run of the module";
  EXPECT_FALSE(read_as(other_module));
}

TEST(HalStorage, a_folder_of_its_own_goes_with_the_task) {
  const TemporaryDirectory folder;
  Services services;
  services.storage.own = folder.path() / "own";
  ASSERT_TRUE(prepare_own_storage(services.storage.own));
  {
    const Hal hal(std::shared_ptr<const Services>(&services, [](const Services*) {}), {.id = "t"});
    const std::vector<Value> name{"c"};
    ASSERT_TRUE(hal.call("elastic:hal/storage@0.1.0", "create-container", name));
    EXPECT_FALSE(fs::is_empty(services.storage.own));
  }
  EXPECT_TRUE(fs::is_empty(services.storage.own));
}

}  // namespace
}  // namespace coffer::workload::hal
