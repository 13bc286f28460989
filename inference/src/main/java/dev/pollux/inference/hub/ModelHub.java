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
 * Models of the Hugging Face hub or a mirror of it, fetched once into the cache that {@code huggingface_hub} and other
 * tools share: a model that one of them has brought is found and used.
 *
 * <pre>{@code
 * ModelHub hub = ModelHub.builder().build();
 * Path gguf = hub.fetch("hf:bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M").onEvent(progressBar).run();
 * }</pre>
 *
 * <p>A model is written
 *
 * <pre>
 * hf:owner/name                         the branch main, and of its files what a model needs
 * hf:owner/name@revision                a branch, a tag or a commit
 * hf:owner/name@revision:Q4_K_M         the GGUF of that quantization, with all its shards
 * hf:owner/name:onnx/model_q4.onnx      that ONNX graph with its data, and what a model needs beside it
 * hf:owner/name@revision:*.json,onnx/   the files whose path matches one of these patterns, see {@link FileSelection}
 * </pre>
 *
 * <p>Every file is held to the SHA-256 that the hub gives for it (to git's SHA-1 for a small one) before it takes its
 * place. A download that is cancelled or breaks off leaves the beginning as {@code HASH.incomplete}, and the next goes on
 * from there; the files of a model appear together when all are whole. Two downloads of one file wait for one another, in
 * this process and between processes that lock by POSIX record locks; {@code huggingface_hub} locks the same files by
 * {@code flock}, which Linux keeps apart, so beside it a file may be fetched twice.
 *
 * <p>Requests go through the JVM's proxy, else the one of {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY} and
 * {@code NO_PROXY}. The token goes to the endpoint and to no other host. A failing server (429, 5xx, a broken connection)
 * is asked again, with a pause that grows from 1 to 30 s or is what {@code Retry-After} says.
 *
 * <p>Where there is no network, a model that is in the cache is used as it is there, with a notice.
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

    /** A hub as the environment describes it, to be changed. */
    public static Builder builder() {
        return builder(EnvironmentPaths.system());
    }

    static Builder builder(Map<String, String> environment, Path home) {
        return builder(new EnvironmentPaths(environment, home.toString(), home));
    }

    private static Builder builder(EnvironmentPaths paths) {
        return new Builder(paths);
    }

    /** Whether {@code model} is written as a model of the hub, so begins with {@code hf:}. */
    public static boolean names(String model) {
        return model.startsWith(HubSpec.PREFIX);
    }

    /** Where models are kept. */
    public Path cache() {
        return settings.cache();
    }

    /**
     * Fetches a model, or finds it in the cache.
     *
     * @return the folder of the commit in the cache; for a GGUF its file, the first of its shards
     * @throws IllegalArgumentException if {@code spec} is not written as above
     */
    public Job<Path> fetch(String spec) {
        return fetch(spec, FileSelection.AUTOMATIC);
    }

    /**
     * Fetches the files that {@code selection} takes. The job reports its progress in bytes; it throws
     * {@link dev.pollux.StorageException} where the model, the network or the disk fails it,
     * {@link dev.pollux.UnsupportedModelException} where the repository holds no such files, and
     * {@link dev.pollux.MalformedFileException} where the server contradicts itself or a hash is wrong.
     *
     * @return as {@link #fetch(String)}
     * @throws IllegalArgumentException if {@code spec} is not written as above, or selects files itself
     */
    public Job<Path> fetch(String spec, FileSelection selection) {
        HubSpec parsed = HubSpec.parse(spec);
        FileSelection files = parsed.selection(selection);
        return Job.of("fetch", context -> new ModelFetch(settings, transport, parsed, files, context).fetch());
    }

    /** What {@link #fetch(String)} would do; nothing is written. */
    public Job<FetchPlan> plan(String spec) {
        return plan(spec, FileSelection.AUTOMATIC);
    }

    /** What {@link #fetch(String, FileSelection)} would do; nothing is written. */
    public Job<FetchPlan> plan(String spec, FileSelection selection) {
        HubSpec parsed = HubSpec.parse(spec);
        FileSelection files = parsed.selection(selection);
        return Job.of("plan", context -> new ModelFetch(settings, transport, parsed, files, context).plan());
    }

    /**
     * What a hub is made of. Each value is first what the variables of {@code huggingface_hub} say, so that both find the
     * same models with the same rights. <em>Not thread-safe: one thread at a time.</em>
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
        private Surroundings surroundings = Surroundings.REAL;

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
         * Where models are kept. Default: the system property {@code pollux.hub.cache}, else {@code HF_HUB_CACHE}, else
         * {@code hub} in {@code HF_HOME}, in {@code XDG_CACHE_HOME/huggingface} or in {@code ~/.cache/huggingface}.
         */
        public Builder cache(Path folder) {
            this.cache = folder;
            return this;
        }

        /** Whether to use what is in the cache and no network. Default: {@code HF_HUB_OFFLINE}. */
        public Builder offline(boolean only) {
            this.offline = only;
            return this;
        }

        /** Ranges of a file that are fetched at a time, in [1, 32], each with 8 MiB of memory. Default: 4. */
        public Builder parallelRanges(int count) {
            this.parallelRanges = requireIn("parallelRanges", count, 1, 32);
            return this;
        }

        /** Attempts after a failed one, in [0, 20]. Default: 5. */
        public Builder retries(int count) {
            this.retries = requireIn("retries", count, 0, 20);
            return this;
        }

        /** How long a server may take to accept a connection. Default: 10 s. */
        public Builder connectTimeout(Duration time) {
            this.connectTimeout = requirePositive("connectTimeout", time);
            return this;
        }

        /** How long a server may send nothing. Default: 30 s. */
        public Builder readTimeout(Duration time) {
            this.readTimeout = requirePositive("readTimeout", time);
            return this;
        }

        /** For tests: a size that small files reach. */
        Builder rangeBytes(int bytes) {
            this.rangeBytes = bytes;
            return this;
        }

        /** For tests: another disk and clock. */
        Builder surroundings(Surroundings other) {
            this.surroundings = other;
            return this;
        }

        /**
         * The hub.
         *
         * @throws IllegalArgumentException if the endpoint, the token or a proxy of the environment is not well formed
         * @throws dev.pollux.StorageException if nothing says where the cache is: the user has no home folder
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
                // said below
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
