#include "fleet/worker/modules/module_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/digest.h"
#include "net/http_server.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::HasSubstr;

class ModuleLoaderTest : public ::testing::Test {
 protected:
  ModuleLoaderTest() {
    config_.max_module = 1000;
    config_.fetch_timeout = std::chrono::seconds{5};
    config_.layer_store.clear();
    http_ = *net::HttpClient::create({.direct = true});
    server_ = *net::HttpServer::start({.sockets = {"127.0.0.1:0"}, .workers = 1},
                                      [this](const net::ServerRequest&) { return answer_; });
    url_ = "http://" + server_->addresses().front() + "/m.wasm";
  }
  Result<std::string> load(const StartCommand& task) {
    ModuleLoader loader(config_, {.http = http_,
                                  .chunks = &chunks_,
                                  .ask_proxy = [this](const FetchRequest& request) { return ask(request); },
                                  .fetched = [this](std::size_t bytes) { fetched_ += bytes; }});
    const auto content = TRY(loader.load(task, stop_.get_token()));
    return std::string{as_text(*content)};
  }
  Result<> ask(const FetchRequest& request) {
    if (!proxy_answers_) return {};
    return chunks_.accept({.app_name = request.app_name, .data = to_bytes("by proxy")});
  }
  Error error_of(const StartCommand& task) {
    const auto loaded = load(task);
    EXPECT_FALSE(loaded);
    return loaded ? Error{WorkerError::busy, ""} : loaded.error();
  }
  void answer(int status, std::string_view type, std::string_view body) {
    answer_ = net::ServerResponse::text(status, type, body);
  }

  TaskConfig config_;
  ChunkAssembler chunks_;
  std::shared_ptr<net::HttpClient> http_;
  net::ServerResponse answer_ = net::ServerResponse::text(200, "application/wasm", "by address");
  std::unique_ptr<net::HttpServer> server_;
  std::string url_;
  std::stop_source stop_;
  bool proxy_answers_ = true;
  std::size_t fetched_ = 0;
};

TEST_F(ModuleLoaderTest, a_file_beats_an_image_and_nothing_is_fetched) {
  EXPECT_EQ(*load({.id = "t", .name = "add", .image_url = url_, .file = to_bytes("in the message")}), "in the message");
  EXPECT_EQ(fetched_, 0U);
}

TEST_F(ModuleLoaderTest, an_address_is_fetched_and_its_bytes_are_counted) {
  EXPECT_EQ(*load({.id = "t", .name = "add", .image_url = url_}), "by address");
  EXPECT_EQ(fetched_, std::string_view{"by address"}.size());
}

TEST_F(ModuleLoaderTest, everything_else_comes_by_proxy_unless_the_worker_goes_to_registries) {
  EXPECT_EQ(*load({.id = "t", .name = "add", .image_url = "registry/image:1"}), "by proxy");
  config_.image_route = ImageRoute::registry;
  EXPECT_THAT(error_of({.id = "t", .name = "add", .image_url = "127.0.0.1:1/image:1"}).message,
              HasSubstr("127.0.0.1:1"));
  config_.image_route = ImageRoute::proxy;
  EXPECT_THAT(error_of({.id = "t", .name = "add", .image_url = "docker://127.0.0.1:1/image:1"}).message,
              HasSubstr("127.0.0.1:1"));
}

TEST_F(ModuleLoaderTest, an_address_without_a_module_is_refused) {
  answer(404, "application/wasm", "x");
  EXPECT_EQ(error_of({.id = "t", .name = "add", .image_url = url_}).code, WorkerError::http_status);
  answer(200, "text/html", "x");
  EXPECT_EQ(error_of({.id = "t", .name = "add", .image_url = url_}).code, WorkerError::http_status);
  answer(200, "Application/Octet-Stream; x=y", "fine");
  EXPECT_EQ(*load({.id = "t", .name = "add", .image_url = url_}), "fine");
}

TEST_F(ModuleLoaderTest, one_that_is_too_large_is_not_read_to_its_end) {
  answer(200, "application/wasm", std::string(1001, 'x'));
  EXPECT_EQ(error_of({.id = "t", .name = "add", .image_url = url_}).code, WorkerError::module_too_large);
}

TEST_F(ModuleLoaderTest, a_stop_ends_a_download_and_a_wait_for_the_proxy) {
  stop_.request_stop();
  EXPECT_EQ(error_of({.id = "t", .name = "add", .image_url = url_}).code, WorkerError::stopped);
  proxy_answers_ = false;
  EXPECT_EQ(error_of({.id = "t", .name = "add", .image_url = "registry/image:1"}).code, FleetError::cancelled);
}

TEST_F(ModuleLoaderTest, a_proxy_that_says_nothing_is_waited_for_as_long_as_configured) {
  proxy_answers_ = false;
  config_.fetch_timeout = Duration{50};
  EXPECT_EQ(error_of({.id = "t", .name = "add", .image_url = "registry/image:1"}).code, FleetError::fetch_timeout);
}

TEST_F(ModuleLoaderTest, only_the_module_that_the_request_names_is_taken) {
  const auto digest = image::Digest::of(as_bytes("module")).text();
  EXPECT_TRUE(load({.id = "t", .name = "add", .file = to_bytes("module"), .module_digest = digest}));
  EXPECT_EQ(error_of({.id = "t", .name = "add", .file = to_bytes("other"), .module_digest = digest}).code,
            image::ImageError::digest_mismatch);
  EXPECT_EQ(error_of({.id = "t", .name = "add", .file = to_bytes("module"), .module_digest = "sha256:x"}).code,
            image::ImageError::bad_digest);
}

}  // namespace
}  // namespace coffer::fleet::worker
