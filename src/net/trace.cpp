#include "net/trace.h"

#include <algorithm>
#include <chrono>

#include "base/printable.h"
#include "codec/base64.h"

namespace coffer::net {
namespace {

constexpr std::size_t most_attributes = 32;
constexpr std::size_t longest_text = 256;

thread_local ActiveTrace active;

// W3C Trace Context section 3.2.2: lower-case digits alone.
template <std::size_t Size>
bool read_hex(std::string_view text, std::array<std::byte, Size>& out) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (text.size() != 2 * Size) return false;
  for (std::size_t i = 0; i < Size; ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

template <std::size_t Size>
bool is_zero(const std::array<std::byte, Size>& id) {
  return std::ranges::all_of(id, [](std::byte b) { return b == std::byte{0}; });
}

// Ids are no secrets, but there are many: each thread draws some at once.
void draw(MutableByteView out) {
  thread_local std::array<std::byte, 512> drawn;
  thread_local std::size_t used = drawn.size();
  if (drawn.size() - used < out.size()) {
    crypto::system_random().fill(drawn);
    used = 0;
  }
  std::ranges::copy(ByteView{drawn}.subspan(used, out.size()), out.begin());
  used += out.size();
}

// An id of zeros is none.
template <std::size_t Size>
void fill(std::array<std::byte, Size>& id, crypto::RandomSource* random) {
  if (random == nullptr) {
    draw(id);
  } else {
    random->fill(id);
  }
  if (is_zero(id)) id.back() = std::byte{1};
}

std::uint64_t last_63_bits(const std::array<std::byte, 16>& id) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i < id.size(); ++i) value = value << 8U | std::to_integer<std::uint64_t>(id[i]);
  return value >> 1U;
}

}  // namespace

std::optional<TraceContext> TraceContext::parse(std::string_view traceparent) {
  constexpr std::size_t size = 55;
  if (traceparent.size() < size || traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') {
    return std::nullopt;
  }
  std::array<std::byte, 1> version{};
  std::array<std::byte, 1> flags{};
  TraceContext context;
  const bool readable =
      read_hex(traceparent.substr(0, 2), version) && read_hex(traceparent.substr(3, 32), context.trace_id) &&
      read_hex(traceparent.substr(36, 16), context.span_id) && read_hex(traceparent.substr(53, 2), flags);
  // Section 3.2.2.1: version ff is forbidden; what a later one adds stands behind a further hyphen.
  if (!readable || version[0] == std::byte{0xff}) return std::nullopt;
  const bool longer = traceparent.size() > size;
  if (longer && (version[0] == std::byte{0} || traceparent[size] != '-')) return std::nullopt;
  if (is_zero(context.trace_id) || is_zero(context.span_id)) return std::nullopt;
  context.sampled = (flags[0] & std::byte{1}) != std::byte{0};
  return context;
}

std::string TraceContext::text() const {
  return "00-" + codec::hex_encode(trace_id) + "-" + codec::hex_encode(span_id) + (sampled ? "-01" : "-00");
}

Span::Span(Span&& other) noexcept
    : tracer_(std::exchange(other.tracer_, nullptr)),
      context_(std::exchange(other.context_, std::nullopt)),
      record_(std::move(other.record_)) {}

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  end();
  tracer_ = std::exchange(other.tracer_, nullptr);
  context_ = std::exchange(other.context_, std::nullopt);
  record_ = std::move(other.record_);
  return *this;
}

void Span::set(std::string_view key, SpanValue value) {
  if (!record_ || record_->attributes.size() >= most_attributes) return;
  if (auto* text = std::get_if<std::string>(&value)) *text = printable(*text, longest_text);
  record_->attributes.emplace_back(std::string{key}, std::move(value));
}

void Span::fail(const Error& error) {
  fail(error.code.name());
}

void Span::fail(std::string_view code) {
  if (record_) record_->failure = code;
}

void Span::adopt(const TraceContext& parent) {
  if (!record_) {
    if (!context_) context_ = parent;
    return;
  }
  if (record_->parent) return;
  if (!tracer_->samples(parent)) {
    record_.reset();
    context_ = parent;
    return;
  }
  context_->trace_id = parent.trace_id;
  context_->sampled = true;
  record_->context = *context_;
  record_->parent = parent.span_id;
}

void Span::end() {
  if (!record_) return;
  const auto record = std::exchange(record_, nullptr);
  if (!record->context.sampled) return;
  record->end = std::max(tracer_->now_(), record->start);
  tracer_->sink_->take(std::move(*record));
}

std::int64_t system_nanoseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

Tracer::Tracer(std::shared_ptr<SpanSink> sink, double ratio, crypto::RandomSource* random, NanosecondClock now)
    : sink_(std::move(sink)), ratio_(ratio), random_(random), now_(std::move(now)) {}

bool Tracer::samples(const TraceContext& context) const {
  if (ratio_ >= 1) return true;
  if (!(ratio_ > 0)) return false;
  return last_63_bits(context.trace_id) < static_cast<std::uint64_t>(ratio_ * 0x1p63);
}

TraceContext Tracer::context_for(const std::optional<TraceContext>& parent) const {
  TraceContext context;
  if (parent) {
    context.trace_id = parent->trace_id;
  } else {
    fill(context.trace_id, random_);
  }
  fill(context.span_id, random_);
  context.sampled = samples(context);
  return context;
}

Span Tracer::start(std::string_view name, const SpanOptions& options) const {
  Span span;
  span.tracer_ = this;
  span.context_ = options.parent;
  if (!enabled() || (options.parent && !samples(*options.parent))) return span;
  span.context_ = context_for(options.parent);  // a root that is not sampled may still be adopted
  span.record_ = std::make_unique<SpanRecord>();
  span.record_->context = *span.context_;
  if (options.parent) span.record_->parent = options.parent->span_id;
  span.record_->name = name;
  span.record_->kind = options.kind;
  span.record_->start = options.start ? *options.start : now_();
  return span;
}

const ActiveTrace& active_trace() {
  return active;
}

std::string active_traceparent() {
  return active.context ? active.context->text() : std::string{};
}

const Tracer& tracer_or_none(const Tracer* tracer) {
  static const Tracer none;
  return tracer == nullptr ? none : *tracer;
}

TraceScope::TraceScope(ActiveTrace now_active) : before_(std::exchange(active, now_active)) {}

TraceScope::~TraceScope() {
  active = before_;
}

namespace {

Span step_of(const ActiveTrace& under_way, std::string_view name, SpanKind kind) {
  if (under_way.tracer == nullptr || !under_way.context) return {};
  return under_way.tracer->start(name, {.parent = under_way.context, .kind = kind});
}

}  // namespace

TraceStep::TraceStep(std::string_view name, SpanKind kind)
    : span_(step_of(active_trace(), name, kind)),
      scope_(span_.context() ? ActiveTrace{span_.tracer(), span_.context()} : active_trace()) {}

}  // namespace coffer::net
