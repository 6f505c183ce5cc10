#include "net/otlp.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "net/detail/otlp_json.h"
#include "net/retry.h"
#include "net/url.h"

namespace coffer::net {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t max_answer = 64U << 10;

// As upstream's exporters take it: its docker/.env names the path, its guides do not.
Result<std::string> endpoint_of(const std::string& text) {
  auto url = TRY(Url::parse(text));
  if (url.path.empty() || url.path == "/") url.path = "/v1/traces";
  return url.text();
}

// "Retryable Response Codes" of the specification: these and no others.
bool may_be_repeated(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

// What became of a batch.
struct Outcome {
  std::string_view name;  // of the metric
  std::string why{};      // empty where all is well
  std::uint64_t rejected = 0;
};

}  // namespace

struct OtlpExporter::Impl {
  Impl(OtlpOptions given, std::shared_ptr<HttpClient> client, Counter counted)
      : options(std::move(given)), http(std::move(client)), spans(counted) {}

  void run(const std::stop_token& stop);
  bool wait_for_spans(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  std::vector<SpanRecord> take_batch();
  void send(const std::vector<SpanRecord>& batch, const std::stop_token& stop);
  Outcome deliver(const HttpRequest& request, const std::stop_token& stop);
  Duration time_left(const std::stop_token& stop) const;
  void report(const Outcome& outcome, std::size_t count);
  void drop_rest();

  const OtlpOptions options;
  const std::shared_ptr<HttpClient> http;
  Counter spans;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::deque<SpanRecord> queue;
  bool stopping = false;
  std::optional<Steady::time_point> stop_deadline;  // guarded by mutex
  bool failed = false;                              // the last batch; the exporter's thread alone
  std::optional<Steady::time_point> last_report;    // likewise
  std::uint64_t lost = 0;                           // since then
  std::jthread thread;
};

bool OtlpExporter::Impl::wait_for_spans(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  wake.wait_for(lock, stop, options.delay, [&] { return queue.size() >= options.max_batch; });
  return !queue.empty();
}

std::vector<SpanRecord> OtlpExporter::Impl::take_batch() {
  std::vector<SpanRecord> batch;
  batch.reserve(std::min(queue.size(), options.max_batch));
  while (!queue.empty() && batch.size() < options.max_batch) {
    batch.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  return batch;
}

void OtlpExporter::Impl::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex);
  while (true) {
    const bool some = wait_for_spans(lock, stop);
    if (some) {
      const auto batch = take_batch();
      lock.unlock();
      send(batch, stop);
      lock.lock();
    }
    if (!stop.stop_requested()) continue;
    // One failure is enough: nobody waits for a collector that is not there.
    if (queue.empty() || failed || time_left(stop) <= Duration{0}) return drop_rest();
  }
}

// Called with the mutex held, after `stopping` was set.
void OtlpExporter::Impl::drop_rest() {
  if (!queue.empty()) report({.name = "stopped", .why = "the program ends"}, queue.size());
  queue.clear();
}

Duration OtlpExporter::Impl::time_left(const std::stop_token& stop) const {
  if (!stop.stop_requested() || !stop_deadline) return options.timeout;
  return std::min(options.timeout, std::chrono::duration_cast<Duration>(*stop_deadline - Steady::now()));
}

void OtlpExporter::Impl::send(const std::vector<SpanRecord>& batch, const std::stop_token& stop) {
  HttpRequest request{.method = "POST", .url = options.url, .headers = options.headers};
  request.headers.set("Content-Type", "application/json");
  request.body =
      to_bytes(detail::otlp_json({options.service_name, options.service_version, options.instance_id}, batch));
  request.max_response_size = max_answer;
  const auto outcome = deliver(request, stop);
  failed = outcome.name != "sent";
  const auto rejected = std::min<std::uint64_t>(outcome.rejected, batch.size());
  if (rejected > 0) report({.name = "refused", .why = "the collector rejected a part"}, rejected);
  report(outcome, batch.size() - rejected);
}

Outcome OtlpExporter::Impl::deliver(const HttpRequest& request, const std::stop_token& stop) {
  const RetryPolicy policy{.attempts = options.attempts,
                           .first_delay = options.first_retry,
                           .max_delay = options.longest_pause,
                           .max_retry_after = options.longest_pause};
  Retry retry{policy, crypto::system_random(), system_clock()};
  while (true) {
    auto attempt = request;
    {
      const std::scoped_lock lock(mutex);
      attempt.timeout = std::max(time_left(stop), Duration{1});
    }
    const auto answer = http->send(attempt);
    if (answer && answer->status / 100 == 2) {
      return {.name = "sent", .rejected = detail::rejected_spans(as_text(answer->body))};
    }
    const Outcome outcome{.name = answer ? "refused" : "unreachable",
                          .why = answer ? "it answers " + std::to_string(answer->status) : answer.error().message};
    if (answer && !may_be_repeated(answer->status)) return outcome;
    const auto pause = retry.after(answer);
    if (!pause || stop.stop_requested()) return outcome;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, *pause, [] { return false; });
    if (stop.stop_requested()) return outcome;
  }
}

// The first failure is told at once, what follows once a minute.
void OtlpExporter::Impl::report(const Outcome& outcome, std::size_t count) {
  spans.increment({outcome.name}, static_cast<double>(count));
  if (outcome.why.empty()) return;
  lost += count;
  const auto now = Steady::now();
  if (last_report && now - *last_report < options.log_every) return;
  last_report = now;
  log::warn("otlp.not_sent", "spans do not reach the collector: " + outcome.why,
            {{"collector", options.url}, {"spans", std::to_string(std::exchange(lost, 0))}});
}

OtlpExporter::OtlpExporter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

OtlpExporter::~OtlpExporter() {
  stop();
}

Result<std::shared_ptr<OtlpExporter>> OtlpExporter::start(OtlpOptions options, std::shared_ptr<HttpClient> http,
                                                          MetricsRegistry& metrics) {
  options.url = TRY(endpoint_of(options.url));
  const auto spans = TRY(metrics.counter({"otlp_spans_total", "spans of traces, by what became of them", {"outcome"}}));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(http), spans);
  auto* const raw = impl.get();
  impl->thread = std::jthread([raw](const std::stop_token& stop) { raw->run(stop); });
  return std::shared_ptr<OtlpExporter>{new OtlpExporter(std::move(impl))};
}

void OtlpExporter::take(SpanRecord record) {
  {
    const std::scoped_lock lock(impl_->mutex);
    if (!impl_->stopping && impl_->queue.size() < impl_->options.max_queue) {
      impl_->queue.push_back(std::move(record));
      if (impl_->queue.size() == impl_->options.max_batch) impl_->wake.notify_one();
      return;
    }
  }
  impl_->spans.increment({"queue_full"});
}

void OtlpExporter::stop() {
  {
    const std::scoped_lock lock(impl_->mutex);
    if (std::exchange(impl_->stopping, true)) return;
    impl_->stop_deadline = Steady::now() + impl_->options.timeout;
  }
  impl_->thread.request_stop();
  impl_->thread.join();
}

}  // namespace coffer::net
