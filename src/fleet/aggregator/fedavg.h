// Federated averaging (McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data",
// 2017, algorithm 1), over differences: new model = model + sum of n_i / n * difference_i, where n_i is how many
// samples a participant has learnt from and n their sum.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fleet/aggregator/model.h"
#include "fleet/round_update.h"

namespace coffer::fleet::aggregator {

// What one participant adds.
struct Contribution {
  std::uint64_t num_samples = 0;
  std::vector<double> difference;  // as many numbers as the model has, all finite
  std::string update_digest{};     // names the update in the round's statement
};

struct UpdateLimits {
  std::uint64_t max_samples = 1'000'000'000;  // that one participant may claim: its weight
  double clip_norm = 0;                       // longest difference, in the Euclidean norm; 0: as it is
};

// A worker's update against the model that its round began with. Errors: bad_format, bad_sample_count, wrong_length,
// not_finite, wrong_model, wrong_round.
Result<Contribution> read_contribution(const RoundUpdate& update, const Model& base, const UpdateLimits& limits);

// Shortens `values` to the norm, where it is longer.
void clip(std::vector<double>& values, double norm);

// By participant: what comes out is the same to the last bit, in whichever order they came. not_finite where the sum
// leaves the range of a double.
Result<Model> average(const Model& base, const std::map<std::string, Contribution>& contributions,
                      std::uint64_t version);

}  // namespace coffer::fleet::aggregator
