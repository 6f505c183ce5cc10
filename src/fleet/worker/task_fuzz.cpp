// What a task says beside its parser: arguments that reach a runtime, and an image as a proxy may send it. What is let
// through opens neither this machine's folders nor its networks.
#include <cstdint>
#include <cstdlib>

#include "fleet/worker/modules/chunk_image.h"
#include "fleet/worker/runtimes/function_choice.h"
#include "fleet/worker/runtimes/host_arguments.h"
#include "fleet/worker/runtimes/http_task.h"
#include "image/pull.h"
#include "workload/http_allow.h"

namespace {

using namespace coffer;
using namespace coffer::fleet::worker;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    lines.emplace_back(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return lines;
}

void read_arguments(std::string_view text) {
  const auto cli = split_cli_args(lines_of(text));
  const auto http = read_http_arguments(cli.rest, {});
  if (!http) return;
  const auto host = check_host_arguments(http->rest);
  if (!host) return;
  for (const auto& argument : *host) {
    for (const std::string_view forbidden : {"--dir", "inherit-env", "inherit-network", "/", "--addr", "tcp", "udp"}) {
      if (argument.contains(forbidden)) std::abort();
    }
  }
}

void open_image(std::string_view text) {
  const auto image = std::make_shared<fleet::FetchedImage>(
      fleet::FetchedImage{.data = to_bytes("layer"), .manifest = std::string{text}, .config = "{}"});
  const auto source = ChunkImageSource::create("registry/image:1", image);
  if (source) static_cast<void>(image::inspect_image(**source));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  read_arguments(text);
  open_image(text);
  if (const auto allowed = workload::parse_http_allow(text)) {
    if (workload::parse_http_allow(*allowed).value() != *allowed) std::abort();
  }
  return 0;
}
