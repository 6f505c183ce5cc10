#include "fleet/worker/rounds/round_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_server.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RoundExchangeTest : public ::testing::Test {
 protected:
  RoundExchangeTest() {
    server_ = *net::HttpServer::start({.sockets = {"127.0.0.1:0"}, .workers = 1},
                                      [this](const net::ServerRequest& request) { return answer(request); });
    url_ = "http://" + server_->addresses().front();
  }
  net::ServerResponse answer(const net::ServerRequest& request) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(request.method + " " + request.path + " " + std::string{as_text(request.body)});
    return net::ServerResponse::text(status_, "application/json", body_);
  }
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  RoundExchange exchange() const {
    return {*net::HttpClient::create({.direct = true}), [this](const std::string& name) -> std::optional<std::string> {
              const auto found = own_.find(name);
              if (found == own_.end()) return std::nullopt;
              return found->second;
            }};
  }

  std::mutex mutex_;
  std::vector<std::string> asked_;
  int status_ = 200;
  std::string body_ = "{ \"w\": [1] }";
  std::map<std::string, std::string> own_;
  RoundExchange::Environment environment_{{"PROPLET_ID", "me"}};
  std::unique_ptr<net::HttpServer> server_;
  std::string url_;
};

TEST_F(RoundExchangeTest, model_and_data_come_from_where_the_task_or_the_worker_says) {
  environment_["MODEL_URI"] = "fl/models/global_model_v7";
  environment_["MODEL_REGISTRY_URL"] = url_ + "/";
  own_["DATA_STORE_URL"] = url_;
  exchange().add_inputs(environment_);
  EXPECT_EQ(environment_["MODEL_DATA"], R"({"w":[1]})");
  EXPECT_EQ(environment_["DATASET_DATA"], R"({"w":[1]})");
  EXPECT_THAT(asked(), ElementsAre("GET /models/7 ", "GET /datasets/me "));
}

TEST_F(RoundExchangeTest, a_task_of_no_round_costs_no_request) {
  own_["DATA_STORE_URL"] = url_;
  exchange().add_inputs(environment_);
  EXPECT_THAT(asked(), IsEmpty());
}

TEST_F(RoundExchangeTest, what_cannot_be_had_is_left_out) {
  environment_["ROUND_ID"] = "r";
  own_["DATA_STORE_URL"] = url_;
  status_ = 404;
  exchange().add_inputs(environment_);
  EXPECT_FALSE(environment_.contains("DATASET_DATA"));
  status_ = 200;
  body_ = "no JSON";
  exchange().add_inputs(environment_);
  EXPECT_FALSE(environment_.contains("DATASET_DATA"));
}

TEST_F(RoundExchangeTest, an_update_is_posted_to_the_coordinator) {
  environment_["COORDINATOR_URL"] = url_;
  EXPECT_TRUE(exchange().deliver(environment_, R"({"u":1})"));
  EXPECT_THAT(asked(), ElementsAre(R"(POST /update {"u":1})"));
  status_ = 500;
  EXPECT_FALSE(exchange().deliver(environment_, R"({"u":1})"));
  environment_["COORDINATOR_URL"] = "http://127.0.0.1:1";
  EXPECT_FALSE(exchange().deliver(environment_, R"({"u":1})"));
}

TEST_F(RoundExchangeTest, without_a_coordinator_or_json_there_is_nothing_to_post) {
  EXPECT_TRUE(exchange().deliver(environment_, R"({"u":1})"));
  own_["MANAGER_COORDINATOR_URL"] = url_;
  EXPECT_TRUE(exchange().deliver(environment_, "no JSON"));
  EXPECT_THAT(asked(), IsEmpty());
  EXPECT_TRUE(exchange().deliver(environment_, "{}"));
  EXPECT_THAT(asked(), ElementsAre("POST /update {}"));
}

TEST(ModelVersion, is_the_number_at_the_end) {
  EXPECT_EQ(model_version("fl/models/global_model_v12"), 12U);
  EXPECT_EQ(model_version("7"), 7U);
  EXPECT_EQ(model_version("model"), 0U);
  EXPECT_EQ(model_version(""), 0U);
}

}  // namespace
}  // namespace coffer::fleet::worker
