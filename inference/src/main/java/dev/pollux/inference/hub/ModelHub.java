package dev.pollux.inference.hub;

import dev.pollux.inference.internal.paths.EnvironmentPaths;
import dev.pollux.job.Job;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Models of the Hugging Face hub or a mirror, downloaded once to the cache that {@code huggingface_hub} and other tools share.
 * Models that another tool has downloaded are found and used.
 *
 * <pre>{@code
 * ModelHub hub = ModelHub.builder().build();
 * Path gguf = hub.fetch("hf:bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M").onEvent(progressBar).run();
 * }</pre>
 *
 * <p>The name of a model has one of these forms:
 *
 * <pre>
 * hf:owner/name                         the branch main; the files that a model needs
 * hf:owner/name@revision                a branch, a tag or a commit
 * hf:owner/name@revision:Q4_K_M         the GGUF with this quantization, with all its shards
 * hf:owner/name:onnx/model_q4.onnx      this ONNX graph with its data, and the other files that a model needs
 * hf:owner/name@revision:*.json,onnx/   the files whose path matches one of these patterns, see {@link FileSelection}
 * </pre>
 *
 * <p>Each file is verified before it is moved into place, against the SHA-256 that the hub reports (git's SHA-1 for a small
 * file). A download that is cancelled or fails leaves the completed part as {@code HASH.incomplete}, and the next one resumes
 * there. The files of a model become visible together, when all are complete. Two downloads of one file wait for each other,
 * within this process and between processes that use POSIX record locks. {@code huggingface_hub} locks the same files with
 * {@code flock}, which is independent on Linux, so a Python process may download the same file a second time.
 *
 * <p>Requests use the JVM's proxy, otherwise that of {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY} and
 * {@code NO_PROXY}. The token is sent only to the endpoint. Requests that fail with 429, 5xx or a broken connection are
 * retried, after a delay that grows from 1 to 30 s or that {@code Retry-After} specifies.
 *
 * <p>Without network access, the cached model is used, with a notice.
 *
 * <p><em>Thread-safe.</em>
 */
public final class ModelHub {

    private final HubSettings settings;
    private final HubTransport transport;

    private ModelHub(HubSettings settings, EnvironmentProxy proxy) {
        this.settings = settings;
        this.transport = new HubTransport(settings, proxy);
    }

    /** A builder that starts from the environment's settings. */
    public static Builder builder() {
        return builder(EnvironmentPaths.system());
    }

    static Builder builder(Map<String, String> environment, Path home) {
        return builder(new EnvironmentPaths(environment, home.toString(), home));
    }

    private static Builder builder(EnvironmentPaths paths) {
        return new Builder(paths);
    }

    /** Whether {@code model} is the name of a model on the hub: whether it starts with {@code hf:}. */
    public static boolean names(String model) {
        return model.startsWith(HubSpec.PREFIX);
    }

    /** The cache folder for models. */
    public Path cache() {
        return settings.cache();
    }

    /**
     * Downloads a model, or finds it in the cache.
     *
     * @return the folder of the commit in the cache; for a GGUF its file, or the first of its shards
     * @throws IllegalArgumentException if {@code spec} does not have one of the forms above
     */
    public Job<Path> fetch(String spec) {
        return fetch(spec, FileSelection.AUTOMATIC);
    }

    /**
     * Downloads the files that {@code selection} selects. The job reports its progress in bytes. It throws
     * {@link dev.pollux.StorageException} if the model cannot be found, or the network or the disk fails,
     * {@link dev.pollux.UnsupportedModelException} if the repository contains no such files, and
     * {@link dev.pollux.MalformedFileException} if the server contradicts itself or a hash differs.
     *
     * @return as {@link #fetch(String)}
     * @throws IllegalArgumentException if {@code spec} does not have one of the forms above, or itself selects files
     */
    public Job<Path> fetch(String spec, FileSelection selection) {
        HubSpec parsed = HubSpec.parse(spec);
        FileSelection files = parsed.selection(selection);
        return Job.of("fetch", context -> new ModelFetch(settings, transport, parsed, files, context).fetch());
    }

    /** Determines what {@link #fetch(String)} would download; writes nothing. */
    public Job<FetchPlan> plan(String spec) {
        return plan(spec, FileSelection.AUTOMATIC);
    }

    /** a complete file that was not moved yet has not been verified, so it counts as incomplete */
    public Job<FetchPlan> plan(String spec, FileSelection selection) {
        HubSpec parsed = HubSpec.parse(spec);
        FileSelection files = parsed.selection(selection);
        return Job.of("plan", context -> new ModelFetch(settings, transport, parsed, files, context).plan());
    }

    /**
     * The settings of a hub. Their defaults are the variables of {@code huggingface_hub}, so that both find the same models
     * with the same access rights. <em>Not thread-safe: one thread at a time.</em>
     */
    public static final class Builder {

        private static final Duration CONNECT = Duration.ofSeconds(10);
        private static final Duration READ = Duration.ofSeconds(30);
        private static final int PARALLEL = 4;
        private static final int RETRIES = 5;
        private static final int RANGE = 8 << 20;

