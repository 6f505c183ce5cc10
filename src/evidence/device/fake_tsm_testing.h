// A configfs-tsm that keeps its directories in memory, with a report behind each and faults to dial.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "evidence/device/configfs_tsm.h"

namespace coffer::evidence::device {

class FakeTsm final : public TsmFilesystem {
 public:
  std::string provider = "tdx_guest";
  // What outblob holds for what was written to inblob.
  std::function<Bytes(ByteView)> outblob = [](ByteView inblob) { return to_bytes(inblob); };
  Bytes auxblob = to_bytes("aux");
  bool absent = false;                           // no interface at all
  unsigned foreign_writes = 0;                   // attempts to which another writes, too
  unsigned busy_reads = 0;                       // outblob reads that say EAGAIN
  unsigned taken_names = 0;                      // mkdir calls that say EEXIST
  std::map<std::string, std::string> failing{};  // attribute -> reason, "mkdir" too
  std::optional<std::string> odd_generation{};
  // What was seen.
  std::set<std::string> directories{};
  std::vector<std::string> used_names{};
  Bytes last_inblob{};
  std::string last_privlevel{};
  unsigned pauses = 0;

  Answer make_directory(const std::filesystem::path& path) override {
    if (absent) return {Outcome::absent, "No such file or directory"};
    if (failing.contains("mkdir")) return {Outcome::failed, failing["mkdir"]};
    if (taken_names > 0) return --taken_names, Answer{Outcome::busy, "File exists"};
    directories.insert(path.string());
    used_names.push_back(path.filename().string());
    writes_ = 0;
    return {};
  }
  Answer remove_directory(const std::filesystem::path& path) override {
    directories.erase(path.string());
    return {};
  }
  Answer write(const std::filesystem::path& file, ByteView content) override {
    const auto name = file.filename().string();
    if (failing.contains(name)) return {Outcome::failed, failing[name]};
    if (name == "inblob") last_inblob = to_bytes(content);
    if (name == "privlevel") last_privlevel = std::string{as_text(content)};
    ++writes_;
    return {};
  }
  Answer read(const std::filesystem::path& file, std::size_t) override {
    const auto name = file.filename().string();
    if (failing.contains(name)) return {Outcome::failed, failing[name]};
    if (name == "provider") return content(provider + "\n");
    if (name == "generation") return content(generation());
    if (name == "auxblob") return {Outcome::done, {}, auxblob};
    if (busy_reads > 0) return --busy_reads, Answer{Outcome::busy, "Resource temporarily unavailable"};
    return {Outcome::done, {}, outblob(last_inblob)};
  }
  void pause(std::chrono::milliseconds) override { ++pauses; }

 private:
  static Answer content(const std::string& text) { return {Outcome::done, {}, to_bytes(text)}; }
  std::string generation() {
    if (odd_generation) return *odd_generation;
    const bool disturbed = foreign_writes > 0;
    if (disturbed) --foreign_writes;
    return std::to_string(writes_ + (disturbed ? 1 : 0)) + "\n";
  }
  unsigned writes_ = 0;
};

}  // namespace coffer::evidence::device
