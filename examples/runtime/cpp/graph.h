// A graph that takes and gives arrays by name. graph_onnxruntime.cpp or graph_openvino.cpp runs it, the only files that
// know of a runtime: write a third for another one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct Array {
    std::vector<int64_t> shape;
    std::vector<float> values;
    std::vector<uint8_t> bytes;  // in the place of values, for crops
};

using Arrays = std::map<std::string, Array>;

class Graph {
public:
    // `threads` are those that it runs on; one a core for 0.
    Graph(const std::filesystem::path& file, int threads);
    ~Graph();

    // Gives every output; of the arrays those are read that the graph has inputs for.
    Arrays operator()(Arrays& arrays);

private:
    struct Runtime;
    std::unique_ptr<Runtime> runtime_;
};
