#include "fleet/aggregator/fedavg.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace coffer::fleet::aggregator {
namespace {

std::unexpected<Error> not_finite(std::string_view what) {
  return fail(AggregatorError::not_finite, std::string{what} + " holds a value that is infinite or not a number");
}

std::unexpected<Error> wrong_length(std::size_t expected, const std::string& found) {
  return fail(AggregatorError::wrong_length,
              "the model has " + std::to_string(expected) + " numbers; the update has " + found);
}

bool all_finite(const std::vector<double>& values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

// Little-endian IEEE 754 binary32, one after the other.
Result<std::vector<double>> read_f32(ByteView content, std::size_t expected) {
  static_assert(std::numeric_limits<float>::is_iec559 && sizeof(float) == 4);
  if (content.size() != expected * 4)
    return wrong_length(expected, std::to_string(content.size()) + " bytes of binary32");
  std::vector<double> values;
  values.reserve(expected);
  for (std::size_t i = 0; i < content.size(); i += 4) {
    std::uint32_t bits = 0;
    for (std::size_t byte = 4; byte-- > 0;) bits = bits << 8U | std::to_integer<std::uint32_t>(content[i + byte]);
    values.push_back(static_cast<double>(std::bit_cast<float>(bits)));
  }
  if (!all_finite(values)) return not_finite("the update");
  return values;
}

// Whole weights, as upstream's guests give them.
Result<std::vector<double>> read_weights(const codec::json::Object& weights, const Model& base) {
  auto given = Model::read(weights, base.version, base.values.size() + 1);
  if (!given) return wrong_length(base.values.size(), "another form: " + given.error().message);
  if (given->values.size() != base.values.size() || given->has_bias != base.has_bias) {
    return wrong_length(base.values.size(),
                        std::to_string(given->values.size()) + (given->has_bias ? " with" : " without") + " a bias");
  }
  std::vector<double> difference = std::move(given->values);
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= base.values[i];
  if (!all_finite(difference)) return not_finite("the difference to the model");
  return difference;
}

Result<> check_based_on(const RoundUpdate& update, const Model& base) {
  if (update.base_model_uri.empty() || version_in(update.base_model_uri) == base.version) return {};
  return fail(AggregatorError::wrong_model, "the round began with model " + std::to_string(base.version) +
                                                "; the update is based on " + update.base_model_uri);
}

// The guest's own words, in place of those that its worker adds for want of any: of what it is, and how many samples.
Result<RoundUpdate> unwrapped(const RoundUpdate& update) {
  auto inner = TRY(parse_round_update(as_text(update.content)));
  const bool same = (inner.round_id.empty() || inner.round_id == update.round_id) &&
                    (inner.proplet_id.empty() || inner.proplet_id == update.proplet_id);
  if (!same) {
    return fail(AggregatorError::wrong_round, "the guest's update is of round \"" + inner.round_id +
                                                  "\" and worker \"" + inner.proplet_id + "\"; expected \"" +
                                                  update.round_id + "\" and \"" + update.proplet_id + "\"");
  }
  if (inner.format == RoundUpdate::json && !inner.weights) {
    return fail(AggregatorError::bad_format, "the guest's update is a document inside a document");
  }
  if (!inner.num_samples) inner.num_samples = update.num_samples;
  return inner;
}

Result<std::uint64_t> read_samples(const RoundUpdate& update, std::uint64_t most) {
  const auto count = update.num_samples.value_or(0);
  if (count >= 1 && count <= most) return count;
  return fail(AggregatorError::bad_sample_count,
              "num_samples is expected to be from 1 to " + std::to_string(most) + ", found " + std::to_string(count));
}

}  // namespace

void clip(std::vector<double>& values, double norm) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  if (norm <= 0 || largest == 0) return;
  // Scaled, so that no square overflows.
  double sum = 0;
  for (const double value : values) sum += (value / largest) * (value / largest);
  const double found = std::sqrt(sum);  // in units of the largest
  if (found * largest <= norm) return;
  for (double& value : values) value = value / largest * (norm / found);
}

Result<Contribution> read_contribution(const RoundUpdate& update, const Model& base, const UpdateLimits& limits) {
  if (!update.weights && update.format == RoundUpdate::json) {
    return read_contribution(TRY(unwrapped(update)), base, limits);
  }
  Contribution out;
  out.num_samples = TRY(read_samples(update, limits.max_samples));
  TRY(check_based_on(update, base));
  if (update.weights) {
    out.difference = TRY(read_weights(*update.weights, base));
  } else if (update.format == RoundUpdate::f32_delta) {
    out.difference = TRY(read_f32(update.content, base.values.size()));
  } else {
    return fail(AggregatorError::bad_format,
                "format \"" + update.format + "\" is not known; expected f32-delta, json or weights in \"update\"");
  }
  clip(out.difference, limits.clip_norm);
  return out;
}

Result<Model> average(const Model& base, const std::map<std::string, Contribution>& contributions,
                      std::uint64_t version) {
  double samples = 0;
  for (const auto& [_, each] : contributions) samples += static_cast<double>(each.num_samples);
  std::vector<double> mean(base.values.size());
  for (const auto& [_, each] : contributions) {
    const double share = static_cast<double>(each.num_samples) / samples;
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += share * each.difference[i];
  }
  Model model{.version = version, .values = base.values, .has_bias = base.has_bias};
  for (std::size_t i = 0; i < mean.size(); ++i) model.values[i] += mean[i];
  if (!all_finite(model.values)) return not_finite("the new model");
  return model;
}

}  // namespace coffer::fleet::aggregator
