#include "evidence/dcap/verified_collateral.h"

#include <algorithm>

#include "codec/base64.h"
#include "evidence/tee.h"

namespace coffer::evidence::dcap {

namespace {

struct Asking {
  Collateral& source;
  TimePoint at;
  SteadyTime deadline;  // of all questions together

  Result<Blob> operator()(CollateralItem item) const {
    item.deadline = deadline;
    auto blob = source.get(item, at);
    if (blob) return *std::move(blob);
    return fail(cannot_be_had(item, blob.error()));
  }
};

bool same(const Blob& a, const Blob& b) {
  return a == b || (equal(a->body, b->body) && a->issuer_chain == b->issuer_chain);
}

// Intel's and a simulator's endorsements do not mix, whatever both are trusted for.
Result<> require_root(const SignerChain& chain, const PckChain& pck, std::string_view what) {
  const auto key = TRY(chain.root.certificate.public_key());
  if (key == TRY(pck.root.certificate.public_key())) return {};
  return fail(DcapError::mixed_roots, "the " + std::string{what} + " is expected to chain to the quote's root '" +
                                          pck.root.certificate.subject() + "', found '" +
                                          chain.root.certificate.subject() + "'");
}

struct Signed {
  std::string_view text;
  SignerChain chain;
};

struct SignedKind {
  std::string_view member;
  DcapError malformed;
  DcapError bad_signature;
};

Result<Signed> verify_signed(const CollateralBlob& blob, const SignedKind& kind, const PckChain& pck,
                             const TrustedRoots& roots) {
  const auto found = TRY(find_signed_text(as_text(blob.body), kind.member, kind.malformed));
  auto chain = TRY(verify_signer_chain(blob.issuer_chain, roots));
  TRY(require_root(chain, pck, kind.member));
  const auto verified = chain.key.verify(crypto::SignatureAlgorithm::es256, as_bytes(found.text), found.signature);
  if (!verified) {
    return fail(kind.bad_signature, std::string{kind.member} + " is not signed by the key of '" +
                                        chain.signer.subject() + "': " + verified.error().message);
  }
  return Signed{found.text, std::move(chain)};
}

Result<> check_signer(const crypto::Crl& root_crl, const SignerChain& chain) {
  if (!root_crl.lists(chain.signer.serial_number())) return {};
  return fail(DcapError::ca_revoked, "the certificate '" + chain.signer.subject() + "' of serial number " +
                                         codec::hex_encode(chain.signer.serial_number()) + " is revoked by the root");
}

Dates dates_of(const crypto::Crl& crl) {
  return {crl.this_update(), crl.this_update(), crl.next_update()};
}

Dates all_dates(const VerifiedCollateral& collateral, const SignerChain& tcb, const SignerChain& qe) {
  const auto& info = collateral.tcb_info;
  const auto& identity = collateral.qe_identity;
  auto out = join(tcb.dates, qe.dates);
  out = join(out, Dates{info.issued, info.issued, info.next_update});
  out = join(out, Dates{identity.issued, identity.issued, identity.next_update});
  return join(out, join(dates_of(collateral.pck_crl), dates_of(collateral.root_crl)));
}

}  // namespace

Result<CollateralBlobs> fetch(Collateral& source, const CollateralQuestion& question, TimePoint at) {
  const Asking ask{source, at, source.deadline()};
  CollateralBlobs out;
  out.tcb_info = TRY(ask(tcb_info_item(question)));
  out.qe_identity = TRY(ask(qe_identity_item(question)));
  out.pck_crl = TRY(ask(pck_crl_item(question)));
  out.root_crl = TRY(ask(root_crl_item(question)));
  return out;
}

bool same(const CollateralBlobs& a, const CollateralBlobs& b) {
  return same(a.tcb_info, b.tcb_info) && same(a.qe_identity, b.qe_identity) && same(a.pck_crl, b.pck_crl) &&
         same(a.root_crl, b.root_crl);
}

Result<VerifiedCollateral> verify_collateral(CollateralBlobs blobs, const PckChain& pck, const TrustedRoots& roots) {
  constexpr SignedKind tcb_kind{"tcbInfo", DcapError::bad_tcb_info, DcapError::bad_tcb_info_signature};
  constexpr SignedKind qe_kind{"enclaveIdentity", DcapError::bad_qe_identity, DcapError::bad_qe_identity_signature};
  const auto tcb = TRY(verify_signed(*blobs.tcb_info, tcb_kind, pck, roots));
  const auto qe = TRY(verify_signed(*blobs.qe_identity, qe_kind, pck, roots));
  auto root_crl = TRY(parse_crl(blobs.root_crl->body));
  auto pck_crl = TRY(parse_crl(blobs.pck_crl->body));
  TRY(check_crl(root_crl, pck.root.certificate));
  TRY(check_crl(pck_crl, pck.ca));
  TRY(check_signer(root_crl, tcb.chain));
  TRY(check_signer(root_crl, qe.chain));
  VerifiedCollateral out {
    .blobs = std::move(blobs), .tcb_info = TRY(parse_tcb_info(tcb.text))
    , .qe_identity = TRY(parse_enclave_identity(qe.text))
    , .pck_crl = std::move(pck_crl), .root_crl = std::move(root_crl), .dates = {}
  };
  out.dates = all_dates(out, tcb.chain, qe.chain);
  return out;
}

Result<> check_revocation(const VerifiedCollateral& collateral, const PckChain& pck) {
  const auto refuse = [](DcapError code, const crypto::Certificate& certificate, std::string_view by) {
    return fail(code, "the certificate '" + certificate.subject() + "' of serial number " +
                          codec::hex_encode(certificate.serial_number()) + " is revoked by " + std::string{by});
  };
  if (collateral.root_crl.lists(pck.ca.serial_number())) return refuse(DcapError::ca_revoked, pck.ca, "the root");
  if (collateral.pck_crl.lists(pck.leaf.serial_number())) return refuse(DcapError::pck_revoked, pck.leaf, "its CA");
  return {};
}

}  // namespace coffer::evidence::dcap