        private final Map<String, String> environment;
        private String endpoint;
        private @Nullable String token;
        private final HubEnvironment given;
        private @Nullable Path cache;
        private boolean offline;
        private int parallelRanges = PARALLEL;
        private int rangeBytes = RANGE;
        private int retries = RETRIES;
        private Duration connectTimeout = CONNECT;
        private Duration readTimeout = READ;
        private FileSystemAndClock surroundings = FileSystemAndClock.REAL;

        private Builder(EnvironmentPaths paths) {
            this.environment = Map.copyOf(paths.variables());
            this.given = new HubEnvironment(paths);
            this.endpoint = System.getProperty("pollux.hub.endpoint", given.endpoint());
            String folder = System.getProperty("pollux.hub.cache");
            this.cache = folder == null ? null : Path.of(folder);
            this.token = given.token().orElse(null);
            this.offline = given.offline();
        }

        /**
         * The server: {@code https://huggingface.co} or a mirror with the same API. Default: the system property
         * {@code pollux.hub.endpoint}, else {@code HF_ENDPOINT}, else Hugging Face.
         */
        public Builder endpoint(String url) {
            this.endpoint = url;
            return this;
        }

        /**
         * The token for private and gated models; empty for none. Default: {@code HF_TOKEN}, else the file
         * {@code HF_TOKEN_PATH}, else the file {@code token} in {@code HF_HOME} or {@code ~/.cache/huggingface}, unless
         * {@code HF_HUB_DISABLE_IMPLICIT_TOKEN} is set.
         */
        public Builder token(String secret) {
            this.token = secret.isEmpty() ? null : secret;
            return this;
        }

        /**
         * The cache folder for models. Default: the system property {@code pollux.hub.cache}, else {@code HF_HUB_CACHE}, else
         * {@code hub} in {@code HF_HOME}, in {@code XDG_CACHE_HOME/huggingface} or in {@code ~/.cache/huggingface}.
         */
        public Builder cache(Path folder) {
            this.cache = folder;
            return this;
        }

        /** Whether to use only the cache and no network. Default: {@code HF_HUB_OFFLINE}. */
        public Builder offline(boolean only) {
            this.offline = only;
            return this;
        }

        /** Number of parallel ranges of a file, in [1, 32], each with 8 MiB of memory. Default: 4. */
        public Builder parallelRanges(int count) {
            this.parallelRanges = requireIn("parallelRanges", count, 1, 32);
            return this;
        }

        /** Number of retries after a failure, in [0, 20]. Default: 5. */
        public Builder retries(int count) {
            this.retries = requireIn("retries", count, 0, 20);
            return this;
        }

        /** Maximum time to establish a connection. Default: 10 s. */
        public Builder connectTimeout(Duration time) {
            this.connectTimeout = requirePositive("connectTimeout", time);
            return this;
        }

        /** Maximum time without received data. Default: 30 s. */
        public Builder readTimeout(Duration time) {
            this.readTimeout = requirePositive("readTimeout", time);
            return this;
        }

        /** For tests: a range size that small files exceed. */
        Builder rangeBytes(int bytes) {
            this.rangeBytes = bytes;
            return this;
        }

        /** For tests: another file system and clock. */
        Builder surroundings(FileSystemAndClock other) {
            this.surroundings = other;
            return this;
        }

        /**
         * Builds the hub.
         *
         * @throws IllegalArgumentException if the endpoint, the token or a proxy of the environment is malformed
         * @throws dev.pollux.StorageException if no cache folder is set and the user has no home folder
         */
        public ModelHub build() {
            String secret = token;
            if (secret != null && !secret.matches("[\\x21-\\x7e]{1,4096}")) {
                throw new IllegalArgumentException(
                        "The token must be 1 to 4096 visible ASCII characters but was not; copy it again from the hub");
            }
            HubSettings settings = new HubSettings(
                    url(endpoint),
                    secret,
                    cache == null ? given.cache() : cache,
                    offline,
                    parallelRanges,
                    rangeBytes,
                    retries,
                    connectTimeout,
                    readTimeout,
                    surroundings);
            return new ModelHub(
                    settings, new EnvironmentProxy(environment, Optional.ofNullable(ProxySelector.getDefault())));
        }

        private static URI url(String endpoint) {
            try {
                URI uri = URI.create(endpoint.replaceFirst("/+$", ""));
                boolean http = "https".equalsIgnoreCase(uri.getScheme()) || "http".equalsIgnoreCase(uri.getScheme());
                if (http
                        && uri.getHost() != null
                        && uri.getRawUserInfo() == null
                        && uri.getRawQuery() == null
                        && uri.getRawFragment() == null) {
                    return uri;
                }
            } catch (IllegalArgumentException e) {
                // reported below
            }
            throw new IllegalArgumentException("The endpoint must be an address such as " + HubEnvironment.HUB
                    + " without name, query and fragment" + " but was '" + endpoint + "'");
        }

        private static int requireIn(String what, int value, int least, int most) {
            if (value < least || value > most) {
                throw new IllegalArgumentException(what + " must be in [" + least + ", " + most + "] but was " + value);
            }
            return value;
        }

        private static Duration requirePositive(String what, Duration value) {
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException(what + " must be positive but was " + value);
            }
            return value;
        }
    }
}
