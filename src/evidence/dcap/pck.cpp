#include "evidence/dcap/pck.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "codec/der.h"
#include "evidence/dcap/detail/pck_oids.h"

namespace coffer::evidence::dcap {

namespace {

namespace der = codec::der;
using detail::SgxArc;

constexpr std::uint8_t sequence = 0x30;
constexpr std::uint8_t octet_string = 0x04;
constexpr std::uint8_t integer = 0x02;
constexpr std::uint8_t enumerated = 0x0a;
constexpr std::uint8_t boolean = 0x01;
constexpr std::uint8_t object_identifier = 0x06;

std::unexpected<Error> bad(std::string message) {
  return fail(DcapError::bad_pck_extension, "SGX extensions of the PCK certificate: " + std::move(message));
}

template <class T>
Result<T> in_extension(Result<T> result) {
  if (result) return result;
  return bad(std::move(result.error().message));
}

// One SEQUENCE { OID, value }; the arc below `parent`.
struct Entry {
  std::uint8_t arc;
  der::Element value;
};

Result<Entry> read_entry(der::Reader& list, const std::string& parent) {
  const auto element = TRY(in_extension(list.expect(sequence, "entry")));
  der::Reader entry{element.content};
  const auto oid = TRY(in_extension(der::oid_text(TRY(in_extension(entry.expect(object_identifier, "OID"))).content)));
  const auto value = TRY(in_extension(entry.next()));
  TRY(in_extension(entry.expect_end("entry")));
  std::uint8_t arc = 0;
  const auto prefix = parent + ".";
  const auto* end = oid.data() + oid.size();
  if (!oid.starts_with(prefix) || std::from_chars(oid.data() + prefix.size(), end, arc).ptr != end) {
    return bad("an entry below " + parent + " was expected, found " + oid);
  }
  return Entry{arc, value};
}

// Calls `take` for each entry; none may be there twice.
Result<> each_entry(ByteView list, const std::string& parent, const std::function<Result<>(const Entry&)>& take) {
  std::array<bool, 256> seen{};
  der::Reader reader{list};
  while (!reader.at_end()) {
    const auto entry = TRY(read_entry(reader, parent));
    if (std::exchange(seen[entry.arc], true)) return bad(parent + "." + std::to_string(entry.arc) + " is there twice");
    TRY(take(entry));
  }
  return {};
}

Result<ByteView> content(const Entry& entry, std::uint8_t tag, std::string_view what) {
  if (entry.value.tag == tag) return entry.value.content;
  return bad(std::string{what} + " is expected to have the tag " + std::to_string(tag) + ", found " +
             std::to_string(entry.value.tag));
}

template <std::size_t N>
Result<> take_octets(const Entry& entry, std::string_view what, std::array<std::uint8_t, N>& into) {
  const auto octets = TRY(content(entry, octet_string, what));
  if (octets.size() != N) {
    return bad(std::string{what} + " is expected to have " + std::to_string(N) + " bytes, found " +
               std::to_string(octets.size()));
  }
  std::ranges::transform(octets, into.begin(), [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return {};
}

Result<std::uint64_t> number(const Entry& entry, std::uint8_t tag, std::uint64_t max, std::string_view what) {
  const auto value = TRY(in_extension(der::unsigned_integer(TRY(content(entry, tag, what)))));
  if (value <= max) return value;
  return bad(std::string{what} + " is at most " + std::to_string(max) + ", found " + std::to_string(value));
}

Result<> take_flag(const Entry& entry, std::optional<bool>& into) {
  into = TRY(in_extension(der::boolean(TRY(content(entry, boolean, "a flag of the configuration")))));
  return {};
}

Result<> take_tcb(ByteView list, const std::string& parent, PckExtensions& out) {
  std::size_t found = 0;
  TRY(each_entry(list, parent, [&](const Entry& entry) -> Result<> {
    ++found;
    if (entry.arc >= 1 && entry.arc <= out.components.size()) {
      out.components[entry.arc - 1U] = static_cast<std::uint8_t>(TRY(number(entry, integer, 0xff, "a component")));
    } else if (entry.arc == detail::tcb_pce_svn) {
      out.pce_svn = static_cast<std::uint16_t>(TRY(number(entry, integer, 0xffff, "PCESVN")));
    } else if (entry.arc == detail::tcb_cpu_svn) {
      TRY(take_octets(entry, "CPUSVN", out.cpu_svn));
    } else {
      return bad("there is no TCB entry " + std::to_string(entry.arc));
    }
    return {};
  }));
  if (found != detail::tcb_cpu_svn) return bad("the TCB has 18 entries, found " + std::to_string(found));
  return {};
}

Result<> take_configuration(ByteView list, const std::string& parent, PckExtensions::Platform& out) {
  return each_entry(list, parent, [&](const Entry& entry) -> Result<> {
    switch (entry.arc) {
      case detail::configuration_dynamic: return take_flag(entry, out.dynamic_platform);
      case detail::configuration_cached: return take_flag(entry, out.cached_keys);
      case detail::configuration_smt: return take_flag(entry, out.smt_enabled);
      default: return bad("there is no configuration entry " + std::to_string(entry.arc));
    }
  });
}

// What of a platform's two entries was there.
struct Reading {
  PckExtensions out{};
  PckExtensions::Platform platform{};
  bool has_instance = false;
  bool has_configuration = false;
  unsigned required = 0;
};

Result<> take(const Entry& entry, Reading& reading) {
  const auto parent = std::string{sgx_extensions_oid} + "." + std::to_string(entry.arc);
  auto& out = reading.out;
  const auto arc = SgxArc{entry.arc};
  if (arc >= SgxArc::ppid && arc <= SgxArc::sgx_type) ++reading.required;
  switch (arc) {
    case SgxArc::ppid: return take_octets(entry, "PPID", out.ppid);
    case SgxArc::tcb: return take_tcb(TRY(content(entry, sequence, "TCB")), parent, out);
    case SgxArc::pce_id: return take_octets(entry, "PCEID", out.pce_id);
    case SgxArc::fmspc: return take_octets(entry, "FMSPC", out.fmspc);
    case SgxArc::sgx_type: out.sgx_type = TRY(number(entry, enumerated, 0xff, "SGX type")); return {};
    case SgxArc::platform_instance_id:
      reading.has_instance = true;
      return take_octets(entry, "platform instance id", reading.platform.instance_id);
    case SgxArc::configuration:
      reading.has_configuration = true;
      return take_configuration(TRY(content(entry, sequence, "configuration")), parent, reading.platform);
  }
  return bad("there is no entry " + std::to_string(entry.arc));
}

}  // namespace

std::string_view name_of(PckCa ca) {
  return ca == PckCa::processor ? "processor" : "platform";
}

Result<PckExtensions> parse_pck_extensions(ByteView bytes) {
  der::Reader reader{bytes};
  const auto list = TRY(in_extension(reader.expect(sequence, "SGX extensions")));
  TRY(in_extension(reader.expect_end("SGX extensions")));
  Reading reading;
  TRY(each_entry(list.content, std::string{sgx_extensions_oid},
                 [&](const Entry& entry) { return take(entry, reading); }));
  constexpr unsigned all_required = 5;
  if (reading.required != all_required) {
    return bad("PPID, TCB, PCEID, FMSPC and SGX type are expected, found " + std::to_string(reading.required) +
               " of these five");
  }
  if (reading.has_instance != reading.has_configuration) {
    return bad("platform instance id and configuration go together, found one of them");
  }
  if (reading.has_instance) reading.out.platform = reading.platform;
  return reading.out;
}

}  // namespace coffer::evidence::dcap
