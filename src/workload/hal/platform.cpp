// elastic:hal/platform: what this machine is and what of the HAL works for this task.
#include <array>

#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

constexpr std::string_view hal_version = "0.1.0";

// Upstream's names where it has one; a TEE that proves nothing always says so.
std::string platform_type(const std::string& tee) {
  if (tee.empty()) return "None";
  if (tee == "snp") return "AmdSev";
  if (tee == "tdx") return "IntelTdx";
  return tee;
}

struct Capability {
  std::string_view name;
  bool supported;
};

class Platform final : public Table<Platform> {
 public:
  static constexpr std::string_view id = "elastic:hal/platform@0.1.0";
  static std::span<const Function<Platform>> table();
  explicit Platform(const Context& context) : services_(context.services), task_(context.task) {}

 private:
  Result<Value> info(Arguments&) {
    const auto& tee = services_.tee;
    return record(field("platform-type", platform_type(tee)),
                  field("version", std::string{tee.empty() ? "0.0.0" : hal_version}));
  }
  Result<Value> list(Arguments&) {
    codec::cbor::Array out;
    for (const auto& [name, supported] : capabilities()) {
      out.push_back(
          record(field("feature-name", std::string{name}), field("supported", supported), field("version", "1.0")));
    }
    return Value{std::move(out)};
  }
  Result<Value> has(Arguments& arguments) {
    const auto wanted = arguments.text();
    if (!wanted && wanted.error().code == HalError::limit) return Value{false};  // no name is as long
    if (!wanted) return std::unexpected(wanted.error());
    for (const auto& [name, supported] : capabilities()) {
      if (name == *wanted) return Value{supported};
    }
    return Value{false};
  }

  std::array<Capability, 11> capabilities() const {
    const bool stores = !task_.storage.empty() || !services_.storage.own.empty();
    const bool reaches = !services_.connect.empty() || !services_.listen.empty();
    return {{{"random", true},
             {"crypto", true},
             {"attestation", static_cast<bool>(services_.attest)},
             {"secure-storage", stores && task_.encrypted},
             {"gpu-compute", false},
             {"clock", true},
             {"storage", stores},
             {"sockets", reaches},
             {"resources", true},
             {"events", true},
             {"communication", services_.exchange != nullptr}}};
  }

  const Services& services_;
  const Task& task_;
};

std::span<const Function<Platform>> Platform::table() {
  static constexpr std::array<Function<Platform>, 3> functions = {{
      {"get-platform-info", 0, &Platform::info, Form::plain},
      {"list-capabilities", 0, &Platform::list, Form::plain},
      {"has-capability", 1, &Platform::has, Form::plain},
  }};
  return functions;
}

}  // namespace

std::unique_ptr<Interface> make_platform(const Context& context) {
  return std::make_unique<Platform>(context);
}

}  // namespace coffer::workload::hal
