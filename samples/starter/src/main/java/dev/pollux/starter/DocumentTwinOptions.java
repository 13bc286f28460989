package dev.pollux.starter;

import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.hub.PolluxCache;
import dev.pollux.rag.chunk.ChunkOptions;
import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.FolderOptions;
import dev.pollux.rag.source.MetadataRule;
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
    private final List<DocumentSource> sources;
    private final Optional<ChunkOptions> chunking;
    private final boolean embeddingCache;
    private final FolderOptions files;
    private final Optional<List<MetadataRule>> metadata;
    private final Optional<String> filter;
    private final Optional<Path> knowledge;
    private final Optional<Path> embedder;
    private final Optional<Path> reranker;
    private final Optional<String> model;
    private final Map<Path, Double> adapters;
    private final EngineOptions engine;
    private final Persona persona;
    private final TwinOptions twin;
    private final @Nullable Path cache;
    private final Duration lockTimeout;

    private DocumentTwinOptions(Builder from) {
        this.documents = List.copyOf(from.documents);
        this.sources = List.copyOf(from.sources);
        this.chunking = from.chunking;
        this.embeddingCache = from.embeddingCache;
        this.metadata = from.metadata.map(List::copyOf);
        this.filter = from.filter;
        this.files = from.files;
        this.knowledge = from.knowledge;
        this.embedder = from.embedder;
        this.reranker = from.reranker;
        this.model = from.model;
        this.adapters = Collections.unmodifiableMap(new LinkedHashMap<>(from.adapters));
        this.engine = from.engine;
        this.persona = from.persona;
        this.twin = from.twin;
        this.cache = from.cache;
        this.lockTimeout = from.lockTimeout;
        if (documents.isEmpty() && sources.isEmpty() && knowledge.isEmpty()) {
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

    /** Returns the defaults for folders of documents. */
    public static DocumentTwinOptions of(Path... documents) {
        return builder().documents(documents).build();
    }

    /**
     * Folder for knowledge bases and models that can be made again; default {@link PolluxCache#directory()}. The default is
     * resolved on each call, so that a user without a home directory can create options.
     */
    public Path cache() {
        return cache == null ? PolluxCache.directory() : cache;
    }

    /**
     * Returns whether a model is looked up: if the style is to write, or if it permits writing and a model is named. In the
     * second case the model is opened only if it is able to write ({@link dev.pollux.twin.WritingAbility}).
     */
    public boolean opensModel() {
        return switch (twin.style()) {
            case QUOTE -> false;
            case WRITE -> true;
            case AUTO -> model.isPresent();
        };
    }

    /** Returns a builder with the defaults; documents or knowledge must be set. */
    public static Builder builder() {
        return new Builder();
    }

    /** Folders and files to read; may be empty if {@code knowledge} is set, which is then used without an update. */
    public List<Path> documents() {
        return documents;
    }

    /** Further sources, such as the records of a file, the rows of a query or the mirror of a web site; default none. */
    public List<DocumentSource> sources() {
        return sources;
    }

    /** How documents are cut into passages; default: {@link dev.pollux.rag.knowledge.KnowledgeOptions#chunking()}. */
    public Optional<ChunkOptions> chunking() {
        return chunking;
    }

    /**
     * Whether the vectors of passages are kept in the folder {@code embeddings} of {@link #cache()}, so that a text is embedded
     * once for all knowledge bases; default true. See {@link dev.pollux.rag.knowledge.EmbeddingCache}.
     */
    public boolean embeddingCache() {
        return embeddingCache;
    }

    /** Selects the files of the folders that are documents; default {@link FolderOptions#DEFAULTS}. */
    public FolderOptions files() {
        return files;
    }

    /**
     * Metadata for the documents, by patterns of their ids. If absent, the default, the rules that the knowledge base has
     * stored for each source; an empty list ends those. See {@link DocumentSource#withMetadata}.
     */
    public Optional<List<MetadataRule>> metadata() {
        return metadata;
    }

    /**
     * A filter that every passage of an answer satisfies, as {@link dev.pollux.rag.knowledge.KnowledgeBase#filter} reads it;
     * default none.
     */
    public Optional<String> filter() {
        return filter;
    }

    /**
     * Folder of the knowledge base. If absent, a folder in the cache, derived from the real paths of the folders and from
     * the embedder, so that each set of folders has its own.
     */
    public Optional<Path> knowledge() {
        return knowledge;
    }

    /** Path of an ONNX text encoder. If absent, the embedder shipped with Pollux, which reads English. */
    public Optional<Path> embedder() {
        return embedder;
    }

    /**
     * Folder of a cross-encoder that scores the 30 best hits of a search again, as
     * {@link dev.pollux.inference.encoder.OnnxReranker#open} reads it; of a long passage, its best window. If absent, hits stay in
     * the order of the search.
     */
    public Optional<Path> reranker() {
        return reranker;
    }

    /**
     * The model that writes: the path of a GGUF file, of a Hugging Face folder or of an ONNX folder, a model of the hub
     * such as {@code hf:owner/name:Q4_K_M}, or the name of an embedded model. If absent, the embedded one, which is opened
     * only with {@link TwinOptions.Style#WRITE}.
     */
    public Optional<String> model() {
        return model;
    }

    /** LoRA adapters of the model with their scales; scale 1 is the trained strength; default none. */
    public Map<Path, Double> adapters() {
        return adapters;
    }

    /**
     * Engine options of the model; default {@link EngineOptions#DEFAULTS}. The embedder uses the same number of threads;
     * the cache of these options is not used.
     */
    public EngineOptions engine() {
        return engine;
    }

    /** The identity of the twin in the prompt; default {@link Persona#DEFAULT}. */
    public Persona persona() {
        return persona;
    }

    /** How the twin retrieves, quotes and writes; default {@link TwinOptions#DEFAULTS}. */
    public TwinOptions twin() {
        return twin;
    }

    /**
     * Maximum time to wait while another process writes to the same knowledge base, at least zero; default 30 seconds.
     * After it, the twin answers from the last commit of that process.
     */
    public Duration lockTimeout() {
        return lockTimeout;
    }

    /** Returns whether {@code other} has equal options. */
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
        return "DocumentTwinOptions[documents=" + documents + ", sources=" + sources + ", chunking=" + chunking
                + ", embeddingCache=" + embeddingCache + ", files=" + files + ", metadata=" + metadata
                + ", filter=" + filter + ", knowledge=" + knowledge
                + ", embedder=" + embedder + ", reranker=" + reranker + ", model=" + model + ", adapters=" + adapters
                + ", engine=" + engine
                + ", persona=" + persona + ", twin=" + twin + ", cache=" + cache + ", lockTimeout=" + lockTimeout + "]";
    }

    private List<@Nullable Object> values() {
        return Arrays.asList(
                documents,
                sources,
                chunking,
                embeddingCache,
                files,
                metadata,
                filter,
                knowledge,
                embedder,
                reranker,
                model,
                adapters,
                engine,
                persona,
                twin,
                cache,
                lockTimeout);
    }

    /** Builds {@link DocumentTwinOptions}. <em>Not thread-safe: one thread at a time.</em> */
    public static final class Builder {
        private List<Path> documents = List.of();
        private List<DocumentSource> sources = List.of();
        private Optional<ChunkOptions> chunking = Optional.empty();
        private boolean embeddingCache = true;
        private FolderOptions files = FolderOptions.DEFAULTS;
        private Optional<List<MetadataRule>> metadata = Optional.empty();
        private Optional<String> filter = Optional.empty();
        private Optional<Path> knowledge = Optional.empty();
        private Optional<Path> embedder = Optional.empty();
        private Optional<Path> reranker = Optional.empty();
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

        /** See {@link DocumentTwinOptions#sources()}. */
        public Builder sources(List<DocumentSource> sources) {
            this.sources = sources;
            return this;
        }

        /** See {@link DocumentTwinOptions#chunking()}. */
        public Builder chunking(ChunkOptions chunking) {
            this.chunking = Optional.of(chunking);
            return this;
        }

        /** See {@link DocumentTwinOptions#embeddingCache()}. */
        public Builder embeddingCache(boolean embeddingCache) {
            this.embeddingCache = embeddingCache;
            return this;
        }

        /** See {@link DocumentTwinOptions#files()}. */
        public Builder files(FolderOptions files) {
            this.files = files;
            return this;
        }

        /** See {@link DocumentTwinOptions#metadata()}. */
        public Builder metadata(List<MetadataRule> metadata) {
            this.metadata = Optional.of(metadata);
            return this;
        }

        /** See {@link DocumentTwinOptions#filter()}. */
        public Builder filter(String filter) {
            this.filter = Optional.of(filter);
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

        /** See {@link DocumentTwinOptions#reranker()}. */
        public Builder reranker(Path reranker) {
            this.reranker = Optional.of(reranker);
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

        /**
         * Returns the options.
         *
         * @throws IllegalArgumentException if a value is invalid
         */
        public DocumentTwinOptions build() {
            return new DocumentTwinOptions(this);
        }
    }
}
