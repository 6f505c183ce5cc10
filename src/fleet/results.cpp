#include "fleet/results.h"

#include "fleet/detail/members.h"

namespace coffer::fleet {
namespace {

using codec::json::Object;
using codec::json::Value;
using detail::Members;

constexpr std::size_t max_error = 64U << 10;

// Cut between characters, not inside one (RFC 3629 section 3).
std::string shortened(std::string text) {
  if (text.size() <= max_error) return text;
  std::size_t size = max_error;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80) --size;
  text.resize(size);
  return text;
}

// Anything that is said about an error is one: a result that is dropped leaves its task running for ever.
std::optional<std::string> read_error(const Members& members) {
  const Value* value = members.find("error");
  if (value == nullptr) return std::nullopt;
  const auto* text = value->if_string();
  if (text == nullptr) return shortened(codec::json::serialize(*value));
  return text->empty() ? std::nullopt : std::optional{shortened(*text)};
}

Result<std::optional<int>> read_exit_code(const Members& members) {
  const Value* value = members.find("exit_code");
  if (value == nullptr) return std::optional<int>{};
  const auto code = value->if_int64();
  if (!code || *code < -2'147'483'647 || *code > 2'147'483'647)
    return fail(members.bad("exit_code", "a whole number", *value));
  return std::optional{static_cast<int>(*code)};
}

Result<ResultDetails> read_details(const Members& members) {
  ResultDetails details;
  details.code = TRY(members.optional_identifier("code"));
  details.stdout_text = TRY(members.text("stdout"));
  details.stderr_text = TRY(members.text("stderr"));
  details.exit_code = TRY(read_exit_code(members));
  details.module_digest = TRY(members.optional_identifier("module_digest"));
  details.signature = TRY(members.text("signature"));
  const Value* lasting = members.find("lasting");
  details.lasting = lasting != nullptr && lasting->if_bool() != nullptr && *lasting->if_bool();
  return details;
}

template <class Message>
Result<> read_outcome(const Members& members, Message& message) {
  message.proplet_id = TRY(members.optional_identifier("proplet_id"));
  const Value* results = members.find("results");
  message.results = results == nullptr ? Value{} : *results;
  message.error = read_error(members);
  message.details = TRY(read_details(members));
  return {};
}

template <class Message>
void append_outcome(Object& object, const Message& message) {
  detail::append_text(object, "proplet_id", message.proplet_id);
  object.append("results", message.results);
  object.append("error", message.error ? Value{*message.error} : Value{});
  const ResultDetails& details = message.details;
  detail::append_text(object, "code", details.code);
  detail::append_text(object, "stdout", details.stdout_text);
  detail::append_text(object, "stderr", details.stderr_text);
  if (details.exit_code) object.append("exit_code", *details.exit_code);
  detail::append_text(object, "module_digest", details.module_digest);
  detail::append_text(object, "signature", details.signature);
  if (details.lasting) object.append("lasting", true);
}

}  // namespace

Result<TaskResult> parse_task_result(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  const Members members{object, "result"};
  TaskResult result;
  result.task_id = TRY(members.identifier("task_id"));
  TRY(read_outcome(members, result));
  result.run = TRY(members.optional_identifier("run"));
  return result;
}

Result<InvokeResult> parse_invoke_result(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  const Members members{object, "invoke_result"};
  InvokeResult result;
  result.task_id = TRY(members.identifier("task_id"));
  result.invocation_id = TRY(members.identifier("invocation_id"));
  TRY(read_outcome(members, result));
  return result;
}

std::string to_json(const TaskResult& result) {
  Object object{{"task_id", result.task_id}};
  append_outcome(object, result);
  detail::append_text(object, "run", result.run);
  return codec::json::serialize(object);
}

std::string to_json(const InvokeResult& result) {
  Object object{{"task_id", result.task_id}, {"invocation_id", result.invocation_id}};
  append_outcome(object, result);
  return codec::json::serialize(object);
}

}  // namespace coffer::fleet
