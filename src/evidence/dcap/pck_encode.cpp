#include <initializer_list>

#include "codec/der.h"
#include "evidence/dcap/detail/pck_oids.h"
#include "evidence/dcap/pck.h"

namespace coffer::evidence::dcap {

namespace {

using detail::SgxArc;

namespace der = codec::der;

// The OID of an entry: arcs below that of the SGX extensions.
Bytes oid(std::initializer_list<std::uint8_t> arcs) {
  std::string dotted{sgx_extensions_oid};
  for (const auto arc : arcs) dotted += "." + std::to_string(arc);
  return der::encode_oid(dotted).value();
}

Bytes entry(std::initializer_list<std::uint8_t> arcs, const Bytes& value) {
  return der::encode_sequence({oid(arcs), value});
}

template <std::size_t N>
Bytes octets(const std::array<std::uint8_t, N>& value) {
  return der::encode_octet_string(std::as_bytes(std::span{value}));
}

Bytes enumerated(std::uint64_t value) {
  constexpr std::size_t header = 2;
  return der::encode(0x0a, ByteView{der::encode_integer(value)}.subspan(header));
}

Bytes flag(bool value) {
  return der::encode(0x01, Bytes{value ? std::byte{0xff} : std::byte{0}});
}

Bytes tcb(const PckExtensions& extensions) {
  constexpr auto arc = static_cast<std::uint8_t>(SgxArc::tcb);
  Bytes list;
  const auto add = [&](const Bytes& item) { list.insert(list.end(), item.begin(), item.end()); };
  for (std::size_t i = 0; i < extensions.components.size(); ++i) {
    add(entry({arc, static_cast<std::uint8_t>(i + 1)}, der::encode_integer(extensions.components[i])));
  }
  add(entry({arc, detail::tcb_pce_svn}, der::encode_integer(extensions.pce_svn)));
  add(entry({arc, detail::tcb_cpu_svn}, octets(extensions.cpu_svn)));
  return entry({arc}, der::encode(0x30, list));
}

Bytes platform(const PckExtensions::Platform& value) {
  constexpr auto arc = static_cast<std::uint8_t>(SgxArc::configuration);
  const auto configuration =
      concat({entry({arc, detail::configuration_dynamic}, flag(value.dynamic_platform.value_or(false))),
              entry({arc, detail::configuration_cached}, flag(value.cached_keys.value_or(false))),
              entry({arc, detail::configuration_smt}, flag(value.smt_enabled.value_or(false)))});
  return concat({entry({static_cast<std::uint8_t>(SgxArc::platform_instance_id)}, octets(value.instance_id)),
                 entry({arc}, der::encode(0x30, configuration))});
}

}  // namespace

Bytes encode_pck_extensions(const PckExtensions& extensions) {
  const auto content =
      concat({entry({static_cast<std::uint8_t>(SgxArc::ppid)}, octets(extensions.ppid)), tcb(extensions),
              entry({static_cast<std::uint8_t>(SgxArc::pce_id)}, octets(extensions.pce_id)),
              entry({static_cast<std::uint8_t>(SgxArc::fmspc)}, octets(extensions.fmspc)),
              entry({static_cast<std::uint8_t>(SgxArc::sgx_type)}, enumerated(extensions.sgx_type)),
              extensions.platform ? platform(*extensions.platform) : Bytes{}});
  return der::encode(0x30, content);
}

}  // namespace coffer::evidence::dcap
