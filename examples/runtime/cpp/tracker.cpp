#include "tracker.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "noise.h"

namespace {

constexpr int kNoise = 5;  // uniform numbers a sample: one for its component, one a coordinate

double logit(double p) { return std::log(p / (1 - p)); }

// The way from a to b in their logarithms, as far as a share of it.
float between(float a, float b, float share) {
    return std::exp(std::log(a) + share * (std::log(b) - std::log(a)));
}

// The i-th row of an array.
Box row(const Array& array, size_t i) {
    return {array.values[4 * i], array.values[4 * i + 1], array.values[4 * i + 2], array.values[4 * i + 3]};
}

}  // namespace

Tracker::Record::Record(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "tracker.json";
    if (!std::filesystem::is_regular_file(path) || !file.open(path.string(), cv::FileStorage::READ))
        throw std::runtime_error(folder.string() + " is not what ebtrack export wrote: there is no tracker.json in it");
}

double Tracker::Record::operator()(const char* section, const char* name) const {
    const cv::FileNode node = file[section][name];
    if (node.empty()) throw std::runtime_error(std::string("tracker.json lacks ") + section + "." + name);
    return node.real();
}

std::string Tracker::Record::graph(const char* name) const { return file[name]["file"].string(); }

std::vector<float> Tracker::Record::sobol() const {
    std::vector<float> values;
    for (const cv::FileNode& sample : file["sobol"])
        for (const cv::FileNode& value : sample) values.push_back(static_cast<float>(value.real()));
    return values;
}

Tracker::Tracker(const std::filesystem::path& folder, uint64_t seed, int threads)
    : record_(folder),
      template_graph_(folder / record_.graph("template"), threads),
      frame_graph_(folder / record_.graph("frame"), threads),
      sobol_(record_.sobol()),
      seed_(seed) {}

void Tracker::init(const cv::Mat& frame, const cv::Rect2d& box) {
    const cv::Rect2d seen = box & cv::Rect2d(0, 0, frame.cols, frame.rows);
    if (!(seen.width >= 1 && seen.height >= 1))
        throw std::invalid_argument("the box shows less than a pixel of the frame, which is " +
                                    std::to_string(frame.cols) + " x " + std::to_string(frame.rows) + " pixels");
    box_ = Box(static_cast<float>(seen.x + seen.width / 2), static_cast<float>(seen.y + seen.height / 2),
               static_cast<float>(seen.width), static_cast<float>(seen.height));
    steady_size_ = {box_[2], box_[3]};
    factor_ = static_cast<float>(record_("network", "search_factor"));
    presence_ = 1;
    lost_ = 0;
    frame_ = 0;
    const Region region = around(box_, static_cast<float>(record_("network", "template_factor")));
    const Box target = to_crop(box_, region);
    Arrays inputs{{"crops", crop(frame, {region}, static_cast<int>(record_("network", "template_size")))},
                  {"boxes", {{1, 4}, {target.val, target.val + 4}, {}}}};
    template_ = template_graph_(inputs);
}

Track Tracker::update(const cv::Mat& frame) {
    const Region region = around(box_, factor_);
    Arrays found = look(frame, {region}, {noise(seed_, frame_)}, record_("tracker", "motion") != 0);
    double presence = found["presence"].values[0];
    advance(to_frame(row(found["box"], 0), region), presence, frame);
    const int waited = lost_ - static_cast<int>(record_("tracker", "search_after"));
    const int every = static_cast<int>(record_("tracker", "search_every"));
    if (record_("tracker", "search") != 0 && waited >= 0 && waited % every == 0) presence = search(frame, waited / every);
    return {box_[0] - box_[2] / 2, box_[1] - box_[3] / 2, box_[2], box_[3], presence};
}

Arrays Tracker::look(const cv::Mat& frame, const std::vector<Region>& regions,
                     const std::vector<std::vector<float>>& noise, bool motion) {
    const auto n = static_cast<int64_t>(regions.size());
    const double leaves = record_("tracker", "leave_rate"), returns = record_("tracker", "return_rate");
    const double prior = std::clamp(presence_ * (1 - leaves) + (1 - presence_) * returns, 1e-4, 1 - 1e-4);
    const double evidence = record_("tracker", "evidence");
    const double log_odds = logit(prior) - evidence * logit(record_("network", "trained_presence"));

    Arrays inputs{{"crops", crop(frame, regions, static_cast<int>(record_("network", "search_size")))},
                  {"log_odds", {{n}, std::vector<float>(n, static_cast<float>(log_odds)), {}}},
                  {"evidence", {{n}, std::vector<float>(n, static_cast<float>(evidence)), {}}},
                  {"last", {{n, 4}, {}, {}}},
                  {"motion_scale", {{n, 2}, {}, {}}}};
    const float never = std::numeric_limits<float>::infinity();
    const float centre = motion ? static_cast<float>(record_("tracker", "motion_scale")) : never;
    const float size = motion ? static_cast<float>(record_("tracker", "motion_log_size")) : never;
    for (const Region& region : regions) {
        const Box last = motion ? to_crop(box_, region) : Box();
        inputs["last"].values.insert(inputs["last"].values.end(), last.val, last.val + 4);
        inputs["motion_scale"].values.insert(inputs["motion_scale"].values.end(), {centre, size});
    }
    for (const auto& [name, part] : template_) {
        Array& repeated = inputs[name];
        repeated.shape = part.shape;
        repeated.shape[0] = n;
        for (int64_t i = 0; i < n; ++i)
            repeated.values.insert(repeated.values.end(), part.values.begin(), part.values.end());
    }
    const auto samples = static_cast<int64_t>(sobol_.size() / kNoise);
    Array &uniform = inputs["uniform"] = {{n, samples, 3}, {}, {}}, &normal = inputs["normal"] = {{n, samples, 4}, {}, {}};
    const auto smallest = static_cast<float>(record_("limits", "smallest_uniform"));
    for (const std::vector<float>& crop_noise : noise) {
        for (size_t i = 0; i < crop_noise.size(); ++i) {
            if (i % kNoise < 3) uniform.values.push_back(crop_noise[i]);
            const float u = std::clamp(crop_noise[i], smallest, 1 - smallest);
            if (i % kNoise > 0) normal.values.push_back(static_cast<float>(normal_quantile(u)));
        }
    }
    return frame_graph_(inputs);
}

