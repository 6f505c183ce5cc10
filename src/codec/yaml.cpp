#include "codec/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <optional>
#include <sstream>
#include <unordered_set>
#include <vector>

#include "codec/detail/utf8.h"

namespace coffer::codec {
namespace {

constexpr std::size_t max_depth = 64;

// The number that all of `digits` spells.
template <class Number>
std::optional<Number> whole(std::string_view digits) {
  Number number{};
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number);
  return read.ec == std::errc{} && read.ptr == end ? std::optional{number} : std::nullopt;
}

// YAML 1.2 section 10.3.2: how a plain scalar reads.
json::Value plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const std::string_view digits = std::string_view{text}.substr(text.starts_with('+') ? 1 : 0);
  if (digits.size() < text.size() && digits.starts_with('-')) return text;
  if (const auto integer = whole<std::int64_t>(digits)) return *integer;
  if (const auto integer = whole<std::uint64_t>(digits)) return *integer;
  if (digits.find_first_not_of("+-.0123456789eE") != std::string_view::npos) return text;  // nan and the like
  if (const auto number = whole<double>(digits)) return *number;
  return text;
}

// Builds the value from the parser's events, so that aliases never multiply and depth is known before it is used.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view file_name) : file_name_(file_name) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(nullptr, mark, anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse(YamlError::not_supported, mark, "an alias"); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (in_map() && !open_.back().key) return set_key(mark, tag, anchor, value);
    if (tag == "?" || tag.empty()) return add(plain_scalar(value), mark, anchor);
    if (tag == "!") return add(value, mark, anchor);
    refuse(YamlError::not_supported, mark, "the tag " + tag);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    enter(json::Array{}, mark, tag, anchor);
  }
  void OnSequenceEnd() override { leave(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    enter(json::Object{}, mark, tag, anchor);
  }
  void OnMapEnd() override { leave(); }

  Result<Document> finish() && {
    if (error_) return fail(*std::move(error_));
    return Document{.root = std::move(root_), .lines = lines_.take()};
  }
  bool failed() const { return error_.has_value(); }

 private:
  struct Open {
    json::Value value;
    std::string pointer;
    std::optional<std::string> key{};
    std::unordered_set<std::string> keys{};  // of a map
  };

  bool in_map() const { return !open_.empty() && open_.back().value.is_object(); }

  void refuse(YamlError code, const YAML::Mark& mark, const std::string& what) {
    if (error_) return;
    error_ = Error{code, std::string{file_name_} + ":" + std::to_string(mark.line + 1) + ": " + what +
                             " has no place in a configuration file"};
  }

  // What the parser says of a node without a tag: "?" of plain ones, "!" of quoted ones, nothing of some others.
  void refuse_decoration(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(YamlError::not_supported, mark, "an anchor");
    if (!tag.empty() && tag != "?" && tag != "!") refuse(YamlError::not_supported, mark, "the tag " + tag);
  }

  void set_key(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& key) {
    refuse_decoration(mark, tag, anchor);
    auto& top = open_.back();
    if (!top.keys.insert(key).second) refuse(YamlError::duplicate_key, mark, "the second key " + key);
    top.key = key;
    lines_.add(top.pointer + pointer_step(key), line_of(mark));
  }

  static std::size_t line_of(const YAML::Mark& mark) { return static_cast<std::size_t>(mark.line) + 1; }

  std::string next_pointer() const {
    if (open_.empty()) return {};
    const auto& top = open_.back();
    if (top.key) return top.pointer + pointer_step(*top.key);
    const auto* array = top.value.if_array();
    return top.pointer + "/" + std::to_string(array == nullptr ? 0 : array->size());
  }

  void enter(json::Value value, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_decoration(mark, tag, anchor);
    if (open_.size() >= max_depth) refuse(YamlError::too_deep, mark, "nesting over the limit of 64");
    if (in_map() && !open_.back().key) refuse(YamlError::not_supported, mark, "a key that is no text");
    auto pointer = next_pointer();
    lines_.add(pointer, line_of(mark));
    open_.push_back({std::move(value), std::move(pointer)});
  }

  void leave() {
    auto value = std::move(open_.back().value);
    open_.pop_back();
    attach(std::move(value));
  }

  void add(json::Value value, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) return refuse(YamlError::not_supported, mark, "an anchor");
    if (in_map() && !open_.back().key) return refuse(YamlError::not_supported, mark, "a key that is no text");
    lines_.add(next_pointer(), line_of(mark));
    attach(std::move(value));
  }

  void attach(json::Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    auto& top = open_.back();
    if (auto* array = top.value.if_array()) {
      array->push_back(std::move(value));
    } else if (top.key) {
      top.value.if_object()->append(*std::move(top.key), std::move(value));
      top.key.reset();
    }
  }

  std::string_view file_name_;
  json::Value root_;
  LineMap lines_;
  std::vector<Open> open_;
  std::optional<Error> error_;
};

}  // namespace

std::string_view code_name(YamlError code) {
  switch (code) {
    case YamlError::syntax: return "yaml.syntax";
    case YamlError::too_large: return "yaml.too_large";
    case YamlError::too_deep: return "yaml.too_deep";
    case YamlError::duplicate_key: return "yaml.duplicate_key";
    case YamlError::not_supported: return "yaml.not_supported";
  }
  return "yaml.unknown";
}

Result<Document> parse_yaml_document(std::string_view text, std::string_view file_name) {
  const std::string name{file_name};
  if (text.size() > max_yaml_size) {
    return fail(YamlError::too_large, name + ": " + std::to_string(text.size()) + " bytes are over the limit of " +
                                          std::to_string(max_yaml_size));
  }
  // The parser passes bytes through as they are; a JSON value holds UTF-8.
  if (const auto offset = detail::find_invalid_utf8(text)) {
    return fail(YamlError::syntax, name + ": the byte at offset " + std::to_string(*offset) + " is no UTF-8");
  }
  Builder builder{file_name};
  try {
    std::istringstream stream{std::string{text}};
    YAML::Parser parser{stream};
    if (!parser.HandleNextDocument(builder)) return Document{.root = json::Object{}};
    if (!builder.failed() && parser) {
      return fail(YamlError::not_supported, name + ": a second document has no place in a configuration file");
    }
  } catch (const YAML::Exception& error) {
    return fail(YamlError::syntax, name + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
  auto document = TRY(std::move(builder).finish());
  if (document.root.is_null()) document.root = json::Object{};
  return document;
}

}  // namespace coffer::codec
