// Traces in OpenTelemetry's model: spans, what they belong to, and how that travels (W3C Trace Context). A tracer is an
// object passed around; what is under way on a thread is known to the layers below it by active_trace().
//
// What spans must never hold: secrets, inputs, results, environments. Of errors they hold the code, not the sentence.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/random.h"

namespace coffer::net {

struct TraceContext {
  std::array<std::byte, 16> trace_id{};
  std::array<std::byte, 8> span_id{};
  bool sampled = false;

  // "00-<trace id>-<span id>-<flags>", W3C Trace Context section 3.2; nothing where it is malformed, which is to be
  // taken as absent.
  static std::optional<TraceContext> parse(std::string_view traceparent);
  std::string text() const;
  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

// OTLP's numbers.
enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3, producer = 4, consumer = 5 };
using SpanValue = std::variant<std::string, std::int64_t, double, bool>;

// A span that has ended. Times are nanoseconds since 1970.
struct SpanRecord {
  TraceContext context{};
  std::optional<std::array<std::byte, 8>> parent{};
  std::string name{};
  SpanKind kind = SpanKind::internal;
  std::int64_t start = 0, end = 0;
  std::vector<std::pair<std::string, SpanValue>> attributes{};
  std::string failure{};  // a stable code; empty for success
};

class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void take(SpanRecord record) = 0;  // never blocks
};

class Tracer;

// A piece of work with a beginning and an end. One that is not sampled records nothing; it still passes on the context
// it was given.
class Span {
 public:
  Span() = default;
  Span(Span&& other) noexcept;
  Span& operator=(Span&& other) noexcept;
  ~Span() { end(); }

  bool recording() const { return record_ != nullptr && record_->context.sampled; }
  const std::optional<TraceContext>& context() const { return context_; }
  const Tracer* tracer() const { return tracer_; }
  std::string traceparent() const { return context_ ? context_->text() : std::string{}; }

  // Texts are cut at 256 bytes and lose control characters; beyond 32 attributes nothing is kept.
  void set(std::string_view key, SpanValue value);
  void fail(const Error& error);
  void fail(std::string_view code);
  template <class T>
  void note(const Result<T>& result) {
    if (!result) fail(result.error());
  }
  // A root that turns out to belong to `parent`: it moves into that trace. Only before it has children; no effect on a
  // span with a parent.
  void adopt(const TraceContext& parent);
  void end();

 private:
  friend class Tracer;
  const Tracer* tracer_ = nullptr;
  std::optional<TraceContext> context_;
  std::unique_ptr<SpanRecord> record_;
};

struct SpanOptions {
  std::optional<TraceContext> parent{};  // none: the root of a trace
  SpanKind kind = SpanKind::internal;
  std::optional<std::int64_t> start{};  // where it began before now
};

using NanosecondClock = std::function<std::int64_t()>;
std::int64_t system_nanoseconds();

// Outlives its spans. Safe to use from any thread.
class Tracer {
 public:
  Tracer() = default;  // records nothing
  // Samples `ratio` of the traces, by their ids as OpenTelemetry's TraceIdRatioBased does, so that programs with one
  // ratio agree. `random`: for ids; none: the system's.
  Tracer(std::shared_ptr<SpanSink> sink, double ratio, crypto::RandomSource* random = nullptr,
         NanosecondClock now = system_nanoseconds);

  Span start(std::string_view name, const SpanOptions& options = {}) const;
  bool enabled() const { return sink_ != nullptr; }

 private:
  friend class Span;
  bool samples(const TraceContext& context) const;
  TraceContext context_for(const std::optional<TraceContext>& parent) const;

  std::shared_ptr<SpanSink> sink_;
  double ratio_ = 0;
  crypto::RandomSource* random_ = nullptr;
  NanosecondClock now_;
};

// What this thread works for.
struct ActiveTrace {
  const Tracer* tracer = nullptr;
  std::optional<TraceContext> context{};
};
const ActiveTrace& active_trace();
std::string active_traceparent();  // empty where there is none
// A tracer that records nothing in the place of none.
const Tracer& tracer_or_none(const Tracer* tracer);

// Makes it so for as long as the object lives; objects are nested.
class TraceScope {
 public:
  explicit TraceScope(const Span& span) : TraceScope(ActiveTrace{span.tracer(), span.context()}) {}
  explicit TraceScope(ActiveTrace active);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  ActiveTrace before_;
};

// A step of what this thread works for, and its scope. Where nothing is traced it is nothing.
class TraceStep {
 public:
  explicit TraceStep(std::string_view name, SpanKind kind = SpanKind::internal);
  Span& span() { return span_; }

 private:
  Span span_;
  TraceScope scope_;
};

}  // namespace coffer::net
