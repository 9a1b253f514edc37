// Boxes, regions, and the square crops that the networks see.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "graph.h"

struct Region {
    float cx, cy, side;  // pixels
};

// (cx, cy, w, h) in pixels of the frame; or (cx, cy, log w, log h) in units of a region's side about its centre.
using Box = cv::Vec4f;

Region around(const Box& box, float factor);
Box to_crop(const Box& box, const Region& region);
Box to_frame(const Box& box, const Region& region);

// Regions of a BGR frame as [N, 3, size, size] bytes; the frame's mean colour lies around it.
Array crop(const cv::Mat& frame, const std::vector<Region>& regions, int size);
