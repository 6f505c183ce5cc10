#include "workload/hal/arguments.h"

#include <algorithm>

namespace coffer::workload::hal {
namespace {

std::unexpected<Error> too_long(std::size_t size, std::size_t most) {
  return fail(HalError::limit, std::to_string(size) + " bytes, and this worker takes " + std::to_string(most));
}

}  // namespace

std::unexpected<Error> bad_argument(std::size_t position, std::string_view expected) {
  return fail(HalError::bad_arguments,
              "argument " + std::to_string(position) + " is not " + std::string{expected} + " as in elastic:hal@0.1.0");
}

Result<const wasm::Value*> Arguments::next() {
  if (position_ == values_.size()) return bad_argument(position_ + 1, "there");
  return &values_[position_++];
}

Result<ByteView> Arguments::bytes() {
  const auto* const value = TRY(next());
  const auto* const found = value->if_bytes();
  if (found == nullptr) return bad_argument(position_, "a list<u8>");
  if (found->size() > max_bytes) return too_long(found->size(), max_bytes);
  return ByteView{*found};
}

Result<std::string> Arguments::text() {
  const auto* const value = TRY(next());
  const auto* const found = value->if_text();
  if (found == nullptr) return bad_argument(position_, "a string");
  if (found->size() > max_text) return too_long(found->size(), max_text);
  return *found;
}

Result<std::uint64_t> Arguments::integer(std::uint64_t most) {
  const auto* const value = TRY(next());
  const auto found = value->if_uint64();
  if (!found || *found > most) return bad_argument(position_, "an integer of its range");
  return *found;
}

Result<std::uint64_t> Arguments::u64() {
  return integer(std::numeric_limits<std::uint64_t>::max());
}

Result<std::uint32_t> Arguments::u32() {
  return static_cast<std::uint32_t>(TRY(integer(std::numeric_limits<std::uint32_t>::max())));
}

Result<std::uint16_t> Arguments::u16() {
  return static_cast<std::uint16_t>(TRY(integer(std::numeric_limits<std::uint16_t>::max())));
}

Result<bool> Arguments::boolean() {
  const auto* const found = std::get_if<bool>(&TRY(next())->data());
  if (found == nullptr) return bad_argument(position_, "a bool");
  return *found;
}

Result<std::size_t> Arguments::choice(std::span<const std::string_view> names) {
  const auto* const value = TRY(next());
  const auto* const found = value->if_text();
  if (found == nullptr) return bad_argument(position_, "an enum");
  const auto at = std::ranges::find(names, std::string_view{*found});
  if (at == names.end()) return bad_argument(position_, "a case of its enum");
  return static_cast<std::size_t>(at - names.begin());
}

}  // namespace coffer::workload::hal
