// Any values to any function: an answer of the form of its result, or one of the two errors that trap.
#include <cstdlib>
#include <filesystem>

#include "codec/cbor.h"
#include "workload/hal/hal.h"
#include "workload/hal/interface.h"

namespace {

using namespace coffer;
using namespace coffer::workload::hal;

struct Target {
  std::string interface_name, function;
};

std::vector<Target> all_targets() {
  std::vector<Target> out;
  for (const auto& one : interfaces()) {
    for (const auto& function : one.functions) out.push_back({one.name, function});
  }
  return out;
}

// Outlives everything else, and is removed in the end.
const std::filesystem::path& folder() {
  static const auto* const path = [] {
    auto pattern = (std::filesystem::temp_directory_path() / "coffer-hal-fuzz-XXXXXX").string();
    std::atexit([] { std::filesystem::remove_all(folder()); });
    return new std::filesystem::path{::mkdtemp(pattern.data())};
  }();
  return *path;
}

// Nothing waits, and sockets lead to a port that nobody has.
std::shared_ptr<const Services> services() {
  static const auto made = [] {
    auto out = std::make_shared<Services>();
    out->storage = {.own = folder(), .max_size = 1U << 16};
    const std::vector<std::string> nowhere{"127.0.0.1:1"};
    out->connect = *AddressList::parse(nowhere);
    out->exchange = std::make_shared<Exchange>();
    out->attest = [](ByteView report_data) -> Result<codec::json::Value> {
      if (report_data.size() != 64) std::abort();
      return codec::json::Value{"evidence"};
    };
    return out;
  }();
  return made;
}

bool may_trap(ErrorCode code) {
  return code == HalError::bad_arguments || code == HalError::unknown_function || code == HalError::stopped;
}

bool is_answer(const Value& value) {
  const auto* const map = value.if_map();
  return map == nullptr || map->size() != 1 || value.find("err") == nullptr || value.find("err")->if_text() != nullptr;
}

}  // namespace

// A sequence of [function's number, argument...], so that handles can be made and used.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto targets = all_targets();
  const auto calls = codec::cbor::parse(as_bytes({reinterpret_cast<const char*>(data), size}), wasm::value_limits);
  if (!calls || calls->if_array() == nullptr) return 0;
  const Hal hal(services(), {.id = "fuzz", .encrypted = size % 2 == 0, .longest_wait = Duration{1}});
  std::size_t count = 0;
  for (const auto& call : *calls->if_array()) {
    if (call.if_array() == nullptr || call.if_array()->empty() || ++count > 16) continue;
    const auto number = call.if_array()->front().if_uint64().value_or(0);
    const auto& [interface_name, function] = targets[number % targets.size()];
    const auto answer = hal.call(interface_name, function, std::span{*call.if_array()}.subspan(1));
    if (answer ? !is_answer(*answer) : !may_trap(answer.error().code)) {
      std::abort();
    }
  }
  return 0;
}
