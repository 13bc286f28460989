/** Documents, chunking, the knowledge base, retrieval and its evaluation. */
module dev.pollux.rag {
    requires transitive dev.pollux.core;
    requires transitive java.sql;
    requires static transitive org.jspecify;
    requires java.logging; // JVector logs by it
    requires jdk.unsupported; // Lucene takes index files out of memory by it
    requires jvector;
    requires org.apache.lucene.analysis.common;
    requires org.apache.lucene.core;
    requires org.slf4j;

    uses dev.pollux.rag.source.DocumentReader;

    provides dev.pollux.internal.text.LanguageProvider with
            dev.pollux.rag.internal.language.LuceneLanguages;

    exports dev.pollux.rag.chunk;
    exports dev.pollux.rag.evaluate;
    exports dev.pollux.rag.knowledge;
    exports dev.pollux.rag.search;
    exports dev.pollux.rag.source;
}
