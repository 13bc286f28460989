package dev.pollux.rag.knowledge;

import dev.pollux.rag.knowledge.DerivedFile.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The files in the folder {@value #FOLDER} of a knowledge base that a commit names. They only repeat what the Lucene index
 * has: a file that is missing or damaged costs speed and memory until it is made anew. <em>Immutable, thread-safe.</em>
 */
final class DerivedFiles {

    static final String FOLDER = "vectors";

    private final Path folder;
    private final Map<String, DerivedFile> files; // by name

    /**
     * @param knowledge folder of the knowledge base
     * @param named those that the commit names
     */
    DerivedFiles(Path knowledge, Collection<DerivedFile> named) {
        this.folder = knowledge.resolve(FOLDER);
        this.files = new HashMap<>();
        named.forEach(file -> files.put(file.name(), file));
    }

    /** The files that the commit data name. */
    static DerivedFiles of(Path knowledge, Map<String, String> commit) {
        return new DerivedFiles(knowledge, DerivedFile.parse(commit.getOrDefault(IndexLayout.COMMIT_DERIVED, "")));
    }

    Collection<DerivedFile> all() {
        return files.values();
    }

    Path path(DerivedFile file) {
        return folder.resolve(file.name());
    }

    OfSegment of(String segment) {
        return new OfSegment(folder, files.get(Kind.VECTORS.file(segment)), files.get(Kind.GRAPH.file(segment)));
    }

    /**
     * The files of a segment; null if the commit names none.
     *
     * @param folder where they are
     */
    record OfSegment(
            Path folder,
            @Nullable DerivedFile vectorFile,
            @Nullable DerivedFile graphFile) {

        /** The mapped vectors, or null if there are none or they are damaged. */
        @Nullable
        VectorFile vectors(int rows, int dimension) throws IOException {
            if (vectorFile == null) {
                return null;
            }
            try {
                return VectorFile.open(folder.resolve(vectorFile.name()), vectorFile, rows, dimension);
            } catch (NoSuchFileException | DerivedHeader.DamagedException e) {
                return null;
            }
        }

        /** The mapped graph, or null if there is none or it is damaged. */
        @Nullable
        VectorGraph graph(VectorFile vectors) throws IOException {
            if (graphFile == null || !Files.exists(folder.resolve(graphFile.name()))) {
                return null;
            }
            try {
                GraphLayers layers = GraphFile.open(folder.resolve(graphFile.name()), graphFile, vectors);
                return new VectorGraph(layers, vectors, VectorScan.CODES_PAY ? vectors.codes() : null);
            } catch (NoSuchFileException | DerivedHeader.DamagedException e) {
                return null;
            }
        }
    }
}
