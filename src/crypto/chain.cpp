// Chain building and verification (RFC 5280 section 6) through an X509_STORE that knows nothing but what it is given.
#include <openssl/x509_vfy.h>

#include <algorithm>

#include "crypto/detail/crl_impl.h"
#include "crypto/detail/path_search.h"

namespace coffer::crypto {
namespace {

using Store = detail::Handle<X509_STORE, X509_STORE_free>;
using StoreContext = detail::Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
// The certificates belong to their Certificate objects, only the stack is freed.
struct StackReleaser {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using Stack = std::unique_ptr<STACK_OF(X509), StackReleaser>;

// OpenSSL's levels: 2 is 112 bits, so RSA from 2048 bits, EC from 224 bits, SHA-224 and longer.
constexpr int security_level = 2;

CryptoError classify(int error) {
  switch (error) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED: return CryptoError::not_valid_at_time;
    case X509_V_ERR_CERT_REVOKED: return CryptoError::revoked;
    case X509_V_ERR_INVALID_EXTENSION:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_UNSUPPORTED_EXTENSION_FEATURE:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD: return CryptoError::bad_certificate;
    default: return CryptoError::untrusted;
  }
}

// What the callback of one verification works on.
struct Progress {
  const ChainOptions& options;
  int without_crl = 0;  // certificates below the anchor that no CRL covered
};

int depth_of_anchor(X509_STORE_CTX* context) {
  return sk_X509_num(X509_STORE_CTX_get0_chain(context)) - 1;
}

// The anchor is trusted as it is, and whether all others need a CRL is the caller's choice.
int pass_missing_crl(X509_STORE_CTX* context, Progress& progress) {
  if (X509_STORE_CTX_get_error_depth(context) == depth_of_anchor(context)) return 1;
  ++progress.without_crl;
  return progress.options.require_crl ? 0 : 1;
}

// Whether every critical extension is OpenSSL's to check or one that the caller reads.
int pass_known_critical(X509_STORE_CTX* context, const ChainOptions& options) {
  const auto* x509 = X509_STORE_CTX_get_current_cert(context);
  for (int i = 0; x509 != nullptr && i < X509_get_ext_count(x509); ++i) {
    auto* extension = X509_get_ext(x509, i);
    if (X509_EXTENSION_get_critical(extension) == 0 || X509_supported_extension(extension) == 1) continue;
    const auto oid = detail::dotted(X509_EXTENSION_get_object(extension));
    if (std::ranges::find(options.known_critical, oid) == options.known_critical.end()) return 0;
  }
  return x509 != nullptr ? 1 : 0;
}

// RFC 5280 section 4.1.2.5: notAfter belongs to the validity; to OpenSSL a time that is now has passed.
int pass_last_second(X509_STORE_CTX* context, const ChainOptions& options) {
  const auto* x509 = X509_STORE_CTX_get_current_cert(context);
  if (x509 == nullptr) return 0;
  const auto end = detail::to_time(X509_get0_notAfter(x509), "notAfter");
  return end && to_unix_seconds(*end) == to_unix_seconds(options.at) ? 1 : 0;
}

int on_error(int ok, X509_STORE_CTX* context) {
  if (ok == 1) return ok;
  auto& progress = *static_cast<Progress*>(X509_STORE_CTX_get_app_data(context));
  switch (X509_STORE_CTX_get_error(context)) {
    case X509_V_ERR_UNABLE_TO_GET_CRL: return pass_missing_crl(context, progress);
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION: return pass_known_critical(context, progress.options);
    case X509_V_ERR_CERT_HAS_EXPIRED: return pass_last_second(context, progress.options);
    default: return ok;
  }
}

Result<> add_crl(X509_STORE* store, const Bytes& der) {
  const auto crl = TRY(Crl::from_der(der));
  TRY(detail::check_crl_digest(crl.impl().crl.get()));
  if (X509_STORE_add_crl(store, crl.impl().crl.get()) != 1) {
    return detail::openssl_fail(CryptoError::bad_certificate, "the CRL cannot be used");
  }
  return {};
}

Result<Store> make_store(std::span<const Certificate> anchors, const ChainOptions& options) {
  Store store{X509_STORE_new()};
  if (!store) return detail::openssl_fail(CryptoError::internal, "no certificate store");
  for (const auto& anchor : anchors) {
    if (X509_STORE_add_cert(store.get(), anchor.impl().x509.get()) != 1) {
      return detail::openssl_fail(CryptoError::internal, "anchor '" + anchor.subject() + "' cannot be used");
    }
  }
  for (const auto& crl : options.crls) TRY(add_crl(store.get(), crl));
  X509_STORE_set_verify_cb(store.get(), on_error);
  return store;
}

void set_parameters(X509_VERIFY_PARAM* parameters, const ChainOptions& options) {
  // PARTIAL_CHAIN: an anchor need not be self-signed.
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST;
  if (!options.crls.empty()) flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  X509_VERIFY_PARAM_set_flags(parameters, flags);
  X509_VERIFY_PARAM_set_time(parameters, to_unix_seconds(options.at));
  X509_VERIFY_PARAM_set_depth(parameters, static_cast<int>(std::min<std::size_t>(options.max_depth, 64)));
  X509_VERIFY_PARAM_set_auth_level(parameters, security_level);
}

Error verification_error(X509_STORE_CTX* context, const Certificate& leaf, TimePoint at) {
  const int error = X509_STORE_CTX_get_error(context);
  const auto* at_fault = X509_STORE_CTX_get_current_cert(context);
  ERR_clear_error();
  const auto code = classify(error);
  auto message = "certificate '" +
                 (at_fault != nullptr ? detail::name_text(X509_get_subject_name(at_fault)) : leaf.subject()) +
                 "': " + X509_verify_cert_error_string(error);
  if (code == CryptoError::not_valid_at_time) message += " at " + format_rfc3339(at);
  return Error{code, std::move(message)};
}

// OpenSSL also takes a version 3 certificate with keyCertSign and no basicConstraints for a CA; RFC 5280 section
// 6.1.4 (k) does not. The anchor, last in the chain, is trusted as it is.
Result<> require_ca_bits(std::span<const Certificate> chain) {
  for (std::size_t i = 1; i + 1 < chain.size(); ++i) {
    if (!chain[i].is_ca()) {
      return fail(CryptoError::untrusted, "certificate '" + chain[i].subject() + "': it issued another but is no CA");
    }
  }
  return {};
}

// A key that we would not take from a file is no key for a chain either: OpenSSL's level lets any curve of 224 bits
// pass, binary ones and those spelt out by parameters included, and RSA with any exponent.
Result<> require_sound_keys(std::span<const Certificate> chain) {
  for (const auto& certificate : chain) {
    if (const auto key = certificate.public_key(); !key) {
      return fail(CryptoError::untrusted, "certificate '" + certificate.subject() + "': " + key.error().message);
    }
  }
  return {};
}

// RFC 5280 section 4.2.1.12. A CA that lists purposes gives its certificates no others, as vendors and browsers read
// it.
Result<> require_purpose(std::span<const Certificate> chain, const std::string& purpose) {
  if (purpose.empty()) return {};
  for (std::size_t i = 0; i < chain.size() && (i == 0 || i + 1 < chain.size()); ++i) {
    const auto listed = chain[i].extended_key_usages();
    if (i > 0 && !listed) continue;
    if (listed && std::ranges::find(*listed, purpose) != listed->end()) continue;
    return fail(CryptoError::untrusted,
                "certificate '" + chain[i].subject() + "': its extendedKeyUsage does not list " + purpose);
  }
  return {};
}

Result<> require_some_crl(std::span<const Certificate> chain, const Progress& progress) {
  const auto below_anchor = static_cast<int>(chain.size()) - 1;
  if (progress.options.crls.empty() || below_anchor == 0 || progress.without_crl < below_anchor) return {};
  return fail(CryptoError::untrusted,
              "none of the CRLs given covers certificate '" + chain.front().subject() + "' or another of its chain");
}

Result<std::vector<Certificate>> collect(X509_STORE_CTX* context) {
  std::vector<Certificate> chain;
  const auto* verified = X509_STORE_CTX_get0_chain(context);
  for (int i = 0; i < sk_X509_num(verified); ++i) {
    auto* x509 = sk_X509_value(verified, i);
    X509_up_ref(x509);
    chain.push_back(TRY(detail::adopt_certificate(detail::X509Ptr{x509})));
  }
  return chain;
}

// The chain that OpenSSL builds, and what it does not check of it.
Result<std::vector<Certificate>> verify_built(const Certificate& leaf, std::span<const Certificate> anchors,
                                              std::span<const Certificate> candidates, const ChainOptions& options) {
  const auto store = TRY(make_store(anchors, options));
  const Stack intermediates{sk_X509_new_null()};
  for (const auto& certificate : candidates) sk_X509_push(intermediates.get(), certificate.impl().x509.get());
  const StoreContext context{X509_STORE_CTX_new()};
  if (!context || X509_STORE_CTX_init(context.get(), store.get(), leaf.impl().x509.get(), intermediates.get()) != 1) {
    return detail::openssl_fail(CryptoError::internal, "no certificate verification");
  }
  set_parameters(X509_STORE_CTX_get0_param(context.get()), options);
  Progress progress{.options = options};
  X509_STORE_CTX_set_app_data(context.get(), &progress);
  if (X509_verify_cert(context.get()) != 1) return fail(verification_error(context.get(), leaf, options.at));
  ERR_clear_error();  // building a chain may have tried and dropped candidates
  auto chain = TRY(collect(context.get()));
  TRY(require_ca_bits(chain));
  TRY(require_sound_keys(chain));
  TRY(require_purpose(chain, options.purpose));
  TRY(require_some_crl(chain, progress));
  return chain;
}

}  // namespace

Result<std::vector<Certificate>> verify_chain(const Certificate& leaf, std::span<const Certificate> anchors,
                                              const ChainOptions& options) {
  if (anchors.empty()) return fail(CryptoError::untrusted, "no trust anchor was given for '" + leaf.subject() + "'");
  // OpenSSL would only say that it finds no issuer for it.
  if ((X509_get_extension_flags(leaf.impl().x509.get()) & EXFLAG_INVALID) != 0) {
    return fail(CryptoError::bad_certificate, "certificate '" + leaf.subject() + "': malformed extensions");
  }
  auto verified = verify_built(leaf, anchors, options.intermediates, options);
  // What is revoked or out of date stays so: only a wrong choice of issuer is worth another.
  if (verified || verified.error().code != CryptoError::untrusted) return verified;
  if (!detail::share_a_name(anchors, options.intermediates)) return verified;
  const auto path = detail::find_signed_path(leaf, anchors, options.intermediates);
  return path ? verify_built(leaf, {&path->anchor, 1}, path->intermediates, options) : verified;
}

}  // namespace coffer::crypto
