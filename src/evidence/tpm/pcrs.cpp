#include <fmt/format.h>

#include <algorithm>

#include "codec/base64.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/tee.h"
#include "evidence/tpm/quote.h"

namespace coffer::evidence::tpm {

namespace json = codec::json;
using crypto::HashAlgorithm;

namespace {

constexpr std::size_t bank_digest_size = 32;

Result<const PcrSelection*> only_selection(const Quote& quote) {
  if (quote.selections.size() != 1) {
    return fail(TpmError::bad_pcr_selection,
                fmt::format("the quote selects PCRs of {} banks, expected one", quote.selections.size()));
  }
  const auto& selection = quote.selections.front();
  if (selection.bank != HashAlgorithm::sha256) {
    return fail(TpmError::bad_pcr_selection, fmt::format("the quote selects PCRs of bank {}, expected SHA-256",
                                                         eventlog::claim_name(selection.bank)));
  }
  if (selection.pcrs.back() >= pcr_count) {
    return fail(TpmError::bad_pcr_selection,
                fmt::format("the quote selects PCR {}, which no platform has", selection.pcrs.back()));
  }
  return &selection;
}

std::string names(const PcrSelection& selection) {
  std::string out;
  for (const auto pcr : selection.pcrs) out += (out.empty() ? "" : ",") + std::to_string(pcr);
  return out;
}

}  // namespace

Result<PcrValues> check_pcrs(const Quote& quote, std::span<const Bytes> values, HashAlgorithm hash) {
  const auto& selection = *TRY(only_selection(quote));
  if (values.size() != selection.pcrs.size()) {
    return fail(TpmError::bad_pcr_selection, fmt::format("the evidence lists {} PCRs, but the quote covers {} ({})",
                                                         values.size(), selection.pcrs.size(), names(selection)));
  }
  PcrValues out;
  crypto::Hasher hasher{hash};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].size() != bank_digest_size) {
      return fail(TpmError::bad_pcr_selection, fmt::format("PCR {} has {} bytes, expected {}", selection.pcrs[i],
                                                           values[i].size(), bank_digest_size));
    }
    hasher.update(values[i]);
    out.emplace(selection.pcrs[i], values[i]);
  }
  const auto digest = hasher.finish();
  if (equal(digest, quote.pcr_digest)) return out;
  return fail(TpmError::pcr_digest_mismatch, "the listed PCRs hash to " + codec::hex_encode(digest) +
                                                 ", but the quote states " + codec::hex_encode(quote.pcr_digest));
}

Bytes extended_once(ByteView digest) {
  return crypto::sha256(concat({Bytes(bank_digest_size), digest}));
}

Result<> check_init_data(const PcrValues& pcrs, ByteView digest) {
  const auto pcr = pcrs.find(init_data_pcr);
  if (pcr == pcrs.end()) {
    return fail(EvidenceError::init_data_mismatch, "init-data is bound by PCR 8, which the quote does not cover");
  }
  if (digest.size() != bank_digest_size) {
    return fail(
        EvidenceError::init_data_mismatch,
        fmt::format("init-data's digest has {} bytes, but a TPM binds 32 (algorithm sha256 or sm3)", digest.size()));
  }
  const auto expected = extended_once(digest);
  if (equal(expected, pcr->second)) return {};
  return fail(EvidenceError::init_data_mismatch, "init-data leads PCR 8 to " + codec::hex_encode(expected) +
                                                     ", but the quote states " + codec::hex_encode(pcr->second));
}

json::Object pcr_claims(const PcrValues& pcrs) {
  json::Object out;
  for (const auto& [pcr, value] : pcrs) out.append(fmt::format("pcr{:02}", pcr), codec::hex_encode(value));
  return out;
}

json::Object describe(const Quote& quote) {
  json::Array selections;
  for (const auto& selection : quote.selections) {
    json::Array pcrs;
    for (const auto pcr : selection.pcrs) pcrs.emplace_back(std::uint64_t{pcr});
    selections.push_back(json::Object{{"bank", eventlog::claim_name(selection.bank)}, {"pcrs", std::move(pcrs)}});
  }
  return {{"qualified_signer", codec::hex_encode(quote.qualified_signer)},
          {"extra_data", codec::hex_encode(quote.extra_data)},
          {"clock", quote.clock},
          {"reset_count", std::uint64_t{quote.reset_count}},
          {"restart_count", std::uint64_t{quote.restart_count}},
          {"safe", quote.safe},
          {"firmware_version", quote.firmware_version},
          {"pcr_selections", std::move(selections)},
          {"pcr_digest", codec::hex_encode(quote.pcr_digest)}};
}

}  // namespace coffer::evidence::tpm
