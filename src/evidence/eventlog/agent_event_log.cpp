#include "evidence/eventlog/agent_event_log.h"

#include <fmt/format.h>

#include <mutex>

#include "base/byte_reader.h"
#include "base/log.h"
#include "codec/base64.h"
#include "evidence/eventlog/text.h"
#include "evidence/eventlog/writer.h"

namespace coffer::evidence::eventlog {

namespace {

constexpr unsigned pcr_count = 24;
constexpr std::size_t max_text = 64U << 10;

// One event on its way into register and log.
struct Pending {
  unsigned pcr;
  std::size_t offset;  // where its entry goes in the log
  Bytes before;        // the register's values
  Bytes after;
  Bytes digest;
  Bytes entry;
};

// guest-components.md 2.6: offset, big-endian; the register's value to come; text.
struct WalEntry {
  std::uint64_t offset;
  ByteView rest;

  static Result<WalEntry> parse(ByteView wal) {
    ByteReader reader{wal};
    const auto offset = reader.u64_be("offset");
    if (!offset) return fail(EventLogError::bad_wal, "write-ahead entry: " + offset.error().message);
    return WalEntry{*offset, reader.rest()};
  }
};

Bytes extended(crypto::HashAlgorithm algorithm, ByteView value, ByteView digest) {
  return crypto::hash(algorithm, concat({value, digest}));
}

Result<std::string> entry_text(std::string_view domain, std::string_view operation, std::string_view content) {
  const auto bad = [](std::string_view part, std::string_view why) {
    return fail(EventLogError::bad_entry, fmt::format("{} of a runtime event {}", part, why));
  };
  if (domain.empty() || domain.contains(' ')) return bad("domain", "is empty or holds a space");
  if (operation.empty() || operation.contains(' ')) return bad("operation", "is empty or holds a space");
  const auto text = fmt::format("{} {} {}", domain, operation, content);
  if (text.contains('\n')) return bad("text", "holds a newline");
  if (!is_utf8(text)) return bad("text", "is no UTF-8");
  if (text.size() > max_text) return bad("text", fmt::format("has {} bytes, at most {} fit", text.size(), max_text));
  return text;
}

class DurableLog final : public AgentEventLog {
 public:
  DurableLog(const Attester& attester, std::unique_ptr<AgentLogStorage> storage)
      : attester_(attester), storage_(std::move(storage)) {}

  Result<> extend(unsigned pcr_index, std::string_view domain, std::string_view operation,
                  std::string_view content) override {
    const auto text = TRY(entry_text(domain, operation, content));
    const std::lock_guard lock{mutex_};
    const auto alone = TRY(storage_->lock());
    // Another process may have been killed on its way.
    if (interrupted_ || TRY(storage_->read_wal())) TRY(recover());
    const auto pending = TRY(prepare(pcr_index, text));
    if (auto written = storage_->write_wal(wal_of(pending, text)); !written) return abandon(std::move(written).error());
    if (auto done = attester_.extend_runtime_measurement(pcr_index, pending.digest); !done) {
      TRY(settle(pending, std::move(done).error()));
    }
    return finish(pending);
  }

  Result<> start() {
    const auto alone = TRY(storage_->lock());
    return recover();
  }

 private:
  // Called under both locks.
  Result<> recover() {
    interrupted_ = true;
    const auto wal = TRY(storage_->read_wal());
    if (wal) TRY(redo(*wal));
    interrupted_ = false;
    return {};
  }

  Result<Pending> prepare(unsigned pcr, std::string_view text) {
    const auto target = attester_.runtime_register(pcr);
    if (!target) {
      return fail(EvidenceError::not_supported,
                  fmt::format("TEE \"{}\" has no register for PCR {}", wire_name(attester_.kind()), pcr));
    }
    const auto log_size = TRY(storage_->read_log())
    .size();
    auto before = TRY(attester_.read_runtime_measurement(pcr));
    auto out = pending_for(pcr, *target, text, log_size);
    if (log_size + out.entry.size() > max_log_size) {
      return fail(EventLogError::too_large, fmt::format("the event log has {} bytes and takes no more", log_size));
    }
    out.after = extended(target->algorithm, before, out.digest);
    out.before = std::move(before);
    return out;
  }

  static Pending pending_for(unsigned pcr, const MeasurementRegister& target, std::string_view text,
                             std::size_t offset) {
    return {
        pcr, offset, {}, {}, crypto::hash(target.algorithm, agent_event_data(text)), agent_event_entry(target, text)};
  }

  static Bytes wal_of(const Pending& pending, std::string_view text) {
    return ByteWriter{}.u64_be(pending.offset).bytes(pending.after).bytes(as_bytes(text)).take();
  }

