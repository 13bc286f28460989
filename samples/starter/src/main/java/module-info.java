/** One dependency for a twin: retrieval, inference and a language model. */
module dev.pollux.starter {
    requires transitive dev.pollux.inference;
    requires transitive dev.pollux.rag;
    requires dev.pollux.model.smollm2_135m_instruct;
}
