#include "evidence/binding.h"

#include "codec/base64.h"
#include "evidence/init_data.h"

namespace coffer::evidence {

namespace {

std::unexpected<Error> mismatch(EvidenceError code, std::string_view name, ByteView expected, ByteView found) {
  return fail(code, std::string{name} + " is expected to be " + codec::hex_encode(expected) + ", found " +
                        codec::hex_encode(found));
}

}  // namespace

Result<> check_report_data_field(const Binding& binding, ByteView field, std::string_view name) {
  if (!binding.report_data) return {};
  const auto& data = *binding.report_data;
  if (data.size() > field.size()) return mismatch(EvidenceError::report_data_mismatch, name, data, field);
  const auto expected = fit_digest(data, field.size());
  if (equal(expected, field)) return {};
  return mismatch(EvidenceError::report_data_mismatch, name, expected, field);
}

Result<> check_init_data_field(const Binding& binding, ByteView field, std::string_view name) {
  if (!binding.init_data_digest) return {};
  const auto expected = fit_digest(*binding.init_data_digest, field.size());
  if (equal(expected, field)) return {};
  return mismatch(EvidenceError::init_data_mismatch, name, expected, field);
}

}  // namespace coffer::evidence
