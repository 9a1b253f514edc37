// Base noise of the sampler: a fixed low-discrepancy set, shifted by a hash of seed and counter.
#pragma once

#include <cstdint>
#include <vector>

// The set, row by row, shifted modulo 1 by a vector of `dim` numbers.
std::vector<float> base_noise(const std::vector<float>& sobol, int dim, uint64_t seed, uint64_t counter);

// Standard normal quantile of p in (0, 1).
double normal_quantile(double p);
