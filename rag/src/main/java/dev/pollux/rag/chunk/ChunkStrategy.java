package dev.pollux.rag.chunk;

/** How a document is cut into chunks. */
public enum ChunkStrategy {

    /**
     * By structure: runs of whole blocks under one heading, rows with the head of their table, whole declarations of source code. The
     * default.
     */
    STRUCTURE,

    /**
     * By size: the whole text is split at paragraphs, then at lines, sentences, words and characters, as far as pieces are too long,
     * and neighbouring pieces are merged up to the target. Headings are not known.
     */
    RECURSIVE,

    /**
     * Sentence by sentence: the vector is that of one sentence, and its lead is the sentences before it
     * ({@link ChunkOptions#windowSentences()}).
     */
    SENTENCE_WINDOW,

    /**
     * Small chunks by structure, at most {@link ChunkOptions#targetTokens()} long, as parts of parents of at most
     * {@link ChunkOptions#parentTokens()}: the largest section around a chunk that fits, or the part of a section. Chunks are
     * searched, and {@code ContextExpansion.parents} shows the parents.
     */
    PARENT_CHILD,

    /**
     * By meaning: sentences are embedded, and a section is cut where neighbouring sentences are least similar, so that a chunk
     * has one subject. An ingest embeds every sentence in addition to every chunk.
     */
    SEMANTIC
}
