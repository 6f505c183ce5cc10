#include "policy/detail/native_policy.h"

#include <exception>

#include "native_buffer.h"
#include "policy/engine.h"

namespace coffer::policy::detail {
namespace {

using native::Buffer;
using native::view_of;

// regorus writes "\n--> name:3:7\n  |\n3 | source\n  |  ^\nerror: what". People get "name:3:7: what".
std::string one_sentence(std::string_view text) {
  const auto arrow = text.find("--> ");
  const auto what = text.find("error: ", arrow == std::string_view::npos ? 0 : arrow);
  if (arrow == std::string_view::npos || what == std::string_view::npos) return std::string{text};
  const auto place = text.substr(arrow + 4, text.find('\n', arrow) - arrow - 4);
  const auto message = text.substr(what + 7, text.find('\n', what) - what - 7);
  return std::string{place} + ": " + std::string{message};
}

std::unexpected<Error> failure(std::int32_t code, const Buffer& message) {
  if (code == COFFER_TIMED_OUT) return fail(PolicyError::timeout, one_sentence(message.text()));
  if (code == COFFER_PANICKED) return fail(PolicyError::evaluation, "the Rego engine failed: " + message.text());
  return fail(PolicyError::evaluation, one_sentence(message.text()));
}

Result<std::optional<std::string>> answer(std::int32_t code, const Buffer& out, const Buffer& error) {
  if (code == COFFER_VALUE) return out.text();
  if (code == COFFER_NOTHING) return std::nullopt;
  return failure(code, error);
}

std::int32_t look_up(void* context, coffer_view id, coffer_buffer* out) noexcept try {
  auto& lookup = *static_cast<ReferenceLookup*>(context);
  const auto value = lookup.look_up(std::string{reinterpret_cast<const char*>(id.data), id.size});
  if (!value) {
    *out = coffer_buffer_copy(view_of(value.error().message));
    return COFFER_FAILED;
  }
  const auto& text = *value;
  if (!text) return COFFER_NOTHING;
  *out = coffer_buffer_copy(view_of(*text));
  return COFFER_VALUE;
} catch (const std::exception& exception) {
  *out = coffer_buffer_copy(view_of(exception.what()));
  return COFFER_FAILED;
}

}  // namespace

void NativePolicy::Free::operator()(coffer_policy* policy) const {
  coffer_policy_free(policy);
}

void NativeEvaluation::Free::operator()(coffer_evaluation* evaluation) const {
  coffer_evaluation_free(evaluation);
}

Result<NativePolicy> NativePolicy::parse(std::string_view name, std::string_view text) {
  NativePolicy policy;
  Buffer error;
  Buffer package;
  policy.handle_.reset(coffer_policy_parse(view_of(name), view_of(text), error.out()));
  if (!policy.handle_) return fail(PolicyError::syntax, one_sentence(error.text()));
  const auto code = coffer_policy_describe(policy.handle_.get(), package.out(), &policy.rule_count_);
  if (code != COFFER_VALUE) return failure(code, package);
  policy.name_ = name;
  policy.package_ = package.text();
  if (policy.package_.starts_with("data.")) policy.package_.erase(0, 5);
  return policy;
}

Result<> NativePolicy::prepare() {
  Buffer error;
  const auto code = coffer_policy_prepare(handle_.get(), error.out());
  if (code < 0) return fail(PolicyError::syntax, one_sentence(error.text()));
  return {};
}

Result<std::string> NativePolicy::syntax_tree() const {
  Buffer out;
  const auto code = coffer_policy_syntax_tree(handle_.get(), out.out());
  if (code != COFFER_VALUE) return failure(code, out);
  return out.text();
}

Result<NativeEvaluation> NativeEvaluation::begin(const NativePolicy& policy, const NativeEvaluationOptions& options) {
  const coffer_evaluation_options native{
      .input = view_of(options.input),
      .data = view_of(options.data),
      .budget_milliseconds = static_cast<std::uint64_t>(options.budget.count()),
      .coverage = options.coverage,
      .lookup = options.lookup == nullptr ? nullptr : &look_up,
      .context = options.lookup,
  };
  Buffer error;
  NativeEvaluation evaluation;
  evaluation.handle_.reset(coffer_evaluation_begin(policy.handle_.get(), &native, error.out()));
  if (!evaluation.handle_) return fail(PolicyError::evaluation, one_sentence(error.text()));
  return evaluation;
}

Result<std::optional<std::string>> NativeEvaluation::query(std::string_view query) {
  Buffer out;
  Buffer error;
  const auto code = coffer_evaluation_query(handle_.get(), view_of(query), out.out(), error.out());
  return answer(code, out, error);
}

Result<std::string> NativeEvaluation::covered_lines() {
  Buffer out;
  const auto code = coffer_evaluation_coverage(handle_.get(), out.out());
  if (code != COFFER_VALUE) return failure(code, out);
  return out.text();
}

}  // namespace coffer::policy::detail
