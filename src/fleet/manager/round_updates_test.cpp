#include "fleet/manager/round_updates.h"

#include <gtest/gtest.h>

#include "fleet/manager/error.h"
#include "net/http_server.h"

namespace coffer::fleet::manager {
namespace {

const RoundUpdateTopic topic{.round = "r1", .proplet = "p1"};

TEST(RoundUpdates, name_the_round_and_the_worker_of_their_topic) {
  EXPECT_EQ(round_update_document(topic, R"({"update":{"w":[1]}})").value(),
            R"({"update":{"w":[1]},"round_id":"r1","proplet_id":"p1"})");
  const auto* whole = R"({"round_id":"r1","proplet_id":"p1","update":{}})";
  EXPECT_EQ(round_update_document(topic, whole).value(), whole);
}

TEST(RoundUpdates, of_others_and_those_that_are_no_objects_are_refused) {
  for (const auto* payload : {R"({"round_id":"r2"})", R"({"proplet_id":"p2"})", R"({"round_id":1})", "[]", "{", ""}) {
    const auto document = round_update_document(topic, payload);
    ASSERT_FALSE(document) << payload;
    EXPECT_EQ(document.error().code, ManagerError::bad_request);
  }
}

TEST(RoundUpdates, go_to_the_coordinator_and_are_tried_again_where_the_fault_is_its_own) {
  int status = 200;
  std::string path, body;
  auto server = net::HttpServer::start({.sockets = {"127.0.0.1:0"}}, [&](const net::ServerRequest& request) {
                  path = request.method + " " + request.path;
                  body = to_text(request.body);
                  return net::ServerResponse::text(status, "text/plain", "");
                }).value();
  const std::shared_ptr<net::HttpClient> http = net::HttpClient::create().value();
  const RoundUpdates updates{"http://" + server->addresses().front(), http};
  EXPECT_TRUE(updates.forward(R"({"a":1})"));
  EXPECT_EQ(path, "POST /update");
  EXPECT_EQ(body, R"({"a":1})");
  status = 400;
  EXPECT_TRUE(updates.forward("{}"));
  status = 503;
  EXPECT_EQ(updates.forward("{}").error().code, ManagerError::coordinator_failed);
  server->stop();
  EXPECT_EQ(updates.forward("{}").error().code, ManagerError::coordinator_failed);
}

}  // namespace
}  // namespace coffer::fleet::manager
