#include "apps/coffer/fleet/atom_client.h"

#include "base/log.h"
#include "base/printable.h"
#include "codec/json_secret.h"
#include "net/url.h"

namespace coffer::cli {
namespace {

using codec::json::Object;
using codec::json::Value;

constexpr auto call_timeout = std::chrono::seconds{30};
constexpr std::uint64_t page_size = 100;
constexpr std::uint64_t most_listed = 100'000;

std::unexpected<Error> refused(const std::string& why) {
  return fail(CliError::atom_refused, "Atom refused: " + printable(why, 1024));
}

std::string text_of(const Value& object, std::string_view key) {
  const Value* member = object.find(key);
  const auto* text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string{} : *text;
}

std::string messages_of(const Value& errors) {
  std::string out;
  const auto* list = errors.if_array();
  for (const auto& error : list == nullptr ? codec::json::Array{} : *list) {
    if (const auto message = text_of(error, "message"); !message.empty()) out += (out.empty() ? "" : "; ") + message;
  }
  return out.empty() ? "an error without a message" : out;
}

}  // namespace

Result<AtomClient> AtomClient::login(AtomLogin login) {
  while (login.url.ends_with('/')) login.url.pop_back();
  const auto url = TRY(net::Url::parse(login.url));
  if (!url.is_https() && !url.is_loopback())
    log::warn("cli.plain_http", "the password for Atom travels in the clear: use https://", {{"url", login.url}});
  net::HttpClientOptions options;
  if (!login.authority.empty()) options.extra_root_pems.push_back(to_text(TRY(read_file(login.authority))));
  AtomClient client {
    std::move(login.url), TRY(net::HttpClient::create(std::move(options)))
  };
  const codec::json::SecretDocument body{Object{
      {"identifier", login.user}, {"secret", std::string{as_text(login.password.expose())}}, {"kind", "password"}}};
  const auto answer = TRY(client.post("/auth/login", *body));
  client.token_ = text_of(answer, "token");
  if (client.token_.empty()) return refused("its answer to the login has no token");
  return client;
}

Result<Value> AtomClient::post(const std::string& path, const Value& body) {
  net::HttpRequest request{.method = "POST", .url = url_ + path, .timeout = call_timeout};
  request.headers.set("Content-Type", "application/json");
  if (!token_.empty()) request.headers.set("Authorization", "Bearer " + token_);
  request.body = to_bytes(codec::json::serialize(body));
  const auto response = http_->send(request);
  wipe(request.body);
  if (!response) return fail(response.error());
  auto document = codec::json::parse(as_text(response->body), {.max_size = 4U << 20, .max_depth = 32});
  if (response->status != 200) {
    const auto why = document ? text_of(*document, "error") : std::string{};
    return refused(path + " answers " + std::to_string(response->status) + (why.empty() ? "" : ": " + why));
  }
  if (!document) return refused(path + " answers with what is no JSON: " + document.error().message);
  return document;
}

Result<Value> AtomClient::query(const std::string& document, Object variables, std::string_view field) {
  Object body{{"query", document}};
  if (!variables.empty()) body.append("variables", std::move(variables));
  const auto answer = TRY(post("/graphql", body));
  // GraphQL's errors come with status 200.
  const Value* errors = answer.find("errors");
  if (errors != nullptr && !errors->is_null()) return refused(std::string{field} + ": " + messages_of(*errors));
  const Value* data = answer.find("data");
  const Value* found = data == nullptr ? nullptr : data->find(field);
  if (found == nullptr || found->is_null()) return refused(std::string{field} + ": the answer has no data");
  return *found;
}

Result<std::string> AtomClient::create(const std::string& document, Object variables, std::string_view field,
                                       std::string_view wanted) {
  const auto made = TRY(query(document, std::move(variables), field));
  auto id = text_of(made, wanted);
  if (id.empty()) return refused(std::string{field} + ": the answer has no " + std::string{wanted});
  return id;
}

Result<std::optional<std::string>> AtomClient::find_by_name(const std::string& document, std::string_view field,
                                                            const std::string& name) {
  for (std::uint64_t offset = 0; offset < most_listed; offset += page_size) {
    const auto page = TRY(query(document, Object{{"offset", offset}}, field));
    const Value* items = page.find("items");
    const auto* list = items == nullptr ? nullptr : items->if_array();
    if (list == nullptr) return refused(std::string{field} + ": the answer has no items");
    for (const auto& item : *list) {
      if (text_of(item, "name") == name && !text_of(item, "id").empty()) return text_of(item, "id");
    }
    if (list->size() < page_size) return std::nullopt;
  }
  return refused(std::string{field} + ": the list has no end");
}

Result<std::optional<std::string>> AtomClient::find_tenant(const std::string& name) {
  return find_by_name("query($offset:Int!){tenants(limit:100,offset:$offset){items{id name}}}", "tenants", name);
}

Result<std::string> AtomClient::create_tenant(const std::string& name) {
  return create("mutation($name:String!){createTenant(input:{name:$name}){id name}}", {{"name", name}}, "createTenant");
}

Result<std::string> AtomClient::create_service_entity(const std::string& name, const std::string& tenant) {
  return create(
      "mutation($tenant:ID!,$name:String!){"
      "createEntity(input:{kind:service,name:$name,tenantId:$tenant,attributes:{}}){id}}",
      {{"tenant", tenant}, {"name", name}}, "createEntity");
}

Result<std::string> AtomClient::create_access_token(const std::string& entity, const std::string& description) {
  return create(
      "mutation($entity:ID!,$name:String!,$description:String!){createAccessToken(input:{"
      "subjectId:$entity,name:$name,description:$description,scoped:false,permissions:[]}){credentialId token}}",
      {{"entity", entity}, {"name", description}, {"description", description}}, "createAccessToken", "token");
}

Result<std::string> AtomClient::create_channel(const std::string& name, const std::string& tenant) {
  return create(
      "mutation($tenant:ID!,$name:String!){"
      "createResource(input:{kind:\"channel\",name:$name,tenantId:$tenant,attributes:{}}){id}}",
      {{"tenant", tenant}, {"name", name}}, "createResource");
}

Result<std::string> AtomClient::create_permission_block(const std::string& tenant, const std::string& channel) {
  Object variables{{"tenant", tenant}, {"channel", channel}};
  for (const auto* action : {"publish", "subscribe"}) {
    const auto id =
        TRY(find_by_name("query($offset:Int!){actions(limit:100,offset:$offset){items{id name}}}", "actions", action));
    if (!id) return refused(std::string{"it knows no action "} + action);
    variables.append(action, *id);
  }
  return create(
      "mutation($tenant:ID!,$channel:ID!,$publish:ID!,$subscribe:ID!){createPermissionBlock(input:{"
      "tenantId:$tenant,scopeMode:\"object\",objectKind:\"resource\",objectType:\"resource:channel\","
      "objectId:$channel,effect:allow,actionIds:[$publish,$subscribe]}){id}}",
      std::move(variables), "createPermissionBlock");
}

Result<std::string> AtomClient::create_direct_policy(const std::string& tenant, const std::string& entity,
                                                     const std::string& permission_block) {
  return create(
      "mutation($tenant:ID!,$entity:ID!,$block:ID!){createDirectPolicy(input:{"
      "tenantId:$tenant,subjectKind:entity,subjectId:$entity,permissionBlockId:$block}){id}}",
      {{"tenant", tenant}, {"entity", entity}, {"block", permission_block}}, "createDirectPolicy");
}

}  // namespace coffer::cli
