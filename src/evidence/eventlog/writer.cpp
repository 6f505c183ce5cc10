#include "evidence/eventlog/writer.h"

#include "base/byte_reader.h"

namespace coffer::evidence::eventlog {

namespace {

std::uint32_t size_of(ByteView data) {
  return static_cast<std::uint32_t>(data.size());
}

// TCG_EfiSpecIdEvent for a client platform, version 2.0, 64-bit.
Bytes spec_id(const std::vector<crypto::HashAlgorithm>& algorithms) {
  ByteWriter out;
  out.bytes(as_bytes({"Spec ID Event03\0", 16})).u32_le(0).u8(0).u8(2).u8(0).u8(2);
  out.u32_le(static_cast<std::uint32_t>(algorithms.size()));
  for (const auto each : algorithms) {
    out.u16_le(algorithm_id(each)).u16_le(static_cast<std::uint16_t>(crypto::digest_size(each)));
  }
  return out.u8(0).take();
}

}  // namespace

Bytes encode_event(std::uint32_t index, EventType type, std::span<const OwnedDigest> digests, ByteView data) {
  ByteWriter out;
  out.u32_le(index).u32_le(std::to_underlying(type)).u32_le(static_cast<std::uint32_t>(digests.size()));
  for (const auto& each : digests) out.u16_le(algorithm_id(each.algorithm)).bytes(each.digest);
  return out.u32_le(size_of(data)).bytes(data).take();
}

LogWriter::LogWriter(std::vector<crypto::HashAlgorithm> algorithms) : algorithms_(std::move(algorithms)) {
  const auto body = spec_id(algorithms_);
  ByteWriter out;
  out.u32_le(0).u32_le(std::to_underlying(EventType::no_action));
  out.zeros(crypto::digest_size(crypto::HashAlgorithm::sha1)).u32_le(size_of(body)).bytes(body);
  log_ = out.take();
}

LogWriter& LogWriter::add(std::uint32_t index, EventType type, ByteView data, ByteView measured) {
  std::vector<OwnedDigest> digests;
  for (const auto each : algorithms_) {
    const bool extends = type != EventType::no_action;
    digests.push_back({each, extends ? crypto::hash(each, measured) : Bytes(crypto::digest_size(each))});
  }
  return add_digests(index, type, data, digests);
}

LogWriter& LogWriter::add_digests(std::uint32_t index, EventType type, ByteView data,
                                  std::span<const OwnedDigest> digests) {
  const auto event = encode_event(index, type, digests, data);
  log_.insert(log_.end(), event.begin(), event.end());
  return *this;
}

Bytes tagged_event(std::uint32_t id, ByteView data) {
  return ByteWriter{}.u32_le(id).u32_le(size_of(data)).bytes(data).take();
}

}  // namespace coffer::evidence::eventlog
