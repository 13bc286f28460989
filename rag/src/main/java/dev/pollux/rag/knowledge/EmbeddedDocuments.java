package dev.pollux.rag.knowledge;

import dev.pollux.embedding.EmbedderInfo;
import dev.pollux.rag.chunk.Chunk;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.retrieval.Document;
import dev.pollux.retrieval.Location;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Documents of a source with vectors of the host, each of which becomes one passage.
 *
 * @param source the source, with the documents
 * @param vectors (documents, dimension), L2-normalised
 */
record EmbeddedDocuments(DocumentSource source, List<Document> documents, float[][] vectors) {

    /** Marks versions of documents, so that an ingest of the source replaces them. */
    private static final String RECIPE = "vector of the host";

    /** @throws IllegalArgumentException if an id occurs twice or a vector is not one of the embedder's space */
    static EmbeddedDocuments checked(String source, List<EmbeddedDocument> given, EmbedderInfo info) {
        List<Document> documents = new ArrayList<>();
        float[][] vectors = new float[given.size()][]; // (documents, dimension)
        for (EmbeddedDocument each : given) {
            try {
                vectors[documents.size()] = GivenVector.normalized(each.vector(), info);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("Document " + each.document().id() + ": " + e.getMessage(), e);
            }
            documents.add(each.document());
        }
        return new EmbeddedDocuments(DocumentSource.of(source, documents), List.copyOf(documents), vectors);
    }

    /** Writes them and the record of their source; visible after a commit. */
    void write(Store store) {
        SourceIdentity.Found identity = store.read(snapshot -> SourceIdentity.of(source, snapshot));
        SourceRecord record = identity.source();
        store.replace(record.key(), List.of(record.changedAt(Instant.now()).fields()));
        for (SourceRecord other : identity.renamed()) {
            store.replace(other.key(), List.of(other.fields()));
        }
        for (int i = 0; i < vectors.length; i++) {
            Document document = documents.get(i);
            String hash = Hashes.of(document);
            // Keys of their own: an ingest must not take the vector for that of its embedder, nor the text for a copy.
            String key = Hashes.of(RECIPE, record.key(), document.id());
            PassageWriter block = new PassageWriter(record.key(), document);
            block.passage(whole(document.text()), key, vectors[i]);
            store.replace(
                    IndexLayout.key(record.key(), document.id()),
                    block.finish(hash, Hashes.of(hash, RECIPE), KnownFiles.Stamp.NONE, key));
        }
    }

    private static Chunk whole(String text) {
        Location lines = Location.lines(1, 1 + (int) text.lines().skip(1).count());
        return new Chunk(List.of(), "", 0, text.length(), lines, "", text);
    }
}
