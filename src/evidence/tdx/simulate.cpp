#include "evidence/tdx/simulate.h"

#include <map>

#include "base/byte_reader.h"
#include "evidence/dcap/detail/simulated.h"
#include "evidence/eventlog/agent_event_log.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/eventlog/writer.h"
#include "evidence/init_data.h"

namespace coffer::evidence::tdx {

namespace {

using eventlog::EventType;

constexpr std::size_t register_size = 48;
constexpr std::size_t report_data_size = 64;
constexpr std::uint64_t debug_attribute = 1;
constexpr std::uint64_t septve_disable = 1ULL << 28;
constexpr std::size_t mr_td_offset = 136;  // in the body

// Registers as the log counts them: RTMR n is n + 1 (UEFI 2.11 section 38.4.1).
enum : std::uint32_t { firmware_register = 1, boot_register = 2, system_register = 3 };

Bytes utf16(std::string_view ascii) {
  ByteWriter out;
  for (const char c : ascii) out.u16_le(static_cast<std::uint8_t>(c));
  out.u16_le(0);
  return out.take();
}

// UEFI_IMAGE_LOAD_EVENT with the device path File(kernel), as QEMU's loader gives it (UEFI 2.11 section 10.3.5.4).
Bytes image_load_event(std::size_t size) {
  const auto name = utf16("kernel");
  ByteWriter path;
  path.u8(4).u8(4).u16_le(static_cast<std::uint16_t>(4 + name.size())).bytes(name);
  path.u8(0x7f).u8(0xff).u16_le(4);
  ByteWriter out;
  out.u64_le(0).u64_le(size).u64_le(0).u64_le(path.view().size()).bytes(path.view());
  return out.take();
}

Bytes event_log(const Guest& guest) {
  const auto load_options = utf16(guest.command_line);
  const Bytes separator(4);
  eventlog::LogWriter log{{crypto::HashAlgorithm::sha384}};
  log.add(firmware_register, EventType::platform_config_flags, as_bytes("td_hob"));
  log.add(firmware_register, EventType::separator, separator);
  log.add(boot_register, EventType::separator, separator);
  log.add(boot_register, EventType::efi_boot_services_application, image_load_event(guest.kernel.size()),
          as_bytes(guest.kernel));
  log.add(system_register, EventType::event_tag,
          eventlog::tagged_event(eventlog::linux_load_options_id, as_bytes("LOADED_IMAGE::LoadOptions")), load_options);
  log.add(system_register, EventType::event_tag,
          eventlog::tagged_event(eventlog::linux_initrd_id, as_bytes("Linux initrd")), as_bytes(guest.initrd));
  return log.log();
}

ByteView module_svn(const Faults& faults) {
  return std::as_bytes(std::span{faults.old_module ? dcap::detail::old_module_tdx : dcap::detail::current_tdx});
}

Result<> add_registers(ByteWriter& body, const Guest& guest) {
  constexpr std::uint32_t registers = 4;
  for (std::uint32_t i = 1; i <= registers; ++i) body.bytes(TRY(register_value(guest, i)));
  return {};
}

// The firmware's log, and behind it the agent's where it has entries.
Result<Bytes> whole_log(const Guest& guest) {
  auto boot = event_log(guest);
  if (guest.agent_log.empty()) return boot;
  return *TRY(eventlog::combine_logs(boot, guest.agent_log));
}

// TDREPORT in the order of dcap::TdReport.
Result<Bytes> td_report(const Guest& guest, const Faults& faults, ByteView report_data) {
  ByteWriter body;
  body.bytes(module_svn(faults));
  body.bytes(crypto::sha384(as_bytes("simulated TDX module"))).zeros(register_size).zeros(8);
  body.u64_le(septve_disable | (faults.debug ? debug_attribute : 0)).u64_le(0x602e7);
  auto mr_td = guest.mr_td;
  if (faults.wrong_measurement) mr_td.front() ^= std::byte{1};
  body.bytes(mr_td).bytes(guest.mr_config_id).zeros(register_size).zeros(register_size);
  TRY(add_registers(body, guest));
  body.bytes(report_data);
  // The module that runs now is the newest, whatever launched the TD.
  if (guest.tdx15) body.bytes(std::as_bytes(std::span{dcap::detail::current_tdx})).zeros(register_size);
  return body.take();
}

Guest with_other_kernel(Guest guest) {
  guest.kernel += " of another build";
  return guest;
}

Result<> check(const Guest& guest) {
  const bool version = guest.quote_version == 5 || (guest.quote_version == 4 && !guest.tdx15);
  if (version && guest.mr_td.size() == register_size && guest.mr_config_id.size() == register_size) return {};
  return fail(EvidenceError::bad_config,
              "a simulated TD has quotes of version 4, or of version 5 (with tdx15 or without), and 48 bytes each of "
              "mr_td and mr_config_id");
}

std::unexpected<Error> bad(const std::string& what) {
  return fail(EvidenceError::bad_config, "the simulator's settings for TDX: " + what);
}

Result<> read_faults(const SimulatorSettings& settings, Faults& into) {
  const std::map<std::string_view, bool*> known{{"old-tcb", &into.old_tcb},
                                                {"old-module", &into.old_module},
                                                {"revoked", &into.revoked},
                                                {"expired", &into.expired},
                                                {"debug", &into.debug},
                                                {"wrong-measurement", &into.wrong_measurement},
                                                {"wrong-event", &into.wrong_event},
                                                {"wrong-nonce", &into.wrong_nonce},
                                                {"bad-signature", &into.bad_signature}};
  return settings.read_faults(known);
}

Result<> read_values(const SimulatorSettings& settings, Guest& into) {
  const std::map<std::string_view, std::string*> texts{
      {"kernel", &into.kernel}, {"command_line", &into.command_line}, {"initrd", &into.initrd}};
  for (const auto& [name, value] : settings.values) {
    if (const auto text = texts.find(name); text != texts.end()) {
      if (!value.is_string()) return bad("\"" + name + "\" is expected to be text");
      *text->second = *value.if_string();
    } else if (name != "quote_version" && name != "tdx15" && name != "mr_td" && name != "mr_config_id") {
      return bad("there is no value \"" + name + "\"");
    }
  }
  if (auto bytes = TRY(settings.bytes("mr_td", register_size))) into.mr_td = *std::move(bytes);
  if (auto bytes = TRY(settings.bytes("mr_config_id", register_size))) into.mr_config_id = *std::move(bytes);
  into.quote_version = static_cast<std::uint16_t>(TRY(settings.number("quote_version", 5)).value_or(4));
  into.tdx15 = TRY(settings.number("tdx15", 1))
  .value_or(0) != 0;
  return check(into);
}

}  // namespace

Result<dcap::SimulatedPlatform> simulate_platform(const dcap::SimulatedAuthority& authority, const Faults& faults,
                                                  TimePoint now) {
  return dcap::SimulatedPlatform::create(authority, dcap::Tee::tdx,
                                         {.now = now,
                                          .extensions = dcap::simulated_extensions(faults.old_tcb),
                                          .revoked = faults.revoked,
                                          .expired = faults.expired});
}

Result<Evidence> simulate(const dcap::SimulatedPlatform& platform, const Guest& guest, const Faults& faults,
                          ByteView report_data) {
  TRY(check(guest));
  auto stated = fit_digest(report_data, report_data_size);
  if (faults.wrong_nonce) stated.front() ^= std::byte{1};
  const auto body = TRY(td_report(guest, faults, stated));
  auto quote = TRY(platform.quote(guest.quote_version, body));
  if (faults.bad_signature) quote[48 + (guest.quote_version == 5 ? 6 : 0) + mr_td_offset] ^= std::byte{1};
  return Evidence {
    std::move(quote), TRY(whole_log(faults.wrong_event ? with_other_kernel(guest) : guest))
  };
}

Result<Bytes> register_value(const Guest& guest, std::uint32_t index) {
  const auto log = event_log(guest);
  auto value = TRY(TRY(eventlog::EventLog::parse(log)).replay(index, crypto::HashAlgorithm::sha384));
  for (const auto& each : guest.extensions) {
    if (each.index == index) value = crypto::sha384(concat({value, each.digest}));
  }
  return value;
}

Result<Dials> Dials::read(const SimulatorSettings& settings) {
  Dials out;
  TRY(read_faults(settings, out.faults));
  TRY(read_values(settings, out.guest));
  return out;
}

}  // namespace coffer::evidence::tdx
