package dev.pollux.starter;

import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.hub.PolluxCache;
import dev.pollux.rag.source.FolderOptions;
import dev.pollux.twin.Persona;
import dev.pollux.twin.TwinOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Which documents a {@link DocumentTwin} reads, and how it answers. <em>Immutable.</em> */
public final class DocumentTwinOptions {

    private final List<Path> documents;
    private final FolderOptions files;
    private final Optional<Path> knowledge;
    private final Optional<Path> embedder;
    private final Optional<String> model;
    private final Map<Path, Double> adapters;
    private final EngineOptions engine;
    private final Persona persona;
    private final TwinOptions twin;
    private final @Nullable Path cache;
    private final Duration lockTimeout;

    DocumentTwinOptions(
            List<Path> documents,
            FolderOptions files,
            Optional<Path> knowledge,
            Optional<Path> embedder,
            Optional<String> model,
            Map<Path, Double> adapters,
            EngineOptions engine,
            Persona persona,
            TwinOptions twin,
            @Nullable Path cache,
            Duration lockTimeout) {
        this.documents = List.copyOf(documents);
        this.files = files;
        this.knowledge = knowledge;
        this.embedder = embedder;
        this.model = model;
        this.adapters = Collections.unmodifiableMap(new LinkedHashMap<>(adapters));
        this.engine = engine;
        this.persona = persona;
        this.twin = twin;
        this.cache = cache;
        this.lockTimeout = lockTimeout;
        if (documents.isEmpty() && knowledge.isEmpty()) {
            throw new IllegalArgumentException(
                    "documents must name a folder, or knowledge a knowledge base, but both were"
                            + " empty; call documents(Path.of(\"docs\"))");
        }
        if (documents.size() > 1 && files.name().isPresent()) {
            throw new IllegalArgumentException("files must have no name where there are several folders, as each is a"
                    + " source of its own, but was named '" + files.name().get() + "'");
        }
        if (lockTimeout.isNegative()) {
            throw new IllegalArgumentException("lockTimeout must be at least zero but was " + lockTimeout);
        }
    }

    /** The defaults for folders of documents. */
    public static DocumentTwinOptions of(Path... documents) {
        return builder().documents(documents).build();
    }

    /**
     * Where knowledge bases and models are kept that can be made again; default {@link PolluxCache#directory()}, which is looked up
     * when it is asked for, so that a user without a home may have options.
     */
    public Path cache() {
        return cache == null ? PolluxCache.directory() : cache;
    }

    /**
     * Whether a model is looked for: where the twin is to write, or may and a model is named for it. One that may is opened only if
     * it can ({@link dev.pollux.twin.WritingAbility}).
     */
    public boolean opensModel() {
        return switch (twin.style()) {
            case QUOTE -> false;
            case WRITE -> true;
            case AUTO -> model.isPresent();
        };
    }

    /** A builder with the defaults; documents or knowledge must be given. */
    public static Builder builder() {
        return new Builder();
    }

    /** Folders and files to read; may be empty where {@code knowledge} is given, which is used as it is then. */
    public List<Path> documents() {
        return documents;
    }

    /** Which files of the folders are documents; default {@link FolderOptions#DEFAULTS}. */
    public FolderOptions files() {
        return files;
    }

    /**
     * The folder of the knowledge base; absent: one in the cache, by the real paths of the folders and by the
     * embedder, so that each set of folders has its own.
     */
    public Optional<Path> knowledge() {
        return knowledge;
    }

    /** An ONNX text encoder; absent: the one that comes with Pollux, which reads English. */
    public Optional<Path> embedder() {
        return embedder;
    }

    /**
     * What writes: the path of a GGUF file, of a Hugging Face folder or of an ONNX folder, a model of the hub such
     * as {@code hf:owner/name:Q4_K_M}, or the name of an embedded model; absent: the embedded one, which is opened
     * only where the style is {@link TwinOptions.Style#WRITE}.
     */
    public Optional<String> model() {
        return model;
    }

    /** LoRA adapters over the model with the scale of each, 1 as it was trained; default none. */
    public Map<Path, Double> adapters() {
        return adapters;
    }

