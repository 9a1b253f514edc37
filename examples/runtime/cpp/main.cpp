// Tracks a target through a video with what `ebtrack export` wrote.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <opencv2/videoio.hpp>

#include "tracker.h"

namespace {

constexpr const char* kKeys =
    "{help h   |           | show this }"
    "{@folder  |           | what ebtrack export wrote }"
    "{@video   |           | a video file, or images as frame_%04d.png }"
    "{box      |           | x,y,w,h of the target in the first frame, in pixels }"
    "{out      | boxes.txt | new file for a line x,y,w,h a frame }"
    "{seed     | 0         | of the sampler: the same seed gives the same boxes }"
    "{threads  | 0         | that the networks run on; 0 for one a core }";

cv::Rect2d parsed(const std::string& text) {
    cv::Rect2d box;
    char end = 0;
    if (std::sscanf(text.c_str(), "%lf,%lf,%lf,%lf%c", &box.x, &box.y, &box.width, &box.height, &end) != 4)
        throw std::invalid_argument("--box=\"" + text + "\" is not four numbers x,y,w,h");
    return box;
}

void run(Tracker& tracker, const std::string& video, const cv::Rect2d& box, const std::string& out) {
    if (std::filesystem::exists(out)) throw std::invalid_argument(out + " exists: name another file with --out");
    cv::VideoCapture source(video);
    cv::Mat frame;
    if (!source.read(frame)) throw std::invalid_argument(video + ": no video that OpenCV can read");
    tracker.init(frame, box);

    std::ofstream file(out);
    file.setf(std::ios::fixed);
    file.precision(4);
    file << box.x << ',' << box.y << ',' << box.width << ',' << box.height << '\n';
    int frames = 0;
    std::chrono::duration<double, std::milli> spent{};
    while (source.read(frame)) {
        const auto begin = std::chrono::steady_clock::now();
        const Track track = tracker.update(frame);
        spent += std::chrono::steady_clock::now() - begin;
        ++frames;
        file << track.x << ',' << track.y << ',' << track.w << ',' << track.h << '\n';
    }
    if (!file.flush()) throw std::runtime_error("cannot write " + out);
    std::cout << frames << " frames after the first, " << spent.count() / std::max(1, frames) << " ms each; boxes in "
              << out << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    const cv::CommandLineParser given(argc, argv, kKeys);
    if (given.has("help") || !given.has("@folder") || !given.has("@video") || !given.has("box")) {
        given.printMessage();
        return given.has("help") ? 0 : 2;
    }
    const auto seed = given.get<uint64_t>("seed");
    const int threads = given.get<int>("threads");
    if (!given.check()) {
        given.printErrors();
        return 2;
    }
    try {
        const cv::Rect2d box = parsed(given.get<std::string>("box"));
        Tracker tracker(given.get<std::string>("@folder"), seed, threads);
        run(tracker, given.get<std::string>("@video"), box, given.get<std::string>("out"));
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
