#include <onnxruntime_cxx_api.h>

#include "graph.h"

struct Graph::Runtime {
    Ort::Env env{ORT_LOGGING_LEVEL_WARNING, "ebtrack"};
    Ort::Session session;
    std::vector<std::string> inputs, outputs;

    Runtime(const std::filesystem::path& file, int threads) : session(env, file.c_str(), options(threads)) {
        Ort::AllocatorWithDefaultOptions allocator;
        for (size_t i = 0; i < session.GetInputCount(); ++i)
            inputs.emplace_back(session.GetInputNameAllocated(i, allocator).get());
        for (size_t i = 0; i < session.GetOutputCount(); ++i)
            outputs.emplace_back(session.GetOutputNameAllocated(i, allocator).get());
    }

    static Ort::SessionOptions options(int threads) {
        Ort::SessionOptions chosen;
        chosen.SetIntraOpNumThreads(threads);
        return chosen;
    }
};

Graph::Graph(const std::filesystem::path& file, int threads) : runtime_(std::make_unique<Runtime>(file, threads)) {}
Graph::~Graph() = default;

Arrays Graph::operator()(Arrays& arrays) {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    std::vector<const char*> inputs, outputs;
    std::vector<Ort::Value> values;
    for (const std::string& name : runtime_->inputs) {
        Array& a = arrays.at(name);
        inputs.push_back(name.c_str());
        values.push_back(a.bytes.empty() ? Ort::Value::CreateTensor<float>(memory, a.values.data(), a.values.size(),
                                                                           a.shape.data(), a.shape.size())
                                         : Ort::Value::CreateTensor<uint8_t>(memory, a.bytes.data(), a.bytes.size(),
                                                                             a.shape.data(), a.shape.size()));
    }
    for (const std::string& name : runtime_->outputs) outputs.push_back(name.c_str());
    const auto found = runtime_->session.Run(Ort::RunOptions{nullptr}, inputs.data(), values.data(), values.size(),
                                             outputs.data(), outputs.size());
    Arrays given;
    for (size_t i = 0; i < found.size(); ++i) {
        const auto info = found[i].GetTensorTypeAndShapeInfo();
        const float* data = found[i].GetTensorData<float>();
        given[outputs[i]] = {info.GetShape(), {data, data + info.GetElementCount()}, {}};
    }
    return given;
}
