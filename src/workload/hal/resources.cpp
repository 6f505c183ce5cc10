// elastic:hal/resources: a task's own ledger of what it has of its limits. It reserves nothing of the machine; units
// are upstream's: MiB of memory and storage, processors, Mbit/s of network.
#include <array>
#include <map>
#include <mutex>
#include <thread>

#include "workload/hal/interface.h"

namespace coffer::workload::hal {
namespace {

constexpr std::array<std::string_view, 4> type_names = {"memory", "cpu", "storage", "network"};
constexpr std::array<std::string_view, 3> request_fields = {"resource-type", "amount", "priority"};
constexpr std::size_t max_allocations = 256;
constexpr unsigned mebibyte_bits = 20;

class Resources final : public Table<Resources> {
 public:
  static constexpr std::string_view id = "elastic:hal/resources@0.1.0";
  static std::span<const Function<Resources>> table();
  explicit Resources(const Context& context)
      : free_{context.task.memory >> mebibyte_bits, std::max(1U, std::thread::hardware_concurrency()),
              context.services.storage.max_size >> mebibyte_bits, 0} {}

 private:
  Result<Value> allocate(Arguments& arguments) {
    const auto request = TRY(arguments.record(request_fields));
    Arguments fields(request);
    const auto type = TRY(fields.choice(type_names));
    const auto amount = TRY(fields.u64());
    TRY(fields.u32());  // the priority: nobody else draws on a task's limits
    const std::lock_guard lock(mutex_);
    if (amount > free_[type]) {
      return fail(HalError::limit, "this task has " + std::to_string(free_[type]) + " of " +
                                       std::string{type_names[type]} + " left, and asks for " + std::to_string(amount));
    }
    if (allocations_.size() == max_allocations) return fail(HalError::limit, "this task has 256 allocations already");
    free_[type] -= amount;
    auto name = "allocation-" + std::to_string(next_++);
    allocations_.emplace(name, Allocation{type, amount});
    return record(field("allocation-id", std::move(name)), field("granted-amount", amount));
  }
  Result<Value> deallocate(Arguments& arguments) {
    const auto name = TRY(arguments.text());
    const std::lock_guard lock(mutex_);
    const auto found = allocations_.find(name);
    if (found == allocations_.end()) return fail(HalError::bad_handle, "no such allocation of this task");
    free_[found->second.type] += found->second.amount;
    allocations_.erase(found);
    return nothing();
  }
  Result<Value> query(Arguments& arguments) {
    const auto type = TRY(arguments.choice(type_names));
    const std::lock_guard lock(mutex_);
    return Value{free_[type]};
  }

  struct Allocation {
    std::size_t type;
    std::uint64_t amount;
  };
  std::mutex mutex_;
  std::array<std::uint64_t, type_names.size()> free_;
  std::map<std::string, Allocation> allocations_;
  std::uint64_t next_ = 1;
};

std::span<const Function<Resources>> Resources::table() {
  static constexpr std::array<Function<Resources>, 3> functions = {{
      {"allocate", 1, &Resources::allocate},
      {"deallocate", 1, &Resources::deallocate},
      {"query-available", 1, &Resources::query},
  }};
  return functions;
}

}  // namespace

std::unique_ptr<Interface> make_resources(const Context& context) {
  return std::make_unique<Resources>(context);
}

}  // namespace coffer::workload::hal
