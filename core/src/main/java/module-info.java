/** The vocabulary of Pollux. */
module dev.pollux.core {
    uses dev.pollux.internal.text.LanguageProvider;

    requires static transitive org.jspecify;

    exports dev.pollux;
    exports dev.pollux.artifact;
    exports dev.pollux.job;
    exports dev.pollux.generation;
    exports dev.pollux.embedding;
    exports dev.pollux.retrieval;
    exports dev.pollux.twin;
    exports dev.pollux.tensor;
    exports dev.pollux.merging;
    exports dev.pollux.quantization;
    exports dev.pollux.internal to
            dev.pollux.documents,
            dev.pollux.finetune,
            dev.pollux.inference,
            dev.pollux.langchain4j,
            dev.pollux.rag,
            dev.pollux.springai,
            dev.pollux.starter,
            dev.pollux.testkit;
    exports dev.pollux.internal.foreign to
            dev.pollux.langchain4j,
            dev.pollux.springai;
    exports dev.pollux.internal.math to
            dev.pollux.finetune,
            dev.pollux.inference,
            dev.pollux.rag;
    exports dev.pollux.internal.text to
            dev.pollux.finetune,
            dev.pollux.rag;
}
