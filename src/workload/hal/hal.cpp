#include "workload/hal/hal.h"

#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

std::vector<std::unique_ptr<Interface>> make_all(const Context& context) {
  std::vector<std::unique_ptr<Interface>> out;
  out.push_back(make_platform(context));
  out.push_back(make_attestation(context));
  out.push_back(make_crypto(context));
  out.push_back(make_clock(context));
  out.push_back(make_random(context));
  out.push_back(make_sockets(context));
  out.push_back(make_gpu(context));
  out.push_back(make_resources(context));
  out.push_back(make_events(context));
  out.push_back(make_communication(context));
  out.push_back(make_storage(context));
  return out;
}

}  // namespace

// In the order in which they need each other.
struct Hal::Parts {
  Parts(std::shared_ptr<const Services> given, Task belongs_to)
      : services(std::move(given)), task(std::move(belongs_to)) {}

  const std::shared_ptr<const Services> services;
  const Task task;
  const Waiting waiting{task.stop, task.deadline, task.longest_wait};
  EventLog events{*services->clock};
  const std::vector<std::unique_ptr<Interface>> all =
      make_all({.services = *services, .task = task, .waiting = waiting, .events = events});
};

Hal::Hal(std::shared_ptr<const Services> services, Task task)
    : parts_(std::make_unique<Parts>(std::move(services), std::move(task))) {}
Hal::~Hal() = default;

Result<Value> Hal::call(std::string_view interface_name, std::string_view function,
                        std::span<const Value> arguments) const {
  for (const auto& one : parts_->all) {
    if (one->name() == interface_name) return one->call(function, arguments);
  }
  return fail(HalError::unknown_function, "there is no interface " + std::string{interface_name});
}

wasm::HostCall host_call(std::shared_ptr<const Services> services, Task task) {
  return [hal = std::make_shared<const Hal>(std::move(services), std::move(task))](
             std::string_view interface_name, std::string_view function, std::span<const Value> arguments) {
    return hal->call(interface_name, function, arguments);
  };
}

std::vector<wasm::HostInterface> interfaces() {
  const Services services;
  const Task task;
  const Waiting waiting{{}, std::nullopt};
  EventLog events{*services.clock};
  std::vector<wasm::HostInterface> out;
  for (const auto& one : make_all({services, task, waiting, events})) {
    out.push_back({std::string{one->name()}, one->functions()});
  }
  return out;
}

}  // namespace coffer::workload::hal