  // Nothing was extended yet.
  Result<> abandon(Error error) {
    if (!storage_->remove_wal()) interrupted_ = true;
    return fail(std::move(error));
  }

  // The attester says that it failed; its register says whether it did.
  Result<> settle(const Pending& pending, Error error) {
    const auto value = attester_.read_runtime_measurement(pending.pcr);
    if (value && equal(*value, pending.after)) return {};
    if (value && equal(*value, pending.before)) return abandon(std::move(error));
    interrupted_ = true;
    return fail(std::move(error));
  }

  Result<> finish(const Pending& pending) {
    interrupted_ = true;
    TRY(storage_->append_log(pending.offset, pending.entry));
    TRY(storage_->remove_wal());
    interrupted_ = false;
    return {};
  }

  // The entry does not name its register. One that holds the value to come was extended; where there is none, the
  // extension is made up for in the one register that it leads from. Where several hold the same value nobody knows
  // which was meant, but also nothing has happened yet, and the event is dropped: its sender never had an answer.
  Result<> redo(ByteView wal) {
    const auto entry = TRY(WalEntry::parse(wal));
    std::vector<Pending> to_extend;
    for (unsigned pcr = 0; pcr < pcr_count; ++pcr) {
      auto pending = TRY(match(entry, pcr));
      if (!pending) continue;
      if (equal(pending->before, pending->after)) return complete(*pending);
      to_extend.push_back(*std::move(pending));
    }
    if (to_extend.empty()) {
      return fail(EventLogError::bad_wal,
                  "a write-ahead entry fits no register: another process has extended it, or the entry is damaged");
    }
    if (to_extend.size() > 1) {
      log::warn("eventlog.dropped", "an interrupted runtime measurement that extended no register is dropped", {});
      return storage_->remove_wal();
    }
    TRY(check_place(to_extend.front()));
    TRY(attester_.extend_runtime_measurement(to_extend.front().pcr, to_extend.front().digest));
    return complete(to_extend.front());
  }

  // `before` is the register's present value: `after` where it was extended. Nothing where the register does not fit.
  Result<std::optional<Pending>> match(const WalEntry& entry, unsigned pcr) {
    const auto target = attester_.runtime_register(pcr);
    if (!target) return std::nullopt;
    const auto size = crypto::digest_size(target->algorithm);
    if (entry.rest.size() < size) return std::nullopt;
    auto pending = pending_for(pcr, *target, as_text(entry.rest.subspan(size)), entry.offset);
    pending.after = to_bytes(entry.rest.first(size));
    pending.before = TRY(attester_.read_runtime_measurement(pcr));
    const bool fits = equal(pending.before, pending.after) ||
                      equal(extended(target->algorithm, pending.before, pending.digest), pending.after);
    if (!fits) return std::nullopt;
    return pending;
  }

  Result<> complete(const Pending& pending) {
    TRY(check_place(pending));
    log::warn("eventlog.recovered", "an interrupted runtime measurement is completed",
              {{"pcr", std::to_string(pending.pcr)}});
    return finish(pending);
  }

  Result<> check_place(const Pending& pending) {
    const auto size = TRY(storage_->read_log())
    .size();
    if (size >= pending.offset && size <= pending.offset + pending.entry.size()) return {};
    return fail(EventLogError::bad_wal,
                fmt::format("the event log has {} bytes, but a write-ahead entry belongs at {} to {}", size,
                            pending.offset, pending.offset + pending.entry.size()));
  }

  const Attester& attester_;
  std::unique_ptr<AgentLogStorage> storage_;
  std::mutex mutex_;
  bool interrupted_ = false;
};

}  // namespace

Result<std::unique_ptr<AgentEventLog>> AgentEventLog::open(const Attester& attester,
                                                           std::unique_ptr<AgentLogStorage> storage) {
  bool any = false;
  for (unsigned pcr = 0; pcr < pcr_count; ++pcr) any = any || attester.runtime_register(pcr).has_value();
  if (!any) {
    return fail(EvidenceError::not_supported,
                "TEE \"" + std::string{wire_name(attester.kind())} + "\" has no register that a guest can extend");
  }
  auto out = std::make_unique<DurableLog>(attester, std::move(storage));
  TRY(out->start());
  return out;
}

Bytes agent_event_data(std::string_view text) {
  return tagged_event(agent_event_id, as_bytes(text));
}

Bytes agent_event_entry(const MeasurementRegister& target, std::string_view text) {
  const auto data = agent_event_data(text);
  const OwnedDigest digest{target.algorithm, crypto::hash(target.algorithm, data)};
  return encode_event(target.index, EventType::event_tag, {&digest, 1}, data);
}

}  // namespace coffer::evidence::eventlog
