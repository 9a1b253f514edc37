#include "noise.h"

#include <cmath>

namespace {

constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;

// The finaliser of splitmix64.
uint64_t mixed(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
}

}  // namespace

std::vector<float> base_noise(const std::vector<float>& sobol, int dim, uint64_t seed, uint64_t counter) {
    const uint64_t key = mixed(mixed(seed) + counter * kGolden);
    std::vector<float> noise(sobol.size());
    for (size_t i = 0; i < sobol.size(); ++i) {
        const uint64_t column = i % dim + 1;
        const float moved = sobol[i] + static_cast<float>(mixed(key + column * kGolden) >> 40) / (1 << 24);
        noise[i] = moved - std::floor(moved);
    }
    return noise;
}

double normal_quantile(double p) {
    const double tail = p < 0.5 ? p : 1 - p;
    const double t = std::sqrt(-2 * std::log(tail));
    // Abramowitz and Stegun, 26.2.23, is right to 5e-4; each Newton step doubles the digits.
    double x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for (int step = 0; step < 2; ++step)
        x += (0.5 * std::erfc(x * std::sqrt(0.5)) - tail) * std::sqrt(8 * std::atan(1.0)) * std::exp(x * x / 2);
    return p < 0.5 ? -x : x;
}
