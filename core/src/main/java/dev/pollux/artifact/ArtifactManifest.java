package dev.pollux.artifact;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * The provenance of an artifact: operation, inputs, options, seed and scores. Every folder that Pollux creates has one, in
 * the file {@value #FILE}: exported models, merged models, adapters, knowledge bases. <em>Immutable.</em>
 *
 * <pre>{@code
 * {
 *   "format": 1,
 *   "kind": "checkpoint",
 *   "operation": "merge",
 *   "version": "0.1.0",
 *   "inputs": [
 *     {"path": "base/model.safetensors", "bytes": 269060552, "sha256": "5af5…"}
 *   ],
 *   "options": {"dtype": "bfloat16"},
 *   "seed": 42,
 *   "scores": {"perplexity": 18.8}
 * }
 * }</pre>
 *
 * <p>The content does not depend on the machine or the time: the same work gives the same bytes. {@code version} and {@code
 * seed} are omitted if absent.
 *
 * @param kind kind of the artifact
 * @param operation the operation that created it, as the command line names it: {@code export}, {@code merge}, {@code
 *     ingest}; not blank
 * @param version version of Pollux; empty if unknown
 * @param inputs input files, in an order defined by the operation; empty if they were not hashed
 * @param options that differ from run to run, by name, as text; sorted
 * @param seed seed of the random numbers; empty if none are used
 * @param scores finite scores by name, sorted; empty if none were measured
 */
public record ArtifactManifest(
        Kind kind,
        String operation,
        String version,
        List<Input> inputs,
        Map<String, String> options,
        OptionalLong seed,
        Map<String, Double> scores) {

    /** The file's name in the artifact's folder. */
    public static final String FILE = "artifact.json";

    /** The version of the file's layout. */
    public static final int FORMAT = 1;

    private static final long MAX_BYTES = 64L << 20;

    /** The kind of an artifact. Later versions may add kinds. */
    public enum Kind {
        /** A decoder that the engine runs. */
        DECODER,
        /** An embedder or reranker that the engine runs. */
        ENCODER,
        /** A model in the layout of a publisher, with its configuration and tokenizer. */
        CHECKPOINT,
        /** A LoRA adapter. */
        ADAPTER,
        /** A knowledge base. */
        KNOWLEDGE;

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * An input of an artifact.
     *
     * @param path a unique name, such as a model's name in a plan, {@code /} and a file name; not blank
     * @param bytes size in bytes; for texts, the size in UTF-16
     * @param sha256 in 64 lower-case hexadecimal digits
     */
    public record Input(String path, long bytes, String sha256) {

        public Input {
            if (path.isBlank() || bytes < 0 || !sha256.matches("[0-9a-f]{64}")) {
                throw new IllegalArgumentException(
                        "An input must have a path, at least 0 bytes and a SHA-256 in 64 lower-case"
                                + " hexadecimal digits but was '" + path + "', " + bytes + ", '" + sha256 + "'");
            }
        }
    }

    public ArtifactManifest {
        if (operation.isBlank()) {
            throw new IllegalArgumentException("operation must not be blank; name what made the artifact");
        }
        inputs = List.copyOf(inputs);
        options = Collections.unmodifiableMap(new TreeMap<>(options));
        scores = Collections.unmodifiableMap(new TreeMap<>(scores));
        scores.forEach((name, score) -> {
            if (!Double.isFinite(score)) {
                throw new IllegalArgumentException("Score " + name + " must be finite but was " + score);
            }
        });
    }

    /** A builder with this version of Pollux, without inputs, options, seed and scores. */
    public static Builder builder(Kind kind, String operation) {
        return new Builder(kind, operation);
    }

    /**
     * The manifest of a folder.
     *
     * @return empty where the folder has none
     * @throws MalformedFileException if it is damaged, or of a later format
     * @throws StorageException if it cannot be read
     */
    public static Optional<ArtifactManifest> read(Path folder) {
        return parsed(folder.resolve(FILE));
    }

    /**
     * The path of the manifest of an artifact that is a single file, such as a GGUF file: {@code model.gguf.artifact.json} for
     * {@code model.gguf}.
     */
    public static Path fileOf(Path artifact) {
        return artifact.resolveSibling(artifact.getFileName() + "." + FILE);
    }

    /**
     * The manifest of an artifact that is a single file.
     *
     * @return empty where there is none
     * @throws MalformedFileException if it is damaged, or of a later format
     * @throws StorageException if it cannot be read
     */
    public static Optional<ArtifactManifest> readOf(Path artifact) {
        return parsed(fileOf(artifact));
    }

    private static Optional<ArtifactManifest> parsed(Path file) {
        try {
            if (!Files.exists(file)) {
                return Optional.empty();
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new MalformedFileException(file + " must be at most " + MAX_BYTES + " bytes");
            }
            return Optional.of(ManifestText.parse(Files.readAllBytes(file), file.toString()));
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /**
     * Writes this manifest to a folder atomically and replaces an existing one.
     *
     * @throws StorageException if it cannot be written
     */
    public void write(Path folder) {
        replace(folder.resolve(FILE));
    }

    /**
     * Writes the manifest of an artifact that is a single file, to {@link #fileOf}.
     *
     * @throws StorageException if it cannot be written
     */
    public void writeOf(Path artifact) {
        replace(fileOf(artifact));
    }

    private void replace(Path file) {
        try {
            Path part = file.resolveSibling(file.getFileName() + ".part");
            Files.writeString(part, ManifestText.of(this));
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE); // replaces
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e, e);
        }
    }

    /** Whether a folder has a manifest. */
    public static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(FILE));
    }

    /**
     * Deletes the manifest of a folder before its content changes; does nothing if there is none.
     *
     * @throws StorageException if it cannot be deleted
     */
    public static void delete(Path folder) {
        Path file = folder.resolve(FILE);
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new StorageException("Cannot delete " + file + ": " + e, e);
        }
    }

    /** A copy with additional scores; a score with an existing name replaces the old one. */
    public ArtifactManifest withScores(Map<String, Double> further) {
        Map<String, Double> all = new TreeMap<>(scores);
        all.putAll(further);
        return new ArtifactManifest(kind, operation, version, inputs, options, seed, all);
    }

    /** Builds an {@link ArtifactManifest}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {

        private final Kind kind;
        private final String operation;
        private final List<Input> inputs = new ArrayList<>();
        private final Map<String, String> options = new TreeMap<>();
        private final Map<String, Double> scores = new TreeMap<>();
        private OptionalLong seed = OptionalLong.empty();

        private Builder(Kind kind, String operation) {
            this.kind = kind;
            this.operation = operation;
        }

        /** Adds an input. */
        public Builder inputs(List<Input> made) {
            inputs.addAll(made);
            return this;
        }

        /** Adds an option. */
        public Builder option(String name, Object value) {
            options.put(name, String.valueOf(value));
            return this;
        }

        /** See {@link ArtifactManifest#seed()}. */
        public Builder seed(long value) {
            seed = OptionalLong.of(value);
            return this;
        }

        /** Adds a score. */
        public Builder score(String name, double value) {
            scores.put(name, value);
            return this;
        }

        /** Builds the manifest and validates its values. */
        public ArtifactManifest build() {
            String version = ArtifactManifest.class.getPackage().getImplementationVersion();
            return new ArtifactManifest(kind, operation, version == null ? "" : version, inputs, options, seed, scores);
        }
    }
}
