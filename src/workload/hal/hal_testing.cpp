#include "workload/hal/hal_testing.h"

namespace coffer::workload::hal::testing {
namespace {

const Value* branch_of(const Result<Value>& answer, std::string_view name) {
  if (!answer || answer->if_map() == nullptr || answer->if_map()->size() != 1) return nullptr;
  return answer->find(name);
}

}  // namespace

Guest::Guest() {
  services.clock = &clock;
  services.storage.own = folder.path() / "own";
  std::filesystem::create_directory(services.storage.own);
  task.id = "task-1";
  task.module_digest = "sha256:00";
  task.memory = std::uint64_t{64} << 20;
}

Result<Value> Guest::raw(std::string_view interface_name, std::string_view function, std::vector<Value> arguments) {
  if (!hal_) {
    // Services belong to the test; the HAL shares them.
    hal_ = std::make_unique<Hal>(std::shared_ptr<const Services>(&services, [](const Services*) {}), task);
  }
  return hal_->call("elastic:hal/" + std::string{interface_name} + "@0.1.0", function, arguments);
}

Value Guest::ok(std::string_view interface_name, std::string_view function, std::vector<Value> arguments) {
  const auto answer = raw(interface_name, function, std::move(arguments));
  const auto* const value = branch_of(answer, "ok");
  if (value != nullptr) return *value;
  const auto* const error = branch_of(answer, "err");
  ADD_FAILURE() << interface_name << "." << function << ": "
                << (error != nullptr ? *error->if_text()
                    : answer         ? "no result"
                                     : to_string(answer.error()));
  return {};
}

std::string Guest::err(std::string_view interface_name, std::string_view function, std::vector<Value> arguments) {
  const auto answer = raw(interface_name, function, std::move(arguments));
  const auto* const value = branch_of(answer, "err");
  if (value == nullptr || value->if_text() == nullptr) return "";
  return value->if_text()->substr(0, value->if_text()->find(':'));
}

std::string Guest::trap(std::string_view interface_name, std::string_view function, std::vector<Value> arguments) {
  const auto answer = raw(interface_name, function, std::move(arguments));
  return answer ? "" : std::string{answer.error().code.name()};
}

std::uint64_t Guest::handle(std::string_view interface_name, std::string_view function, std::vector<Value> arguments) {
  return ok(interface_name, function, std::move(arguments)).if_uint64().value_or(0);
}

AddressList addresses(std::vector<std::string> entries) {
  auto out = AddressList::parse(entries);
  EXPECT_TRUE(out) << to_string(out.error());
  return out ? *out : AddressList{};
}

}  // namespace coffer::workload::hal::testing
