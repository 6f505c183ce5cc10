// Identities made at Atom, one call after the other. What has been made is written down after each, so that a run that
// broke off goes on where it was and makes nothing twice.
#pragma once

#include <string>
#include <vector>

#include "apps/coffer/fleet/atom_client.h"
#include "codec/json.h"

namespace coffer::cli {

struct Member {
  std::string section;  // of the credential file: "manager", "proplet2"
  std::string name;     // at Atom
  std::string entity{}, key{};
  std::string permission_block{};
  bool connected = false;
};

// What is wanted, and how far it is.
struct AtomPlan {
  std::string tenant_name{}, channel_name{};
  std::string tenant{}, channel{};  // ids; empty: not made yet
  std::vector<Member> members{};
};

class AtomProvision {
 public:
  // `progress_file`: mode 0600, there only between a failure and the run that ends it. A plan that is in it already
  // takes the place of `plan`.
  static Result<AtomProvision> begin(AtomPlan plan, std::string progress_file);

  // All that is missing. A failure says what was made so far.
  Result<> run(AtomClient& atom);
  const AtomPlan& plan() const { return plan_; }
  bool resumed() const { return resumed_; }
  // For after the credential file has been written.
  void forget() const;

 private:
  AtomProvision(AtomPlan plan, std::string file, bool resumed)
      : plan_(std::move(plan)), file_(std::move(file)), resumed_(resumed) {}
  Result<> make_all(AtomClient& atom);
  Result<> make_tenant(AtomClient& atom);
  Result<> make_member(AtomClient& atom, Member& member);
  Result<> connect(AtomClient& atom, Member& member);
  Result<> save() const;
  std::string made() const;

  AtomPlan plan_;
  std::string file_;
  bool resumed_ = false;
};

}  // namespace coffer::cli
