package dev.pollux.rag.knowledge;

import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.ArtifactManifest.Input;
import dev.pollux.artifact.ArtifactManifest.Kind;
import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.document.Document;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.StoredFields;

/** The manifest of a knowledge base, made from a commit. */
final class KnowledgeManifest {

    /*
     * The commit is authoritative; the manifest file describes it. The file is deleted before the first change of an ingest
     * or deletion and written again when that has ended, successfully or not. If the process is killed, the thread
     * interrupted or the knowledge base closed in between, the file is missing until the next change ends or the knowledge base
     * is next opened for writing: it may be absent but is never wrong.
     */

    private static final Set<String> FIELDS =
            Set.of(IndexLayout.SOURCE, IndexLayout.ID, IndexLayout.HASH, IndexLayout.CHARACTERS);

    private KnowledgeManifest() {}

    /**
     * An input is a source: its name, the size of its texts in UTF-16, and a hash of the names and hashes of its documents, in the
     * order of their names.
     */
    static ArtifactManifest of(DirectoryReader reader) throws IOException {
        Sources known = Sources.read(reader);
        Map<String, DocumentList> lists = lists(reader, known); // by the key of the source
        List<Input> inputs = known.all().stream()
                .sorted(Comparator.comparing(SourceRecord::name))
                .map(source -> input(source.name(), lists.getOrDefault(source.key(), new DocumentList())))
                .toList();
        Map<String, String> commit = reader.getIndexCommit().getUserData();
        ArtifactManifest made = ArtifactManifest.builder(Kind.KNOWLEDGE, "ingest")
                .inputs(inputs)
                .option("embedder", commit.getOrDefault(IndexLayout.COMMIT_EMBEDDER, ""))
                .option("fingerprint", commit.getOrDefault(IndexLayout.COMMIT_FINGERPRINT, ""))
                .option("dimension", commit.getOrDefault(IndexLayout.COMMIT_DIMENSION, ""))
                .option("chunking", StoredChunking.of(commit).recipe())
                .option("analysis", Analysis.RECIPE)
                .build();
        return new ArtifactManifest(
                made.kind(),
                made.operation(),
                commit.getOrDefault(IndexLayout.COMMIT_VERSION, ""),
                made.inputs(),
                made.options(),
                made.seed(),
                made.scores());
    }

    private static Map<String, DocumentList> lists(DirectoryReader reader, Sources known) throws IOException {
        Map<String, DocumentList> lists = new HashMap<>();
        StoredFields stored = reader.storedFields();
        new StoredDocuments(reader, known).each((doc, passages) -> {
            Document record = stored.document(doc, FIELDS);
            lists.computeIfAbsent(record.get(IndexLayout.SOURCE), key -> new DocumentList())
                    .add(
                            record.get(IndexLayout.ID),
                            record.get(IndexLayout.HASH),
                            record.getField(IndexLayout.CHARACTERS)
                                    .numericValue()
                                    .intValue());
        });
        return lists;
    }

    private static Input input(String source, DocumentList documents) {
        return new Input(source, documents.units() * Character.BYTES, documents.hash());
    }
}
