package dev.pollux.rag.source;

import java.io.Serializable;

/**
 * What was written to a shard. <em>Immutable.</em>
 *
 * @param file path of the shard
 * @param documents number of documents
 * @param vectors number of texts that were embedded
 */
public record ShardReport(String file, int documents, int vectors) implements Serializable {

    private static final long serialVersionUID = 1;
}
