// The one checked cursor for binary formats. It never reads past its view and never allocates.
#pragma once

#include <bit>
#include <concepts>

#include "base/bytes.h"
#include "base/result.h"

namespace coffer {

enum class ReadError { truncated, trailing_bytes };
std::string_view code_name(ReadError code);

class ByteReader {
 public:
  explicit ByteReader(ByteView data) : data_(data) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return data_.size() - offset_; }
  bool at_end() const { return remaining() == 0; }

  // The next `size` bytes, a view into the input. `what` names the field in the error.
  Result<ByteView> bytes(std::size_t size, std::string_view what);
  Result<std::uint8_t> u8(std::string_view what);
  Result<std::uint16_t> u16_le(std::string_view what);
  Result<std::uint16_t> u16_be(std::string_view what);
  Result<std::uint32_t> u32_le(std::string_view what);
  Result<std::uint32_t> u32_be(std::string_view what);
  Result<std::uint64_t> u64_le(std::string_view what);
  Result<std::uint64_t> u64_be(std::string_view what);
  Result<> skip(std::size_t size, std::string_view what);
  ByteView rest();

  // An error when bytes are left over: most signed formats forbid them.
  Result<> expect_end(std::string_view what) const;

 private:
  template <std::unsigned_integral T>
  Result<T> integer(std::endian order, std::string_view what);

  ByteView data_;
  std::size_t offset_ = 0;
};

// The matching writer for the few binary formats that we emit.
class ByteWriter {
 public:
  ByteWriter& u8(std::uint8_t value);
  ByteWriter& u16_le(std::uint16_t value);
  ByteWriter& u16_be(std::uint16_t value);
  ByteWriter& u32_le(std::uint32_t value);
  ByteWriter& u32_be(std::uint32_t value);
  ByteWriter& u64_le(std::uint64_t value);
  ByteWriter& u64_be(std::uint64_t value);
  ByteWriter& bytes(ByteView value);
  ByteWriter& zeros(std::size_t count);

  const Bytes& view() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  template <std::unsigned_integral T>
  ByteWriter& integer(T value, std::endian order);

  Bytes out_;
};

}  // namespace coffer
