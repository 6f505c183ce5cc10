#include "evidence/snp/endorsement.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>

#include "crypto/crl.h"
#include "evidence/options.h"
#include "evidence/snp/amd_roots.h"

namespace coffer::evidence::snp {

namespace {

constexpr std::size_t shard_count = 16;
constexpr std::size_t max_entries = 512;  // in a shard: a large site has as many chips
constexpr auto forever = TimePoint::max();

SnpError code_of(const Error& error) {
  if (error.code == crypto::CryptoError::not_valid_at_time) return SnpError::not_valid_at_time;
  if (error.code == crypto::CryptoError::revoked) return SnpError::revoked;
  if (error.code == crypto::CryptoError::bad_certificate) return SnpError::bad_certificate;
  return SnpError::untrusted_chain;
}

Result<crypto::Certificate> parse(ByteView der, std::string_view what) {
  auto certificate = crypto::Certificate::from_der(der);
  if (certificate) return certificate;
  return fail(SnpError::bad_certificate, std::string{what} + " does not parse: " + certificate.error().message);
}

// 57230 section 3.1: an ECDSA key on P-384.
Result<crypto::PublicKey> endorsement_key(const crypto::Certificate& certificate) {
  auto key = certificate.public_key();
  if (key && key->kind() == crypto::KeyKind::ec_p384) return key;
  return fail(SnpError::bad_certificate, "the endorsement key is expected to be on P-384, found " +
                                             (key ? std::string{name_of(key->kind())} : key.error().message));
}

std::string cache_key(const EndorsementInput& input) {
  Bytes all;
  const auto add = [&](ByteView part) {
    const std::uint64_t size = part.size();
    const auto length = std::as_bytes(std::span{&size, 1});
    all.insert(all.end(), length.begin(), length.end());
    all.insert(all.end(), part.begin(), part.end());
  };
  add(input.certificate);
  const std::uint64_t intermediates = input.intermediates.size();
  add(std::as_bytes(std::span{&intermediates, 1}));
  std::ranges::for_each(input.intermediates, add);
  std::ranges::for_each(input.revocation_lists, add);
  const auto digest = crypto::sha256(all);
  return std::string{as_text(digest)};
}

struct Candidates {
  std::vector<crypto::Certificate> anchors;
  std::vector<crypto::Certificate> intermediates;
};

Result<std::vector<crypto::Crl>> read_lists(const EndorsementInput& input) {
  std::vector<crypto::Crl> out;
  for (const auto list : input.revocation_lists) {
    auto crl = crypto::Crl::parse(list);
    if (!crl) {
      return fail(SnpError::bad_certificate, "a revocation list does not parse: " + crl.error().message);
    }
    out.push_back(*std::move(crl));
  }
  return out;
}

void narrow(Endorsement& endorsement, TimePoint from, TimePoint until) {
  endorsement.not_before = std::max(endorsement.not_before, from);
  endorsement.not_after = std::min(endorsement.not_after, until);
}

}  // namespace

struct EndorsementVerifier::Cache {
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<const Endorsement>> entries;
  };
  std::array<Shard, shard_count> shards;

  Shard& shard_of(const std::string& key) { return shards[static_cast<unsigned char>(key[0]) % shard_count]; }
  std::shared_ptr<const Endorsement> find(const std::string& key) {
    auto& shard = shard_of(key);
    const std::scoped_lock lock{shard.mutex};
    const auto entry = shard.entries.find(key);
    return entry == shard.entries.end() ? nullptr : entry->second;
  }
  void put(const std::string& key, std::shared_ptr<const Endorsement> value) {
    auto& shard = shard_of(key);
    const std::scoped_lock lock{shard.mutex};
    if (shard.entries.size() >= max_entries) shard.entries.erase(shard.entries.begin());
    shard.entries.insert_or_assign(key, std::move(value));
  }
};

EndorsementVerifier::EndorsementVerifier(std::span<const crypto::Certificate> simulator_roots)
    : simulator_roots_(simulator_roots.begin(), simulator_roots.end()), cache_(std::make_unique<Cache>()) {}

EndorsementVerifier::~EndorsementVerifier() = default;

Result<std::shared_ptr<const Endorsement>> EndorsementVerifier::verify(const EndorsementInput& input,
                                                                       TimePoint now) const {
  const auto key = cache_key(input);
  if (auto known = cache_->find(key); known && known->not_before <= now && now < known->not_after) return known;
  auto verified = std::make_shared<const Endorsement>(TRY(verify_anew(input, now)));
  cache_->put(key, verified);
  return verified;
}

bool EndorsementVerifier::is_below_simulator(const crypto::Certificate& certificate) const {
  const auto issuer = certificate.issuer_der();
  const auto signed_it = [&](const crypto::Certificate& root) { return root.subject_der() == issuer; };
  return knows_simulators() && simulated_subject(certificate) && std::ranges::none_of(simulator_roots_, signed_it);
}

Result<Endorsement> EndorsementVerifier::verify_anew(const EndorsementInput& input, TimePoint now) const {
  const auto certificate = TRY(parse(input.certificate, "the endorsement key's certificate"));
  auto fields = TRY(read_endorsement(certificate));
  auto key = TRY(endorsement_key(certificate));
  const auto& amd = amd_certificates(fields.product);

  auto anchors = simulator_roots_;
  anchors.push_back(amd.ark);
  crypto::ChainOptions options{.at = now, .intermediates = {amd.ask}};
  for (const auto der : input.intermediates) {
    options.intermediates.push_back(TRY(parse(der, "a certificate of the chain")));
  }
  const auto lists = TRY(read_lists(input));
  for (const auto& list : lists) options.crls.push_back(list.der());
  // AMD's list of revoked signing keys says nothing of the VCEKs below them (57230 section 4.2).
  options.require_crl = false;

  const auto chain = crypto::verify_chain(certificate, anchors, options);
  if (!chain) {
    const auto marked = [](const crypto::Certificate& c) { return simulated_subject(c).has_value(); };
    const bool simulated = marked(certificate) || std::ranges::any_of(options.intermediates, marked);
    if (simulated && simulator_roots_.empty()) {
      return fail(EvidenceError::simulated_refused,
                  "the evidence comes from a simulator, which was not chosen by name: " + certificate.issuer());
    }
    return fail(code_of(chain.error()), "the chain of the " + std::string{name_of(fields.kind)} + " to ARK-" +
                                            std::string{name_of(fields.product)} +
                                            " does not hold: " + chain.error().message);
  }
  Endorsement out{std::move(fields), std::move(key), TimePoint{}, forever, simulated_subject(chain->back())};
  for (const auto& link : *chain) narrow(out, link.not_before(), link.not_after());
  for (const auto& list : lists) narrow(out, list.this_update(), list.next_update());
  return out;
}

}  // namespace coffer::evidence::snp
