#include "fleet/chunks.h"

#include <condition_variable>
#include <mutex>
#include <unordered_map>

#include "base/printable.h"
#include "fleet/detail/assembly.h"

namespace coffer::fleet {
namespace {

using detail::Assembly;
using detail::SteadyTime;
using Image = std::shared_ptr<const FetchedImage>;

// An assembly and those who wait for it.
struct Shared {
  Shared(const ChunkLimits& limits, SteadyTime now) : assembly(limits, now) {}
  Assembly assembly;
  bool joining = false;
  std::optional<Result<Image>> outcome{};
  std::size_t waiters = 0;
};

Error timed_out(const std::string& app_name) {
  return {FleetError::fetch_timeout, "Timeout waiting for binary chunks of " + printable(app_name, 256)};
}

}  // namespace

struct ChunkAssembler::Impl {
  explicit Impl(ChunkLimits given) : limits(given) {}

  const ChunkLimits limits;
  mutable std::mutex mutex{};
  std::condition_variable_any changed{};
  std::unordered_map<std::string, std::shared_ptr<Shared>> under_way{};
  bool closed = false;

  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& [name, shared] : under_way) sum += shared->assembly.bytes();
    return sum;
  }

  Result<std::shared_ptr<Shared>> enter(const std::string& app_name);
  void leave(const std::string& app_name, const std::shared_ptr<Shared>& shared);
  std::optional<Error> reason_to_end(const std::string& app_name, const Shared& shared, SteadyTime deadline,
                                     const std::stop_token& stop) const;
  void join(const std::string& app_name, Shared& shared, std::unique_lock<std::mutex>& lock);
  void ask(const std::string& app_name, Shared& shared, const Request& request, std::unique_lock<std::mutex>& lock);
};

Result<std::shared_ptr<Shared>> ChunkAssembler::Impl::enter(const std::string& app_name) {
  if (closed) return fail(FleetError::cancelled, "images are no longer fetched: this worker is stopping");
  auto& shared = under_way[app_name];
  if (shared == nullptr) {
    if (under_way.size() > limits.max_assemblies) {
      under_way.erase(app_name);
      return fail(FleetError::fetch_busy,
                  "expected at most " + std::to_string(limits.max_assemblies) + " images on their way at once");
    }
    shared = std::make_shared<Shared>(limits, std::chrono::steady_clock::now());
  }
  ++shared->waiters;
  return shared;
}

void ChunkAssembler::Impl::leave(const std::string& app_name, const std::shared_ptr<Shared>& shared) {
  if (--shared->waiters > 0 && !shared->outcome) return;
  const auto found = under_way.find(app_name);
  if (found != under_way.end() && found->second == shared) under_way.erase(found);
}

std::optional<Error> ChunkAssembler::Impl::reason_to_end(const std::string& app_name, const Shared& shared,
                                                         SteadyTime deadline, const std::stop_token& stop) const {
  if (closed || stop.stop_requested()) return Error{FleetError::cancelled, "the image's fetch was stopped"};
  if (shared.assembly.failure()) return shared.assembly.failure();
  const auto now = std::chrono::steady_clock::now();
  if (now >= deadline || now >= shared.assembly.expires()) return timed_out(app_name);
  return std::nullopt;
}

// Hashing an image takes long enough to do it outside the lock, and on no thread of the broker's.
void ChunkAssembler::Impl::join(const std::string& app_name, Shared& shared, std::unique_lock<std::mutex>& lock) {
  shared.joining = true;
  under_way.erase(app_name);
  Assembly assembly = std::move(shared.assembly);
  lock.unlock();
  auto image = std::move(assembly).join();
  lock.lock();
  shared.outcome = std::move(image);
  changed.notify_all();
}

void ChunkAssembler::Impl::ask(const std::string& app_name, Shared& shared, const Request& request,
                               std::unique_lock<std::mutex>& lock) {
  shared.assembly.asked(std::chrono::steady_clock::now());
  lock.unlock();
  const auto sent = request(FetchRequest{app_name});
  lock.lock();
  if (!sent) shared.assembly.give_up(sent.error());
  changed.notify_all();
}

ChunkAssembler::ChunkAssembler(ChunkLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
ChunkAssembler::~ChunkAssembler() = default;

Result<Image> ChunkAssembler::fetch(const std::string& app_name, const Request& request, Duration timeout,
                                    const std::stop_token& stop) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_lock lock{impl_->mutex};
  const auto shared = TRY(impl_->enter(app_name));
  while (!shared->outcome) {
    if (shared->joining) {  // in good hands, and soon done
      impl_->changed.wait(lock, [&] { return shared->outcome.has_value(); });
      break;
    }
    if (auto why = impl_->reason_to_end(app_name, *shared, deadline, stop)) {
      impl_->leave(app_name, shared);
      return fail(std::move(*why));
    }
    if (shared->assembly.complete()) {
      impl_->join(app_name, *shared, lock);
      break;
    }
    if (std::chrono::steady_clock::now() >= shared->assembly.ask_at()) {
      impl_->ask(app_name, *shared, request, lock);
      continue;
    }
    const auto until = std::min({deadline, shared->assembly.ask_at(), shared->assembly.expires()});
    impl_->changed.wait_until(lock, stop, until, [&] {
      return impl_->closed || shared->joining || shared->outcome || shared->assembly.failure() ||
             shared->assembly.complete();
    });
  }
  impl_->leave(app_name, shared);
  return shared->outcome.value_or(fail(FleetError::cancelled, "the fetch of " + app_name + " was given up"));
}

Result<> ChunkAssembler::accept(Chunk chunk) {
  const std::lock_guard lock{impl_->mutex};
  const auto found = impl_->under_way.find(chunk.app_name);
  if (found == impl_->under_way.end())
    return fail(FleetError::unknown_assembly, "nobody here waits for " + printable(chunk.app_name, 256));
  Assembly& assembly = found->second->assembly;
  Result<> taken;
  if (impl_->bytes() + chunk.data.size() > impl_->limits.max_total_size) {
    const Error full{FleetError::fetch_busy, "expected at most " + std::to_string(impl_->limits.max_total_size) +
                                                 " bytes of images on their way, found more"};
    assembly.give_up(full);
    taken = fail(full);
  } else {
    taken = assembly.accept(std::move(chunk), std::chrono::steady_clock::now());
  }
  if (assembly.complete() || assembly.failure()) impl_->changed.notify_all();
  return taken;
}

void ChunkAssembler::close() {
  const std::lock_guard lock{impl_->mutex};
  impl_->closed = true;
  impl_->changed.notify_all();
}

ChunkAssembler::Usage ChunkAssembler::usage() const {
  const std::lock_guard lock{impl_->mutex};
  Usage usage{.assemblies = impl_->under_way.size(), .bytes = impl_->bytes()};
  for (const auto& [name, shared] : impl_->under_way) usage.waiters += shared->waiters;
  return usage;
}

}  // namespace coffer::fleet
