// libcbor reads one item at a time and allocates nothing; the tree and its bounds are ours. (Its own cbor_load
// allocates what a length says, before the bytes are there.)
#include <cbor.h>

#include <algorithm>

#include "codec/cbor.h"
#include "codec/detail/utf8.h"

namespace coffer::codec::cbor {
namespace {

bool has_duplicate_keys(const Map& map) {
  std::vector<Bytes> keys;
  keys.reserve(map.size());
  for (const auto& [key, content] : map) keys.push_back(encode(key));
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

// Receives items in the order of the bytes and builds the value. The first failure stands.
class Builder {
 public:
  explicit Builder(const Limits& limits) : limits_(limits) {}

  bool done() const { return done_; }
  const std::optional<Error>& failure() const { return failure_; }
  Value take() { return std::move(root_); }

  void item(Value value) {
    if (count() && expect_no_chunks()) place(std::move(value));
  }

  void text(std::string_view text) {
    if (detail::find_invalid_utf8(text)) return stop(CborError::syntax, "a text string is no UTF-8");
    string_or_chunk(Kind::text_chunks, std::string{text});
  }

  void bytes(ByteView bytes) { string_or_chunk(Kind::byte_chunks, to_bytes(bytes)); }

  void start_array(std::optional<std::uint64_t> size) { start({.kind = Kind::array, .remaining = size}, size); }

  void start_map(std::optional<std::uint64_t> pairs) {
    start({.kind = Kind::map, .remaining = pairs, .data = Map{}}, pairs);
  }

  void start_tag(std::uint64_t tag) { start({.kind = Kind::tag, .tag = tag}, std::nullopt); }
  void start_text() { start({.kind = Kind::text_chunks, .data = std::string{}}, std::nullopt); }
  void start_bytes() { start({.kind = Kind::byte_chunks, .data = Bytes{}}, std::nullopt); }

  // The "break" stop code.
  void end_indefinite() {
    if (open_.empty() || open_.back().remaining || open_.back().kind == Kind::tag || open_.back().key) {
      return stop(CborError::syntax, "a break stands where no indefinite length ends");
    }
    close();
  }

 private:
  enum class Kind { array, map, tag, byte_chunks, text_chunks };

  struct Open {  // an item whose end has not come
    Kind kind;
    std::optional<std::uint64_t> remaining{};  // elements or pairs; nothing where the length is indefinite
    std::uint64_t tag = 0;
    Value::Data data{Array{}};
    std::optional<Value> key{};  // of a map, until its value comes
  };

  void stop(CborError code, std::string message) {
    if (!failure_) failure_ = Error{code, std::move(message)};
  }

  bool count() {
    if (++items_ <= limits_.max_items) return true;
    stop(CborError::too_large, "there are more than " + std::to_string(limits_.max_items) + " items");
    return false;
  }

  bool expect_no_chunks() {
    if (open_.empty() || (open_.back().kind != Kind::byte_chunks && open_.back().kind != Kind::text_chunks))
      return true;
    stop(CborError::syntax, "a string of indefinite length holds something other than strings of its kind");
    return false;
  }

  void start(Open open, std::optional<std::uint64_t> size) {
    if (!count() || !expect_no_chunks()) return;
    if (size && *size > limits_.max_items) {
      return stop(CborError::too_large, "a length of " + std::to_string(*size) + " is over the limit of " +
                                            std::to_string(limits_.max_items) + " items");
    }
    if (open_.size() >= limits_.max_depth) {
      return stop(CborError::too_deep, "the nesting is deeper than " + std::to_string(limits_.max_depth));
    }
    open_.push_back(std::move(open));
    if (size && *size == 0) close();
  }

  template <class String>
  void string_or_chunk(Kind chunks, String string) {
    if (open_.empty() || open_.back().kind != chunks) return item(Value{std::move(string)});
    if (!count()) return;
    auto& joined = std::get<String>(open_.back().data);
    joined.insert(joined.end(), string.begin(), string.end());
  }

  // The innermost open item is complete.
  void close() {
    auto open = std::move(open_.back());
    open_.pop_back();
    if (open.kind == Kind::map && has_duplicate_keys(std::get<Map>(open.data))) {
      return stop(CborError::duplicate_key, "a map has a key twice");
    }
    place(Value::from(std::move(open.data)));
  }

  void place(Value value) {
    while (!open_.empty() && open_.back().kind == Kind::tag) {
      value = Value::tagged(open_.back().tag, std::move(value));
      open_.pop_back();
    }
    if (open_.empty()) {
      root_ = std::move(value);
      done_ = true;
      return;
    }
    auto& open = open_.back();
    if (!add_to(open, std::move(value))) return;
    auto& remaining = open.remaining;
    if (remaining && --*remaining == 0) close();
  }

  // Whether an element or a pair became complete.
  static bool add_to(Open& open, Value value) {
    if (open.kind == Kind::map && !open.key) {
      open.key = std::move(value);
      return false;
    }
    if (open.kind == Kind::map) {
      std::get<Map>(open.data).emplace_back(*std::move(open.key), std::move(value));
      open.key.reset();
    } else {
      std::get<Array>(open.data).push_back(std::move(value));
    }
    return true;
  }

  const Limits& limits_;
  Value root_;
  bool done_ = false;
  std::vector<Open> open_;
  std::size_t items_ = 0;
  std::optional<Error> failure_;
};

Builder& builder(void* context) {
  return *static_cast<Builder*>(context);
}

ByteView view(cbor_data data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

cbor_callbacks make_callbacks() {
  cbor_callbacks c = cbor_empty_callbacks;
  c.uint8 = [](void* context, std::uint8_t v) { builder(context).item(v); };
  c.uint16 = [](void* context, std::uint16_t v) { builder(context).item(v); };
  c.uint32 = [](void* context, std::uint32_t v) { builder(context).item(v); };
  c.uint64 = [](void* context, std::uint64_t v) { builder(context).item(v); };
  c.negint8 = [](void* context, std::uint8_t v) { builder(context).item(Value::negative(v)); };
  c.negint16 = [](void* context, std::uint16_t v) { builder(context).item(Value::negative(v)); };
  c.negint32 = [](void* context, std::uint32_t v) { builder(context).item(Value::negative(v)); };
  c.negint64 = [](void* context, std::uint64_t v) { builder(context).item(Value::negative(v)); };
  c.byte_string = [](void* context, cbor_data data, std::size_t size) { builder(context).bytes(view(data, size)); };
  c.byte_string_start = [](void* context) { builder(context).start_bytes(); };
  c.string = [](void* context, cbor_data data, std::size_t size) { builder(context).text(as_text(view(data, size))); };
  c.string_start = [](void* context) { builder(context).start_text(); };
  c.array_start = [](void* context, std::size_t size) { builder(context).start_array(size); };
  c.indef_array_start = [](void* context) { builder(context).start_array(std::nullopt); };
  c.map_start = [](void* context, std::size_t size) { builder(context).start_map(size); };
  c.indef_map_start = [](void* context) { builder(context).start_map(std::nullopt); };
  c.tag = [](void* context, std::uint64_t tag) { builder(context).start_tag(tag); };
  c.float2 = [](void* context, float v) { builder(context).item(static_cast<double>(v)); };
  c.float4 = [](void* context, float v) { builder(context).item(static_cast<double>(v)); };
  c.float8 = [](void* context, double v) { builder(context).item(v); };
  c.undefined = [](void* context) { builder(context).item(Value::from(Undefined{})); };
  c.null = [](void* context) { builder(context).item(Value{}); };
  c.boolean = [](void* context, bool v) { builder(context).item(v); };
  c.indef_break = [](void* context) { builder(context).end_indefinite(); };
  return c;
}

// Reads one item's head (and a string's bytes); its size in bytes. libcbor refuses tags from 6 to 20, 18 of COSE_Sign1
// among them, and simple values without a meaning (section 3.3: one byte up to 19, two bytes from 32 on).
Result<std::size_t> read_item(ByteView rest, Builder& into) {
  static const cbor_callbacks callbacks = make_callbacks();
  const auto initial = std::to_integer<std::uint8_t>(rest[0]);
  if (initial >= 0xc0 && initial <= 0xd7) {
    into.start_tag(initial & 0x1f);
    return 1;
  }
  if (initial >= 0xe0 && initial <= 0xf3) {
    into.item(Value::from(Simple{static_cast<std::uint8_t>(initial & 0x1f)}));
    return 1;
  }
  if (initial == 0xf8 && rest.size() >= 2 && std::to_integer<std::uint8_t>(rest[1]) >= 32) {
    into.item(Value::from(Simple{std::to_integer<std::uint8_t>(rest[1])}));
    return 2;
  }
  const auto result = cbor_stream_decode(reinterpret_cast<cbor_data>(rest.data()), rest.size(), &callbacks, &into);
  if (result.status == CBOR_DECODER_FINISHED) return result.read;
  if (result.status == CBOR_DECODER_NEDATA) return fail(CborError::truncated, "the data end in the middle of an item");
  return fail(CborError::syntax, "no item begins with the byte " + std::to_string(initial));
}

Error at_offset(Error error, std::size_t offset) {
  error.message = "at offset " + std::to_string(offset) + ": " + error.message;
  return error;
}

}  // namespace

Result<Value> parse(ByteView data, const Limits& limits) {
  if (data.size() > limits.max_size) {
    return fail(CborError::too_large, "the CBOR data have " + std::to_string(data.size()) + " bytes, more than the " +
                                          std::to_string(limits.max_size) + " allowed");
  }
  Builder builder(limits);
  std::size_t offset = 0;
  while (!builder.done()) {
    if (offset == data.size()) return fail(CborError::truncated, "the data end before the value does");
    const auto size = read_item(data.subspan(offset), builder);
    if (!size) return fail(at_offset(size.error(), offset));
    if (const auto& failure = builder.failure()) return fail(at_offset(*failure, offset));
    offset += *size;
  }
  if (offset == data.size()) return builder.take();
  return fail(CborError::trailing_bytes, std::to_string(data.size() - offset) + " bytes follow the value");
}

}  // namespace coffer::codec::cbor
