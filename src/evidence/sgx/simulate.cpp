#include "evidence/sgx/simulate.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/byte_reader.h"
#include "evidence/init_data.h"

namespace coffer::evidence::sgx {

namespace {

constexpr std::size_t mr_enclave_offset = 64;  // in the report
constexpr std::uint64_t initialised = 1;
constexpr std::uint64_t debug_attribute = 2;
constexpr std::uint64_t mode64 = 4;

// REPORTBODY in the order of dcap::SgxReport.
Bytes report(const Enclave& enclave, const Faults& faults, ByteView report_data) {
  auto mr_enclave = enclave.mr_enclave;
  if (faults.wrong_measurement) mr_enclave.front() ^= std::byte{1};
  const auto extensions = dcap::simulated_extensions(faults.old_tcb);
  ByteWriter out;
  out.bytes(std::as_bytes(std::span{extensions.cpu_svn})).zeros(4 + 12 + 16);
  out.u64_le(initialised | mode64 | (faults.debug ? debug_attribute : 0)).u64_le(0xe7);
  out.bytes(mr_enclave).zeros(32).bytes(enclave.mr_signer).zeros(32).bytes(enclave.config_id);
  out.u16_le(enclave.isv_prod_id).u16_le(enclave.isv_svn).u16_le(0).zeros(42 + 16).bytes(report_data);
  return out.take();
}

Result<> check(const Enclave& enclave) {
  const bool version = enclave.quote_version >= 3 && enclave.quote_version <= 5;
  if (version && enclave.mr_enclave.size() == 32 && enclave.mr_signer.size() == 32 && enclave.config_id.size() == 64) {
    return {};
  }
  return fail(EvidenceError::bad_config,
              "a simulated enclave has quotes of version 3, 4 or 5, 32 bytes each of mr_enclave and mr_signer, and 64 "
              "of config_id");
}

std::unexpected<Error> bad(const std::string& what) {
  return fail(EvidenceError::bad_config, "the simulator's settings for SGX: " + what);
}

Result<> read_faults(const SimulatorSettings& settings, Faults& into) {
  const std::map<std::string_view, bool*> known{{"old-tcb", &into.old_tcb},
                                                {"revoked", &into.revoked},
                                                {"expired", &into.expired},
                                                {"debug", &into.debug},
                                                {"wrong-measurement", &into.wrong_measurement},
                                                {"wrong-nonce", &into.wrong_nonce},
                                                {"bad-signature", &into.bad_signature}};
  return settings.read_faults(known);
}

Result<> read_values(const SimulatorSettings& settings, Enclave& into) {
  constexpr std::array<std::string_view, 6> known{"quote_version", "isv_prod_id", "isv_svn",
                                                  "mr_enclave",    "mr_signer",   "config_id"};
  for (const auto& [name, value] : settings.values) {
    if (std::ranges::find(known, name) == known.end()) return bad("there is no value \"" + name + "\"");
  }
  if (auto bytes = TRY(settings.bytes("mr_enclave", 32))) into.mr_enclave = *std::move(bytes);
  if (auto bytes = TRY(settings.bytes("mr_signer", 32))) into.mr_signer = *std::move(bytes);
  if (auto bytes = TRY(settings.bytes("config_id", 64))) into.config_id = *std::move(bytes);
  into.quote_version = static_cast<std::uint16_t>(TRY(settings.number("quote_version", 5)).value_or(3));
  into.isv_prod_id = static_cast<std::uint16_t>(TRY(settings.number("isv_prod_id", 0xffff)).value_or(1));
  into.isv_svn = static_cast<std::uint16_t>(TRY(settings.number("isv_svn", 0xffff)).value_or(1));
  return check(into);
}

}  // namespace

Result<dcap::SimulatedPlatform> simulate_platform(const dcap::SimulatedAuthority& authority, const Faults& faults,
                                                  TimePoint now) {
  return dcap::SimulatedPlatform::create(authority, dcap::Tee::sgx,
                                         {.now = now,
                                          .extensions = dcap::simulated_extensions(faults.old_tcb),
                                          .revoked = faults.revoked,
                                          .expired = faults.expired});
}

Result<Bytes> simulate(const dcap::SimulatedPlatform& platform, const Enclave& enclave, const Faults& faults,
                       ByteView report_data) {
  TRY(check(enclave));
  auto stated = fit_digest(report_data, 64);
  if (faults.wrong_nonce) stated.front() ^= std::byte{1};
  auto quote = TRY(platform.quote(enclave.quote_version, report(enclave, faults, stated)));
  if (faults.bad_signature) quote[48 + (enclave.quote_version == 5 ? 6 : 0) + mr_enclave_offset] ^= std::byte{1};
  return quote;
}

Result<Dials> Dials::read(const SimulatorSettings& settings) {
  Dials out;
  TRY(read_faults(settings, out.faults));
  TRY(read_values(settings, out.enclave));
  return out;
}

}  // namespace coffer::evidence::sgx
