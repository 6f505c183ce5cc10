#include "base/byte_reader.h"

#include <algorithm>
#include <cstring>

namespace coffer {

std::string_view code_name(ReadError code) {
  switch (code) {
    case ReadError::truncated: return "bytes.truncated";
    case ReadError::trailing_bytes: return "bytes.trailing";
  }
  std::unreachable();
}

Result<ByteView> ByteReader::bytes(std::size_t size, std::string_view what) {
  if (size > remaining()) {
    return fail(ReadError::truncated, std::string{what} + " needs " + std::to_string(size) + " bytes at offset " +
                                          std::to_string(offset_) + ", " + std::to_string(remaining()) + " are left");
  }
  const auto view = data_.subspan(offset_, size);
  offset_ += size;
  return view;
}

template <std::unsigned_integral T>
Result<T> ByteReader::integer(std::endian order, std::string_view what) {
  const auto view = TRY(bytes(sizeof(T), what));
  T value;
  std::memcpy(&value, view.data(), sizeof(T));
  return order == std::endian::native ? value : std::byteswap(value);
}

Result<std::uint8_t> ByteReader::u8(std::string_view what) {
  return integer<std::uint8_t>(std::endian::native, what);
}
Result<std::uint16_t> ByteReader::u16_le(std::string_view what) {
  return integer<std::uint16_t>(std::endian::little, what);
}
Result<std::uint16_t> ByteReader::u16_be(std::string_view what) {
  return integer<std::uint16_t>(std::endian::big, what);
}
Result<std::uint32_t> ByteReader::u32_le(std::string_view what) {
  return integer<std::uint32_t>(std::endian::little, what);
}
Result<std::uint32_t> ByteReader::u32_be(std::string_view what) {
  return integer<std::uint32_t>(std::endian::big, what);
}
Result<std::uint64_t> ByteReader::u64_le(std::string_view what) {
  return integer<std::uint64_t>(std::endian::little, what);
}
Result<std::uint64_t> ByteReader::u64_be(std::string_view what) {
  return integer<std::uint64_t>(std::endian::big, what);
}

Result<> ByteReader::skip(std::size_t size, std::string_view what) {
  TRY(bytes(size, what));
  return {};
}

ByteView ByteReader::rest() {
  const auto view = data_.subspan(offset_);
  offset_ = data_.size();
  return view;
}

Result<> ByteReader::expect_end(std::string_view what) const {
  if (at_end()) return {};
  return fail(ReadError::trailing_bytes, std::to_string(remaining()) + " bytes follow " + std::string{what} +
                                             " at offset " + std::to_string(offset_));
}

template <std::unsigned_integral T>
ByteWriter& ByteWriter::integer(T value, std::endian order) {
  if (order != std::endian::native) value = std::byteswap(value);
  const auto old_size = out_.size();
  out_.resize(old_size + sizeof(T));
  std::memcpy(out_.data() + old_size, &value, sizeof(T));
  return *this;
}

ByteWriter& ByteWriter::u8(std::uint8_t value) {
  return integer(value, std::endian::native);
}
ByteWriter& ByteWriter::u16_le(std::uint16_t value) {
  return integer(value, std::endian::little);
}
ByteWriter& ByteWriter::u16_be(std::uint16_t value) {
  return integer(value, std::endian::big);
}
ByteWriter& ByteWriter::u32_le(std::uint32_t value) {
  return integer(value, std::endian::little);
}
ByteWriter& ByteWriter::u32_be(std::uint32_t value) {
  return integer(value, std::endian::big);
}
ByteWriter& ByteWriter::u64_le(std::uint64_t value) {
  return integer(value, std::endian::little);
}
ByteWriter& ByteWriter::u64_be(std::uint64_t value) {
  return integer(value, std::endian::big);
}

ByteWriter& ByteWriter::bytes(ByteView value) {
  out_.insert(out_.end(), value.begin(), value.end());
  return *this;
}

ByteWriter& ByteWriter::zeros(std::size_t count) {
  out_.resize(out_.size() + count);
  return *this;
}

}  // namespace coffer
