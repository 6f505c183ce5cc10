// Serves an attestation service with upstream's gRPC interface (`grpc-as`, trustee.md 6.1). It authenticates nobody, as
// upstream's does not: bind it to loopback or put mutual TLS in front.
#pragma once

#include <memory>
#include <string>

#include "appraisal/attestation_service.h"

namespace coffer::appraisal::grpc {

class Server {
 public:
  // address: "127.0.0.1:0" takes a free port. AppraisalError::unavailable where it cannot be bound.
  static Result<std::unique_ptr<Server>> start(const std::string& address, std::shared_ptr<AttestationService> service);
  ~Server();  // stops, waiting at most two seconds for running calls

  int port() const;
  void stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::appraisal::grpc
