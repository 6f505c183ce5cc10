#include "fleet/worker/modules/module_loader.h"

#include "fleet/worker/modules/chunk_image.h"
#include "image/pull.h"
#include "image/reference.h"
#include "workload/image_access.h"

namespace coffer::fleet::worker {
namespace {

using Content = std::shared_ptr<const Bytes>;

Content shared(Bytes bytes) {
  return std::make_shared<const Bytes>(std::move(bytes));
}

// Upstream takes a module under these types and under none.
bool is_module_type(std::string_view type) {
  const auto media = type.substr(0, type.find(';'));
  return media.empty() || net::equal_ignoring_case(media, "application/wasm") ||
         net::equal_ignoring_case(media, "application/octet-stream");
}

class ModuleSink final : public net::BodySink {
 public:
  ModuleSink(std::size_t limit, const std::stop_token& stop) : limit_(limit), stop_(stop) {}

  Result<> on_head(const net::HttpResponse& head) override {
    if (head.status != 200) {
      return fail(WorkerError::http_status, "the module's address answered with HTTP " + std::to_string(head.status));
    }
    const auto type = head.headers.get("Content-Type").value_or("");
    if (is_module_type(type)) return {};
    return fail(WorkerError::http_status, "the module's address answered with " + std::string{type} +
                                              ", expected application/wasm or application/octet-stream");
  }
  Result<> on_data(ByteView data) override {
    if (stop_.stop_requested()) return fail(WorkerError::stopped, "the task was stopped");
    if (body_.size() + data.size() > limit_) {
      return fail(WorkerError::module_too_large, "the module is over " + std::to_string(limit_) + " bytes");
    }
    body_.insert(body_.end(), data.begin(), data.end());
    return {};
  }
  Bytes take() { return std::move(body_); }

 private:
  std::size_t limit_;
  const std::stop_token& stop_;
  Bytes body_;
};

class Permit {
 public:
  explicit Permit(std::counting_semaphore<>& semaphore) : semaphore_(semaphore) { semaphore_.acquire(); }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;
  ~Permit() { semaphore_.release(); }

 private:
  std::counting_semaphore<>& semaphore_;
};

}  // namespace

bool is_address(std::string_view image_url) {
  return image_url.starts_with("http://") || image_url.starts_with("https://");
}

bool names_registry(std::string_view image_url) {
  return image_url.starts_with("docker://");
}

std::optional<image::Digest> pinned_digest(const std::string& image_url) {
  if (is_address(image_url)) return std::nullopt;
  const auto reference = image::parse_any_reference(image_url);
  const auto* remote = reference ? std::get_if<image::ImageReference>(&*reference) : nullptr;
  return remote == nullptr ? std::nullopt : remote->digest();
}

Result<> check_module_digest(const StartCommand& task, ByteView module) {
  if (task.module_digest.empty()) return {};
  const auto digest = TRY(image::Digest::parse(task.module_digest));
  return digest.verify(module, "the module of task " + task.id);
}

ModuleLoader::ModuleLoader(const TaskConfig& config, Parts parts)
    : config_(config), parts_(std::move(parts)), pulls_(config.concurrent_pulls) {}

Result<Content> ModuleLoader::load(const StartCommand& task, const std::stop_token& stop) {
  SignatureDemand demand;
  if (parts_.signatures != nullptr) demand = TRY(parts_.signatures->demand(task));
  auto content = TRY(fetch(task, demand, stop));
  TRY(demand.check_module(*content, task.id));
  TRY(check_module_digest(task, *content));
  return content;
}

bool ModuleLoader::wants_signature(const StartCommand& task) const {
  return parts_.signatures != nullptr && parts_.signatures->asks(task);
}

Result<Content> ModuleLoader::fetch(const StartCommand& task, const SignatureDemand& demand,
                                    const std::stop_token& stop) {
  if (task.file) {
    TRY(demand.check_origin("in the request itself"));
    return Content{Content{}, &*task.file};
  }
  auto content = fetch_image(task, demand, stop);
  if (content && parts_.fetched) parts_.fetched((*content)->size());
  return content;
}

Result<Content> ModuleLoader::fetch_image(const StartCommand& task, const SignatureDemand& demand,
                                          const std::stop_token& stop) {
  if (is_address(task.image_url)) {
    TRY(demand.check_origin("from an address"));
    return from_address(task.image_url, stop);
  }
  const bool direct = names_registry(task.image_url) || config_.image_route == ImageRoute::registry;
  if (direct) return from_registry(task, demand);
  auto image = TRY(fetch_by_proxy(task.image_url, stop));
  if (demand.is_for_image()) {
    const auto source = TRY(ChunkImageSource::create(task.image_url, image));
    TRY(demand.check_image(*source, task.id));
    TRY(source->check_layer());
  }
  return Content{image, &image->data};
}

Result<Content> ModuleLoader::from_address(const std::string& url, const std::stop_token& stop) {
  const Permit permit(pulls_);
  ModuleSink sink(config_.max_module, stop);
  TRY(parts_.http->stream({.url = url, .timeout = config_.fetch_timeout, .max_redirects = 5}, sink));
  return shared(sink.take());
}

Result<Content> ModuleLoader::from_registry(const StartCommand& task, const SignatureDemand& demand) {
  const auto& reference = task.image_url;
  const Permit permit(pulls_);
  const auto source = TRY(workload::open_image({.image = reference,
                                                .registry_user = config_.registry_user,
                                                .registry_password_file = config_.registry_password_file,
                                                .plain_http_hosts = config_.plain_http_registries,
                                                .layer_store = config_.layer_store,
                                                .guest_directories = config_.directories,
                                                .http = parts_.http}));
  TRY(demand.check_image(*source, task.id));
  const auto summary = TRY(image::inspect_image(*source));
  if (summary.encrypted) {
    return fail(WorkerError::encrypted_image,
                "the image " + reference + " is encrypted, but the task is not marked so; start it with encrypted");
  }
  const auto pulled = TRY(workload::pull_module(*source, summary, {}, nullptr));
  return shared(to_bytes(pulled.module.expose()));
}

Result<std::shared_ptr<const FetchedImage>> ModuleLoader::fetch_by_proxy(const std::string& name,
                                                                         const std::stop_token& stop) {
  return parts_.chunks->fetch(name, parts_.ask_proxy, config_.fetch_timeout, stop);
}

}  // namespace coffer::fleet::worker
