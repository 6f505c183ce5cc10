// The four items of one platform's collateral, fetched and verified together.
#pragma once

#include "evidence/dcap/collateral.h"
#include "evidence/dcap/tcb_info.h"
#include "evidence/dcap/trust.h"

namespace coffer::evidence::dcap {

using Blob = std::shared_ptr<const CollateralBlob>;

struct CollateralBlobs {
  Blob tcb_info;
  Blob qe_identity;
  Blob pck_crl;
  Blob root_crl;
};
// cannot_be_had() where one cannot be.
Result<CollateralBlobs> fetch(Collateral& source, const CollateralQuestion& question, TimePoint at);
// Whether both are the same bytes.
bool same(const CollateralBlobs& a, const CollateralBlobs& b);

struct VerifiedCollateral {
  CollateralBlobs blobs;
  TcbInfo tcb_info;
  EnclaveIdentity qe_identity;
  crypto::Crl pck_crl;
  crypto::Crl root_crl;
  Dates dates;
};
// Signatures, chains and revocation of signers: all that does not depend on the quote or the time. `pck` gives the
// root that everything must chain to and the CA whose list is expected.
Result<VerifiedCollateral> verify_collateral(CollateralBlobs blobs, const PckChain& pck, const TrustedRoots& roots);

// pck_revoked, ca_revoked.
Result<> check_revocation(const VerifiedCollateral& collateral, const PckChain& pck);

}  // namespace coffer::evidence::dcap
