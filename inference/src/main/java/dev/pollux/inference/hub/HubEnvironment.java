package dev.pollux.inference.hub;

import dev.pollux.StorageException;
import dev.pollux.inference.internal.paths.EnvironmentPaths;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** The environment variables of {@code huggingface_hub}, with its names and its precedence. */
final class HubEnvironment {

    static final URI HUB = URI.create("https://huggingface.co");

    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
    private static final int MAX_TOKEN_FILE = 1 << 12;

    private final EnvironmentPaths paths;

    HubEnvironment(EnvironmentPaths paths) {
        this.paths = paths;
    }

    String endpoint() {
        return first("HF_ENDPOINT").orElse(HUB.toString());
    }

    Path cache() {
        return first("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
                .map(paths::expanded)
                .orElseGet(() -> hugging().resolve("hub"));
    }

    boolean offline() {
        return isOn("HF_HUB_OFFLINE") || isOn("TRANSFORMERS_OFFLINE");
    }

    /** The token from the variables, otherwise from the file that {@code hf auth login} writes. */
    Optional<String> token() {
        if (isOn("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
            return Optional.empty();
        }
        Optional<String> direct = first("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN");
        if (direct.isPresent()) {
            return direct;
        }
        boolean nowhere = first("HF_TOKEN_PATH", "HF_HOME", "XDG_CACHE_HOME").isEmpty()
                && paths.knownHome().isEmpty();
        return nowhere
                ? Optional.empty()
                : token(first("HF_TOKEN_PATH")
                        .map(paths::expanded)
                        .orElseGet(() -> hugging().resolve("token")));
    }

    private static Optional<String> token(Path file) {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try (InputStream in = Files.newInputStream(file)) {
            String token = new String(in.readNBytes(MAX_TOKEN_FILE), StandardCharsets.UTF_8).strip();
            return token.isEmpty() ? Optional.empty() : Optional.of(token);
        } catch (IOException e) {
            throw new StorageException("Cannot read the token file " + file + ": " + e, e);
        }
    }

    private Path hugging() {
        return first("HF_HOME")
                .map(paths::expanded)
                .orElseGet(() -> first("XDG_CACHE_HOME")
                        .map(paths::expanded)
                        .orElseGet(() -> paths.home().resolve(".cache"))
                        .resolve("huggingface"));
    }

    private boolean isOn(String name) {
        return first(name).map(v -> TRUE.contains(v.toUpperCase(Locale.ROOT))).orElse(false);
    }

    private Optional<String> first(String... names) {
        for (String name : names) {
            Optional<String> value = paths.value(name);
            if (value.isPresent()) {
                return value;
            }
        }
        return Optional.empty();
    }
}
