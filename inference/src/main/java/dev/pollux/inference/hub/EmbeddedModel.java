package dev.pollux.inference.hub;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.internal.Sha256;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * A model, or a LoRA adapter of one, in a jar. A Maven dependency makes it available by name.
 *
 * <p>A model jar contains {@code META-INF/pollux/models/index}, with one name per line, lines of {@code #} aside, and for each name a folder with
 * {@code model.json} (this record) and the file that it names.
 *
 * <pre>{@code
 * Path gguf = EmbeddedModel.named("smollm2-135m-instruct").unpack().run();
 * }</pre>
 *
 * <p><em>Immutable.</em>
 *
 * @param name the name by which it is found
 * @param title the display name
 * @param file the file name of the checkpoint
 * @param bytes its size
 * @param sha256 its SHA-256, in lower-case hex
 * @param license its licence, as an SPDX identifier
 * @param base the name of the embedded model that this adapter changes; empty for a model
 */
public record EmbeddedModel(
        String name, String title, String file, long bytes, String sha256, String license, Optional<String> base) {

    private static final String FOLDER = "META-INF/pollux/models/";
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
    private static final int MAX_MANIFEST = 1 << 16;

    public EmbeddedModel {
        requirePlain("name", name);
        requirePlain("file", file);
        base.ifPresent(of -> requirePlain("base", of));
        if (bytes < 1) {
            throw new MalformedFileException(
                    "bytes of embedded model " + name + " must be at least 1 but was " + bytes);
        }
        if (!sha256.matches("[0-9a-f]{64}")) {
            throw new MalformedFileException(
                    "sha256 of embedded model " + name + " must be 64 lower-case hex digits but was " + sha256);
        }
    }

    private static void requirePlain(String what, String value) {
        if (!PLAIN.matcher(value).matches()) {
            throw new MalformedFileException(what + " of an embedded model must match " + PLAIN + " but was " + value);
        }
    }

    /** The names of all models and adapters on the class path, sorted. */
    public static List<String> names() {
        TreeSet<String> names = new TreeSet<>();
        try {
            for (URL index : Collections.list(loader().getResources(FOLDER + "index"))) {
                try (InputStream in = index.openStream()) {
                    new String(in.readNBytes(MAX_MANIFEST), StandardCharsets.UTF_8)
                            .lines()
                            .map(String::strip)
                            .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                            .forEach(names::add);
                }
            }
        } catch (IOException e) {
            throw new StorageException("Cannot list the embedded models: " + e.getMessage(), e);
        }
        return List.copyOf(names);
    }

    /**
     * The model {@code name}.
     *
     * @throws UnsupportedModelException if no dependency contains it; the message lists the available ones
     */
    public static EmbeddedModel named(String name) {
        return find(name)
                .orElseThrow(() -> new UnsupportedModelException("No embedded model '" + name
                        + "' on the class path, only " + names() + "; add the dependency dev.pollux:pollux-model-"
                        + name));
    }

    /** The model {@code name}, also where the indexes of several jars have become one; empty if no dependency contains it. */
    public static Optional<EmbeddedModel> find(String name) {
        String path = FOLDER + name + "/model.json";
        if (!PLAIN.matcher(name).matches() || loader().getResource(path) == null) {
            return Optional.empty();
        }
        try (InputStream in = resource(path)) {
            JsonNode json = JsonNode.parse(in.readNBytes(MAX_MANIFEST), "The manifest of embedded model " + name);
            return Optional.of(new EmbeddedModel(
                    json.path("name").asString(""),
                    json.path("title").asString(""),
                    json.path("file").asString(""),
                    json.path("bytes").asLong(0),
                    json.path("sha256").asString(""),
                    json.path("license").asString(""),
                    Optional.of(json.path("base").asString("")).filter(of -> !of.isEmpty())));
        } catch (IOException e) {
            throw new StorageException("Cannot read the manifest of embedded model " + name + ": " + e.getMessage(), e);
        }
    }

    /** Unpacks into {@link PolluxCache#directory()}. */
    public Job<Path> unpack() {
        return unpack(PolluxCache.directory());
    }

    /**
     * Unpacks the checkpoint once to {@code <cache>/models/<name>/<start of sha256>/<file>}. An existing file of the right size
     * is used without a check, because it was verified before it was moved there.
     *
     * @return the path of the checkpoint
     */
    public Job<Path> unpack(Path cache) {
        return Job.of("unpack", context -> unpack(cache, context));
    }

    private Path unpack(Path cache, JobContext context) {
        Path target = cache.resolve("models")
                .resolve(name)
                .resolve(sha256.substring(0, 16))
                .resolve(file);
        try {
            if (Files.isRegularFile(target) && Files.size(target) == bytes) {
                return target;
            }
            Files.createDirectories(target.getParent());
            Path part = Files.createTempFile(target.getParent(), file, ".part");
            try {
                copyVerified(part, context);
                move(part, target);
            } finally {
                Files.deleteIfExists(part);
            }
            return target;
        } catch (IOException e) {
            throw new StorageException("Cannot unpack model " + name + " to " + target + ": " + e.getMessage(), e);
        }
    }

    private void copyVerified(Path part, JobContext context) throws IOException {
        MessageDigest digest = Sha256.digest();
        long done = 0;
        byte[] buffer = new byte[1 << 20];
        try (InputStream in = resource(FOLDER + name + "/" + file);
                OutputStream out = Files.newOutputStream(part)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                context.checkCancelled();
                digest.update(buffer, 0, n);
                out.write(buffer, 0, n);
                done += n;
                context.progress("unpack", done, bytes, "bytes");
            }
        }
        String actual = Sha256.hex(digest);
        if (done != bytes || !actual.equals(sha256)) {
            throw new MalformedFileException("Embedded model " + name + " must have " + bytes + " bytes and SHA-256 "
                    + sha256 + " but has " + done + " and " + actual + "; download its jar again");
        }
    }

    private static void move(Path part, Path target) throws IOException {
        try {
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static InputStream resource(String path) throws IOException {
        InputStream in = loader().getResourceAsStream(path);
        if (in == null) {
            throw new IOException("no resource " + path);
        }
        return in;
    }

    private static ClassLoader loader() {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        return context != null ? context : EmbeddedModel.class.getClassLoader();
    }
}
