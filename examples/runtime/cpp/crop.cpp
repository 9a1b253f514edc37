#include "crop.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <opencv2/imgproc.hpp>

namespace {

// Where an output pixel's centre lies on an axis: the pixel before, and how far it is from there to the next.
struct Place {
    int before;
    float share;
};

// Of an axis of `extent` pixels; output pixel i lies at start + i * step. OpenCV before 5 rounds the places of warpAffine to
// 1/32 of a pixel; here they are kept, as OpenCV 5 does.
std::vector<Place> places(double start, double step, int count, int extent) {
    // Counted from near the first, so that places are small numbers, which float keeps best.
    const int origin = std::clamp(static_cast<int>(start + 0.5 - step / 2 - 2), 0, extent - 1);
    const float first = static_cast<float>(start - origin), scale = static_cast<float>(step);
    std::vector<Place> found(count);
    for (int i = 0; i < count; ++i) {
        const float at = std::fma(scale, static_cast<float>(i), first), before = std::floor(at);
        found[i] = {origin + static_cast<int>(before), at - before};
    }
    return found;
}

// Factors by which a region is averaged before it is cut: twos, and a four first where there are more than two.
std::vector<int> shrinking(double times) {
    const int halvings = times < 2 ? 0 : static_cast<int>(std::log2(times / 0.75));
    if (halvings <= 2) return std::vector<int>(halvings, 2);
    std::vector<int> factors(halvings - 1, 2);
    factors.front() = 4;
    return factors;
}

void cut(cv::Mat frame, const Region& region, int size, const cv::Scalar& fill, uint8_t* crop) {
    double side = region.side, left = region.cx - side / 2, top = region.cy - side / 2;
    const std::vector<int> factors = shrinking(side / size);
    const int scale = std::accumulate(factors.begin(), factors.end(), 1, std::multiplies<>());
    // Whole cells of a grid that is the same for every region.
    const int x0 = std::max(0, static_cast<int>(left)) / scale * scale;
    const int y0 = std::max(0, static_cast<int>(top)) / scale * scale;
    const int columns = std::min(static_cast<int>(std::ceil((left + side - x0) / scale)), (frame.cols - x0) / scale);
    const int rows = std::min(static_cast<int>(std::ceil((top + side - y0) / scale)), (frame.rows - y0) / scale);
    if (!factors.empty() && columns > 0 && rows > 0) {
        frame = frame(cv::Rect(x0, y0, columns * scale, rows * scale));
        for (const int factor : factors) {
            cv::Mat smaller;
            cv::resize(frame, smaller, cv::Size(frame.cols / factor, frame.rows / factor), 0, 0, cv::INTER_LINEAR);
            frame = smaller;
        }
        left = (left - x0) / scale;
        top = (top - y0) / scale;
        side /= scale;
    }
    // Centres of pixels map to each other: output centre u + 1/2 lies at left + (u + 1/2) * side / size.
    const double step = side / size;
    const auto across = places(left + step / 2 - 0.5, step, size, frame.cols);
    const auto along = places(top + step / 2 - 0.5, step, size, frame.rows);
    const cv::Vec3b around(cv::saturate_cast<uint8_t>(fill[0]), cv::saturate_cast<uint8_t>(fill[1]),
                           cv::saturate_cast<uint8_t>(fill[2]));
    const auto pixel = [&](int y, int x) {
        const bool inside = x >= 0 && y >= 0 && x < frame.cols && y < frame.rows;
        return inside ? frame.at<cv::Vec3b>(y, x) : around;
    };
    for (int v = 0; v < size; ++v) {
        const auto [y, down] = along[v];
        for (int u = 0; u < size; ++u) {
            const auto [x, right] = across[u];
            const cv::Vec3b a = pixel(y, x), b = pixel(y, x + 1), c = pixel(y + 1, x), d = pixel(y + 1, x + 1);
            for (int channel = 0; channel < 3; ++channel) {
                const float above = a[channel] + right * (b[channel] - a[channel]);
                const float below = c[channel] + right * (d[channel] - c[channel]);
                crop[(channel * size + v) * size + u] = cv::saturate_cast<uint8_t>(above + down * (below - above));
            }
        }
    }
}

}  // namespace

Region around(const Box& box, float factor) { return {box[0], box[1], factor * std::sqrt(box[2] * box[3])}; }

Box to_crop(const Box& box, const Region& region) {
    return {(box[0] - region.cx) / region.side, (box[1] - region.cy) / region.side, std::log(box[2] / region.side),
            std::log(box[3] / region.side)};
}

Box to_frame(const Box& box, const Region& region) {
    return {box[0] * region.side + region.cx, box[1] * region.side + region.cy, std::exp(box[2]) * region.side,
            std::exp(box[3]) * region.side};
}

Array crop(const cv::Mat& frame, const std::vector<Region>& regions, int size) {
    cv::Mat small;
    cv::resize(frame, small, cv::Size(64, 64), 0, 0, cv::INTER_NEAREST);
    const cv::Scalar fill = cv::mean(small);
    const size_t each = 3 * static_cast<size_t>(size) * size;
    Array crops{{static_cast<int64_t>(regions.size()), 3, size, size}, {}, std::vector<uint8_t>(regions.size() * each)};
    for (size_t i = 0; i < regions.size(); ++i) cut(frame, regions[i], size, fill, &crops.bytes[i * each]);
    return crops;
}