    /**
     * How the model runs; its number of threads is the embedder's too, its cache is not used; default {@link
     * EngineOptions#DEFAULTS}.
     */
    public EngineOptions engine() {
        return engine;
    }

    /** For whom the twin speaks; default {@link Persona#DEFAULT}. */
    public Persona persona() {
        return persona;
    }

    /** How it finds, quotes and writes; default {@link TwinOptions#DEFAULTS}. */
    public TwinOptions twin() {
        return twin;
    }

    /**
     * How long to wait while another process writes to the same knowledge base, at least zero; after that the twin
     * answers from what that one has committed; default 30 seconds.
     */
    public Duration lockTimeout() {
        return lockTimeout;
    }

    /** Whether another has the same options. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof DocumentTwinOptions that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "DocumentTwinOptions[documents=" + documents + ", files=" + files + ", knowledge=" + knowledge
                + ", embedder=" + embedder + ", model=" + model + ", adapters=" + adapters + ", engine=" + engine
                + ", persona=" + persona + ", twin=" + twin + ", cache=" + cache + ", lockTimeout=" + lockTimeout + "]";
    }

    private List<@Nullable Object> values() {
        return Arrays.asList(
                documents, files, knowledge, embedder, model, adapters, engine, persona, twin, cache, lockTimeout);
    }

    /** Builds {@link DocumentTwinOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private List<Path> documents = List.of();
        private FolderOptions files = FolderOptions.DEFAULTS;
        private Optional<Path> knowledge = Optional.empty();
        private Optional<Path> embedder = Optional.empty();
        private Optional<String> model = Optional.empty();
        private Map<Path, Double> adapters = Map.of();
        private EngineOptions engine = EngineOptions.DEFAULTS;
        private Persona persona = Persona.DEFAULT;
        private TwinOptions twin = TwinOptions.DEFAULTS;
        private @Nullable Path cache;
        private Duration lockTimeout = Duration.ofSeconds(30);

        private Builder() {}

        /** See {@link DocumentTwinOptions#documents()}. */
        public Builder documents(Path... documents) {
            return documents(List.of(documents));
        }

        /** See {@link DocumentTwinOptions#documents()}. */
        public Builder documents(List<Path> documents) {
            this.documents = documents;
            return this;
        }

        /** See {@link DocumentTwinOptions#files()}. */
        public Builder files(FolderOptions files) {
            this.files = files;
            return this;
        }

        /** See {@link DocumentTwinOptions#knowledge()}. */
        public Builder knowledge(Path knowledge) {
            this.knowledge = Optional.of(knowledge);
            return this;
        }

        /** See {@link DocumentTwinOptions#embedder()}. */
        public Builder embedder(Path embedder) {
            this.embedder = Optional.of(embedder);
            return this;
        }

        /** See {@link DocumentTwinOptions#model()}. */
        public Builder model(Path model) {
            return model(model.toString());
        }

        /** See {@link DocumentTwinOptions#model()}. */
        public Builder model(String model) {
            this.model = Optional.of(model);
            return this;
        }

        /** See {@link DocumentTwinOptions#adapters()}. */
        public Builder adapters(Map<Path, Double> adapters) {
            this.adapters = adapters;
            return this;
        }

        /** See {@link DocumentTwinOptions#engine()}. */
        public Builder engine(EngineOptions engine) {
            this.engine = engine;
            return this;
        }

        /** See {@link DocumentTwinOptions#persona()}. */
        public Builder persona(Persona persona) {
            this.persona = persona;
            return this;
        }

        /** See {@link DocumentTwinOptions#twin()}. */
        public Builder twin(TwinOptions twin) {
            this.twin = twin;
            return this;
        }

        /** See {@link DocumentTwinOptions#cache()}. */
        public Builder cache(Path cache) {
            this.cache = cache;
            return this;
        }

        /** See {@link DocumentTwinOptions#lockTimeout()}. */
        public Builder lockTimeout(Duration lockTimeout) {
            this.lockTimeout = lockTimeout;
            return this;
        }

        /** The options; checks them. */
        public DocumentTwinOptions build() {
            return new DocumentTwinOptions(
                    documents, files, knowledge, embedder, model, adapters, engine, persona, twin, cache, lockTimeout);
        }
    }
}
