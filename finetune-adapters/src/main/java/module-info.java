/** Training of adapters, and merging of models and adapters. */
module dev.pollux.finetune {
    requires transitive dev.pollux.core;
    requires transitive dev.pollux.inference;
    requires static transitive org.jspecify;
    requires com.google.protobuf;
    requires com.microsoft.onnxruntime;
    requires org.snakeyaml.engine.v2;
    requires org.tribuo.util.onnx;

    exports dev.pollux.finetune.adapter;
    exports dev.pollux.finetune.evaluate;
    exports dev.pollux.finetune.merge;
    exports dev.pollux.finetune.train;
}
