#include <openvino/openvino.hpp>

#include "graph.h"

struct Graph::Runtime {
    ov::Core core;
    ov::InferRequest request;
    std::vector<std::string> inputs, outputs;

    Runtime(const std::filesystem::path& file, int threads) {
        const auto model = core.read_model(file.string());
        // Compiling gives some of them second names.
        for (const auto& input : model->inputs()) inputs.push_back(input.get_any_name());
        for (const auto& output : model->outputs()) outputs.push_back(output.get_any_name());
        // Some processors would compute in bfloat16 unless told otherwise.
        request = core.compile_model(model, "CPU", ov::hint::inference_precision(ov::element::f32),
                                     ov::inference_num_threads(threads),
                                     ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY))
                      .create_infer_request();
    }
};

Graph::Graph(const std::filesystem::path& file, int threads) : runtime_(std::make_unique<Runtime>(file, threads)) {}
Graph::~Graph() = default;

Arrays Graph::operator()(Arrays& arrays) {
    ov::InferRequest& request = runtime_->request;
    for (size_t i = 0; i < runtime_->inputs.size(); ++i) {
        Array& a = arrays.at(runtime_->inputs[i]);
        const ov::Shape shape(a.shape.begin(), a.shape.end());
        request.set_input_tensor(i, a.bytes.empty() ? ov::Tensor(ov::element::f32, shape, a.values.data())
                                                    : ov::Tensor(ov::element::u8, shape, a.bytes.data()));
    }
    request.infer();
    Arrays given;
    for (size_t i = 0; i < runtime_->outputs.size(); ++i) {
        const ov::Tensor found = request.get_output_tensor(i);
        const ov::Shape shape = found.get_shape();
        const float* data = found.data<float>();
        given[runtime_->outputs[i]] = {{shape.begin(), shape.end()}, {data, data + found.get_size()}, {}};
    }
    return given;
}
