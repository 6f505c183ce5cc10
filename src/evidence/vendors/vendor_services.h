// What `coffer simulate serve` serves: the vendors' services of a simulator's directory, each below its name
// ("/amd-kds/vcek/v1/..."), with the faults that its dials say. Names and paths are those of collateral_services() and
// of the items that verifiers ask for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "evidence/simulated_vendor.h"
#include "evidence/simulator_settings.h"
#include "net/http_server.h"

namespace coffer::evidence {

// Dials stand in <simulator directory>/<service>.json, read for each request, so that they can be turned while this
// runs. Faults:
//   rate-limited  status 429; value retry_after: seconds, default 60
//   broken        status 500
//   gone          status 404
//   slow          answers after value delay_ms, default 60000
//   garbage       status 200 and something else
//   expired, stale-crl, revoked, wrong-chain   VendorFaults
// Value only_first: the fault is over after so many requests (since this began).
class VendorServices {
 public:
  static Result<std::unique_ptr<VendorServices>> open(const std::filesystem::path& simulator_directory);
  ~VendorServices();

  net::ServerResponse answer(const net::ServerRequest& request);
  // Ends what is slow at once: for the end of the server.
  void stop();

 private:
  struct Dials;
  explicit VendorServices(std::filesystem::path directory);
  Result<Dials> read_dials(const std::string& service) const;
  net::ServerResponse serve(const std::string& service, const std::string& target, const Dials& dials);
  net::ServerResponse statistics();
  unsigned count(const std::string& service, const std::string& target);
  void wait(Duration time);

  std::filesystem::path directory_;
  std::map<std::string, std::shared_ptr<SimulatedVendor>> vendors_;
  struct State;
  std::unique_ptr<State> state_;
};

// bad_config where `fault` is none of those above.
Result<> check_vendor_fault(std::string_view fault);

}  // namespace coffer::evidence
