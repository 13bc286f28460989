package dev.pollux.rag.knowledge;

import dev.pollux.artifact.ArtifactManifest;
import dev.pollux.artifact.ArtifactManifest.Input;
import dev.pollux.artifact.ArtifactManifest.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.lucene.index.DirectoryReader;

/** The manifest of a knowledge base, made from a commit. */
final class KnowledgeManifest {

    /*
     * The commit is authoritative; the manifest file describes it. The file is deleted before the first change of an ingest
     * or deletion and written again when that has ended, successfully or not. If the process is killed, the thread
     * interrupted or the knowledge base closed in between, the file is missing until the next change ends or the knowledge base
     * is next opened for writing: it may be absent but is never wrong.
     */

    private KnowledgeManifest() {}

    /**
     * An input is a source: its name, the size of its texts in UTF-16, and a hash of the names and hashes of its documents, in the
     * order of their names.
     */
    static ArtifactManifest of(DirectoryReader reader) throws IOException {
        Sources known = Sources.read(reader);
        Map<String, List<KnownDocument>> sources = new StoredDocuments(reader, known)
                .documents().stream().collect(Collectors.groupingBy(KnownDocument::source));
        List<Input> inputs = known.all().stream()
                .map(SourceRecord::name)
                .sorted()
                .map(name -> input(name, sources.getOrDefault(name, List.of())))
                .toList();
        Map<String, String> commit = reader.getIndexCommit().getUserData();
        return ArtifactManifest.builder(Kind.KNOWLEDGE, "ingest")
                .inputs(inputs)
                .option("embedder", commit.getOrDefault(IndexLayout.COMMIT_EMBEDDER, ""))
                .option("fingerprint", commit.getOrDefault(IndexLayout.COMMIT_FINGERPRINT, ""))
                .option("dimension", commit.getOrDefault(IndexLayout.COMMIT_DIMENSION, ""))
                .option("chunking", CommitData.chunking(commit))
                .option("analysis", Analysis.RECIPE)
                .build();
    }

    private static Input input(String source, List<KnownDocument> documents) {
        List<String> texts = new ArrayList<>();
        long units = 0;
        for (KnownDocument document : documents.stream()
                .sorted(Comparator.comparing(KnownDocument::id))
                .toList()) {
            texts.add(document.id());
            texts.add(document.hash());
            units += document.characters();
        }
        return new Input(source, units * Character.BYTES, Hashes.of(texts.toArray(String[]::new)));
    }
}
