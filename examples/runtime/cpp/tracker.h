// Follows one target, as ebtrack's tracker does: the same crops, noise, chain of presence and search. docs/export.md
// explains every step.
#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <vector>

#include "crop.h"
#include "graph.h"

struct Track {
    float x, y, w, h;  // 0-based pixels
    double presence;   // P(present)
};

class Tracker {
public:
    // What `ebtrack export` wrote; the same seed gives the same boxes; one thread a core for 0 of them. Throws
    // std::runtime_error where the folder is no export.
    Tracker(const std::filesystem::path& folder, uint64_t seed, int threads);

    // Begins with a BGR frame and the target's box (x, y, w, h) in it. Throws std::invalid_argument for a box outside.
    void init(const cv::Mat& frame, const cv::Rect2d& box);

    // Tracks through the next frame, of the same size.
    Track update(const cv::Mat& frame);

private:
    // The numbers of tracker.json, under the names that they have there.
    struct Record {
        cv::FileStorage file;
        explicit Record(const std::filesystem::path& folder);
        double operator()(const char* section, const char* name) const;
        std::string graph(const char* name) const;
        std::vector<float> sobol() const;
    };

    // What the networks say of some regions; `motion` is whether the last box tells where the target may be.
    Arrays look(const cv::Mat& frame, const std::vector<Region>& regions, const std::vector<std::vector<float>>& noise,
                bool motion);
    void advance(const Box& box, double presence, const cv::Mat& frame);
    double search(const cv::Mat& frame, int turn);
    Box sane(const Box& box, const cv::Mat& frame) const;
    std::vector<float> noise(uint64_t seed, uint64_t counter) const;

    Record record_;
    Graph template_graph_, frame_graph_;
    std::vector<float> sobol_;
    uint64_t seed_;

    Arrays template_;
    Box box_;
    cv::Vec2f steady_size_;
    float factor_ = 0;
    double presence_ = 1;
    int lost_ = 0;
    uint64_t frame_ = 0;
};
