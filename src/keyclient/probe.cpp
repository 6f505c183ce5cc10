#include "keyclient/probe.h"

#include <optional>

#include "base/printable.h"
#include "keyclient/protocol.h"
#include "net/url.h"

namespace coffer::keyclient {
namespace {

// A version that no broker speaks: the refusal tells the right one, and no session is opened.
constexpr std::string_view impossible_version = "0.0.0";

class Probe {
 public:
  Probe(const std::string& url, const ProbeOptions& options) : options_(options) { result_.url = url; }
  ProbeResult run();

 private:
  struct Answer {
    int status = 0;
    std::string body;
    std::optional<ErrorInformation> error{};
  };
  bool prepare();
  std::optional<Answer> ask(std::string_view method, std::string_view endpoint, std::string_view body);
  bool read_info();
  void read_auth();
  void confirm_resource_endpoint();
  void conclude();

  ProbeOptions options_;
  ProbeResult result_;
  std::string base_;
};

std::string summary(const net::HttpResponse& response, const std::optional<ErrorInformation>& error) {
  auto text = "HTTP " + std::to_string(response.status);
  if (!error) return text + ", " + std::to_string(response.body.size()) + " bytes that are no KBS error";
  text += " " + printable(error->variant(), 80) + " \"" + printable(error->detail, 200) + "\"";
  return error->code.empty() ? text : text + " (" + printable(error->code, 80) + ")";
}

bool Probe::prepare() {
  if (const auto url = net::Url::parse(result_.url); !url) {
    result_.observations.push_back("the address does not parse: " + url.error().message);
    return false;
  }
  base_ = result_.url;
  while (base_.ends_with('/')) base_.pop_back();
  if (options_.http) return true;
  auto client = net::HttpClient::create({.user_agent = "coffer-probe", .extra_root_pems = options_.extra_root_pems});
  if (!client) {
    result_.observations.push_back("the certificate given for the broker cannot be used: " + client.error().message);
    return false;
  }
  options_.http = std::move(*client);
  return true;
}

// Nothing where no response came; the observation then says why.
std::optional<Probe::Answer> Probe::ask(std::string_view method, std::string_view endpoint, std::string_view body) {
  net::HttpRequest request;
  request.method = method;
  request.url = base_ + std::string{path_prefix} + "/" + std::string{endpoint};
  request.timeout = options_.timeout;
  request.max_response_size = 1U << 20;
  if (!body.empty()) request.headers.set("Content-Type", "application/json");
  request.body = to_bytes(body);
  const auto asked = request.method + " " + std::string{path_prefix} + "/" + std::string{endpoint} + ": ";
  const auto response = options_.http->send(request);
  if (!response) {
    result_.observations.push_back(asked + response.error().message);
    return std::nullopt;
  }
  Answer answer{response->status, to_text(response->body)};
  if (response->status != 200) {
    auto error = ErrorInformation::parse(answer.body);
    if (error && error->is_from_broker()) answer.error = std::move(*error);
    result_.observations.push_back(asked + summary(*response, answer.error));
  } else {
    result_.observations.push_back(asked + "HTTP 200");
  }
  return answer;
}

// Our broker says everything itself. True when the search is over.
bool Probe::read_info() {
  const auto answer = ask("GET", "info", {});
  if (!answer) return true;
  result_.kind = BrokerKind::not_a_broker;  // until something speaks the protocol
  if (answer->status != 200) return false;
  const auto info = BrokerInfo::parse(answer->body);
  if (!info) {
    result_.observations.back() += ", but " + info.error().message;
    return false;
  }
  result_.software = printable(info->name + " " + info->version, 200);
  result_.protocol_version = printable(info->protocol, 80);
  for (const auto& tee : info->tees) result_.tees.push_back(printable(tee, 80));
  result_.unattested_reads = info->unattested_reads;
  for (const auto kind : {BrokerKind::background_check, BrokerKind::passport, BrokerKind::no_trust_anchor}) {
    if (info->mode == name_of(kind)) result_.kind = kind;
  }
  result_.observations.back() += ", it says mode " + printable(info->mode, 80);
  return result_.kind != BrokerKind::not_a_broker;
}

// "... expect =0.4.0 while the request is 0.0.0" (trustee.md 1.2).
std::string expected_version(const std::string& detail) {
  constexpr std::string_view marker = "expect =";
  const auto at = detail.find(marker);
  if (at == std::string::npos) return {};
  const auto first = at + marker.size();
  return detail.substr(first, detail.find_first_not_of("0123456789.", first) - first);
}

// Upstream's brokers, by what they do: one without attestation service does not know the endpoint.
void Probe::read_auth() {
  const auto answer = ask("POST", "auth", Request{std::string{impossible_version}, "sample", ""}.serialize());
  if (!answer || !answer->error) return;
  result_.software = "Trustee KBS";
  if (answer->error->detail.find(version_mismatch_text) != std::string::npos) {
    result_.kind = BrokerKind::background_check;
    result_.protocol_version = expected_version(answer->error->detail);
  } else if (answer->status == 404) {
    result_.kind = BrokerKind::passport;
  } else if (answer->status == 401) {
    result_.kind = BrokerKind::background_check;  // it knows the endpoint, though it words its refusal otherwise
  }
}

// A broker refuses an unattested read with a KBS error, or serves it where its owner chose so.
void Probe::confirm_resource_endpoint() {
  const auto answer = ask("GET", "resource/default/probe/none", {});
  if (!answer) return;
  if (answer->status == 200) result_.unattested_reads = true;
  if (answer->status != 200 && !answer->error) result_.kind = BrokerKind::not_a_broker;
}

void Probe::conclude() {
  result_.version_matches = result_.protocol_version == protocol_version;
  switch (result_.kind) {
    case BrokerKind::background_check:
      result_.advice = result_.version_matches || result_.protocol_version.empty()
                           ? "use --mode background-check: this broker attests and releases"
                           : "it speaks protocol " + result_.protocol_version + ", this program " +
                                 std::string{protocol_version} + ": use versions that agree";
      return;
    case BrokerKind::passport:
      result_.advice =
          "it releases only for tokens of an issuer it trusts: use --mode passport and name the issuer with "
          "--issuer-uri, or give it an [attestation_service]";
      return;
    case BrokerKind::no_trust_anchor:
      result_.advice = result_.unattested_reads
                           ? "it hands out keys without attestation, as its owner chose; good for tests alone"
                           : "it can release nothing: its owner must configure [attestation_service], or "
                             "[attestation_token] trusted_certs_paths";
      return;
    case BrokerKind::not_a_broker:
      result_.advice = "check host, port and path: what answers there does not speak the KBS protocol";
      return;
    case BrokerKind::unreachable: result_.advice = "check the address, and that the broker runs there"; return;
  }
}

ProbeResult Probe::run() {
  if (prepare() && !read_info()) {
    read_auth();
    if (result_.kind != BrokerKind::not_a_broker) confirm_resource_endpoint();
  }
  conclude();
  return std::move(result_);
}

}  // namespace

std::string_view name_of(BrokerKind kind) {
  switch (kind) {
    case BrokerKind::background_check: return "background-check";
    case BrokerKind::passport: return "passport";
    case BrokerKind::no_trust_anchor: return "no-trust-anchor";
    case BrokerKind::not_a_broker: return "not-a-broker";
    case BrokerKind::unreachable: return "unreachable";
  }
  return "unknown";
}

ProbeResult probe(const std::string& url, const ProbeOptions& options) {
  return Probe{url, options}.run();
}

}  // namespace coffer::keyclient