void Tracker::advance(const Box& box, double presence, const cv::Mat& frame) {
    const bool seen = presence >= record_("tracker", "present_above") || record_("tracker", "search") == 0;
    const auto size_rate = static_cast<float>(record_("tracker", "size_rate"));
    const auto steady_rate = static_cast<float>(record_("tracker", "steady_rate"));
    cv::Vec2f size = steady_size_;
    if (seen) {
        for (int side = 0; side < 2; ++side) {
            size[side] = between(box_[2 + side], box[2 + side], size_rate);
            steady_size_[side] = between(steady_size_[side], size[side], steady_rate);
        }
    }
    const auto usual = static_cast<float>(record_("network", "search_factor"));
    const auto growth = static_cast<float>(record_("tracker", "region_growth"));
    const auto limit = static_cast<float>(record_("tracker", "region_growth_limit"));
    factor_ = seen ? usual : std::min(factor_ * growth, usual * limit);
    box_ = sane({box[0], box[1], size[0], size[1]}, frame);
    presence_ = presence;
    lost_ = seen ? 0 : lost_ + 1;
    ++frame_;
}

// Looks for the lost target in the whole frame; gives the presence of what is shown now.
double Tracker::search(const cv::Mat& frame, int turn) {
    const double side = record_("network", "search_factor") * record_("tracker", "search_zoom") *
                        std::sqrt(static_cast<double>(box_[2]) * box_[3]);
    const double apart = 2 * record_("limits", "reach") * side;
    const int columns = std::max(1, static_cast<int>(std::ceil(frame.cols / apart)));
    const int rows = std::max(1, static_cast<int>(std::ceil(frame.rows / apart)));
    const int grid = columns * rows, most = static_cast<int>(record_("tracker", "search_crops"));
    std::vector<Region> regions;
    std::vector<std::vector<float>> noises;
    for (int i = 0; i < std::min(grid, most); ++i) {
        const int cell = grid <= most ? i : (turn * most + i) % grid;
        regions.push_back({(cell % columns + 0.5F) * frame.cols / columns, (cell / columns + 0.5F) * frame.rows / rows,
                           static_cast<float>(side)});
        noises.push_back(noise(~seed_, frame_ * most + i));
    }
    Arrays found = look(frame, regions, noises, false);
    const std::vector<float>& log_z = found["log_z"].values;
    const size_t best = std::max_element(log_z.begin(), log_z.end()) - log_z.begin();
    const double presence = 1 / (1 + std::exp(std::log(grid) - logit(found["presence"].values[best])));
    const double before = presence_;
    presence_ = presence;
    if (presence >= record_("tracker", "present_above")) lost_ = 0;
    if (presence < record_("tracker", "found_above")) return before;
    box_ = sane(to_frame(row(found["box"], best), regions[best]), frame);
    factor_ = static_cast<float>(record_("network", "search_factor"));
    return presence;
}

// The box, on a fine grid, its centre in the frame and its sides neither tiny nor longer than it.
Box Tracker::sane(const Box& box, const cv::Mat& frame) const {
    const auto smallest = static_cast<float>(record_("limits", "smallest_side"));
    const auto width = static_cast<float>(frame.cols), height = static_cast<float>(frame.rows);
    Box kept{std::clamp(box[0], 0.0F, width), std::clamp(box[1], 0.0F, height),
             std::clamp(box[2], smallest, std::max(width, smallest)),
             std::clamp(box[3], smallest, std::max(height, smallest))};
    const auto grid = static_cast<float>(record_("limits", "grid"));
    for (float& value : kept.val) value = std::nearbyint(value * grid) / grid;
    return kept;
}

std::vector<float> Tracker::noise(uint64_t seed, uint64_t counter) const {
    return base_noise(sobol_, kNoise, seed, counter);
}
