/** One dependency for a twin: retrieval, inference, a language model, and one call that opens them. */
module dev.pollux.starter {
    requires transitive dev.pollux.inference;
    requires transitive dev.pollux.rag;
    requires static transitive org.jspecify;
    requires dev.pollux.model.smollm2_135m_instruct;
    requires org.apache.lucene.core; // the cause by which an index says that another process writes to it

    exports dev.pollux.starter;
}
