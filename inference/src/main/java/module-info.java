/** Checkpoints, tokenizers, chat templates, decoder graphs, generation and embedding on ONNX Runtime. */
module dev.pollux.inference {
    requires transitive dev.pollux.core;
    requires static transitive org.jspecify;
    requires java.net.http;
    requires tools.jackson.core;
    // Automatic modules, each named in its manifest; one that is resolved brings all others of the module path.
    requires ai.djl.api;
    requires ai.djl.tokenizers;
    requires com.google.protobuf;
    requires com.microsoft.onnxruntime;
    requires com.sun.jna;
    requires org.tribuo.util.onnx;
    // What the tokenizers use without saying so, since they are an automatic module.
    requires com.google.gson;
    requires org.slf4j;

    exports dev.pollux.inference.adapter;
    exports dev.pollux.inference.calibration;
    exports dev.pollux.inference.checkpoint;
    exports dev.pollux.inference.decoder;
    exports dev.pollux.inference.device;
    exports dev.pollux.inference.encoder;
    exports dev.pollux.inference.encoder.export;
    exports dev.pollux.inference.engine;
    exports dev.pollux.inference.gguf;
    exports dev.pollux.inference.graph;
    exports dev.pollux.inference.hub;
    exports dev.pollux.inference.onnx;
    exports dev.pollux.inference.quantize;
    exports dev.pollux.inference.sampling;
    exports dev.pollux.inference.template;
    exports dev.pollux.inference.tokenizer;
    exports dev.pollux.inference.internal to
            dev.pollux.finetune;
    exports dev.pollux.inference.internal.architecture to
            dev.pollux.finetune;
    exports dev.pollux.inference.internal.layer to
            dev.pollux.finetune;
    exports dev.pollux.inference.internal.layerwise to
            dev.pollux.finetune;
    exports dev.pollux.inference.internal.masked to
            dev.pollux.finetune;
    exports dev.pollux.inference.internal.session to
            dev.pollux.finetune;
}
