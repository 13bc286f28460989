package dev.pollux.finetune.internal.model;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.LayerName;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.tensor.StoredTensor;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.tensor.TensorSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A model to merge: configuration and tensors, with its adapter applied. <em>Thread-safe; who opens it closes it.</em> */
public final class InputModel implements AutoCloseable {

    private final String label;
    private final Places places;
    private final ObjectNode config;
    private final Map<String, TensorSource> tensors;
    private final Map<String, DType> types;
    private final List<AutoCloseable> open;
    private final Optional<GgufModel> gguf;
    private final Optional<OnnxModel> onnx;
    private final Map<String, String> stored; // name → name in its files, if different
    private final Map<String, SafetensorsFile> beside = new HashMap<>();
    private final Map<String, Integer> layers = new ConcurrentHashMap<>(); // by prefix

    private InputModel(
            String label,
            Places places,
            ObjectNode config,
            Map<String, TensorSource> tensors,
            Map<String, DType> types,
            List<AutoCloseable> open) {
        this(label, places, config, tensors, types, open, Optional.empty(), Optional.empty(), Map.of());
    }

    private InputModel(
            String label,
            Places places,
            ObjectNode config,
            Map<String, TensorSource> tensors,
            Map<String, DType> types,
            List<AutoCloseable> open,
            Optional<GgufModel> gguf,
            Optional<OnnxModel> onnx,
            Map<String, String> stored) {
        this.label = label;
        this.places = places;
        this.config = config;
        this.tensors = tensors;
        this.types = types;
        this.open = open;
        this.gguf = gguf;
        this.onnx = onnx;
        this.stored = stored;
    }

    /**
     * Opens a model and its adapter and reads their headers.
     *
     * @param folder the folder to which names are relative
     */
    public static InputModel open(ModelReference reference, Path folder) {
        if (reference.revision().isPresent() || reference.adapterRevision().isPresent()) {
            throw new UnsupportedModelException("model " + reference
                    + " names a revision, but nothing is fetched here; download it and name the folder");
        }
        Path path = folder.resolve(reference.model());
        if (GgufModel.isAt(path)) {
            return openGguf(reference, folder, path);
        }
        if (OnnxModel.isAt(path)) {
            return openOnnx(reference, folder, path);
        }
        return openFolder(reference, folder, path);
    }

    /** The folder with the statistics of a model: the adapter's folder if there is an adapter, otherwise the model's folder. */
    public static Path statistics(ModelReference reference, Path folder) {
        return folder.resolve(reference.adapter().orElse(reference.model()));
    }

    /** The locations of texts and statistics. */
    private record Places(Optional<Path> texts, Optional<Path> statistics, Optional<AdapterTexts> adapter) {
        static Places of(ModelReference reference, Path folder) {
            return new Places(
                    Optional.of(folder.resolve(reference.model())),
                    Optional.of(InputModel.statistics(reference, folder)),
                    reference.adapter().flatMap(name -> AdapterTexts.in(name, folder.resolve(name))));
        }
    }

    private static InputModel openFolder(ModelReference reference, Path folder, Path path) {
        FolderContents.requireModel(reference.model(), path);
        List<AutoCloseable> open = new ArrayList<>();
        try {
            ObjectNode config = JsonFile.object(path.resolve("config.json"))
                    .orElseThrow(
                            () -> new MalformedFileException("model " + reference.model() + " has no config.json"));
            SafetensorsFolder file = SafetensorsFolder.open(path);
            open.add(file);
            QuantizedWeights.method(config, file.tensors().values()).ifPresent(method -> {
                throw new UnsupportedModelException("model " + reference.model() + " is quantized by " + method
                        + ", and only float weights can be merged; use the unquantized model");
            });
            Map<String, TensorSource> tensors = new LinkedHashMap<>();
            Map<String, DType> types = new LinkedHashMap<>();
            for (TensorInfo info : file.tensors().values()) {
                if (!LayerName.isObsolete(info)) {
                    tensors.put(info.name(), new StoredTensor(file, info, reference + ":" + info.name()));
                    types.put(info.name(), info.type());
                }
            }
            AdaptedModel adapted = adapted(reference, folder, new AdaptedModel(config, tensors, types), open);
            return new InputModel(
                    reference.toString(),
                    Places.of(reference, folder),
                    adapted.config(),
                    adapted.tensors(),
                    adapted.types(),
                    open);
        } catch (RuntimeException | Error e) {
            close(open);
            throw e;
        }
    }

    private static InputModel openGguf(ModelReference reference, Path folder, Path path) {
        List<AutoCloseable> open = new ArrayList<>();
        try {
            GgufModel model = GgufModel.open(path);
            open.add(model);
            Map<String, TensorSource> tensors = model.tensors(reference.toString());
            Map<String, DType> types = new LinkedHashMap<>();
            tensors.keySet().forEach(name -> types.put(name, DType.F32));
            AdaptedModel adapted = adapted(reference, folder, new AdaptedModel(model.config(), tensors, types), open);
            return new InputModel(
                    reference.toString(),
                    Places.of(reference, folder),
                    adapted.config(),
                    adapted.tensors(),
                    adapted.types(),
                    open,
                    Optional.of(model),
                    Optional.empty(),
                    Map.of());
        } catch (RuntimeException | Error e) {
            close(open);
            throw e;
        }
    }

    /** {@code model} with the adapter of {@code reference}, if it has one. */
    private static AdaptedModel adapted(
            ModelReference reference, Path folder, AdaptedModel model, List<AutoCloseable> open) {
        if (reference.adapter().isEmpty()) {
            return model;
        }
        String name = reference.adapter().get();
        Path path = folder.resolve(name);
        AdapterOverlay adapter = AdapterOverlay.open(name, path, model.config());
        open.add(adapter.adapter());
        return model.with(adapter, reference.toString());
    }

    private static InputModel openOnnx(ModelReference reference, Path folder, Path path) {
        if (reference.adapter().isPresent()) {
            throw new UnsupportedModelException("model " + reference
                    + " lays an adapter over an ONNX graph, which has no modules; merge the adapter before the export");
        }
        OnnxModel model = OnnxModel.open(path);
        Map<String, DType> types = new LinkedHashMap<>();
        Map<String, TensorSource> tensors = new LinkedHashMap<>();
        model.weights().forEach((name, weight) -> {
            tensors.put(name, weight.as(reference + ":" + name));
            types.put(name, weight.type());
        });
        return new InputModel(
                reference.toString(),
                Places.of(reference, folder),
                model.config(),
                tensors,
                types,
                List.of(model),
                Optional.empty(),
                Optional.of(model),
                Map.of());
    }

    /** The graph of an ONNX model; empty for other models. */
    public Optional<OnnxModel> onnx() {
        return onnx;
    }

    /** Returns this model under another name; closing either closes both. */
    public InputModel named(String name) {
        return new InputModel(name, places, config, tensors, types, open, gguf, onnx, stored);
    }

    /** Returns this model with the tensor names of {@code other} ({@link ClassPrefix}); closing either closes both. */
    public InputModel calledAs(InputModel other) {
        Map<String, String> renamed =
                ClassPrefix.renamed(tensors.keySet(), other.tensors().keySet());
        if (onnx.isPresent()
                || renamed.entrySet().stream().allMatch(e -> e.getKey().equals(e.getValue()))) {
            return this;
        }
        Map<String, TensorSource> sources = new LinkedHashMap<>();
        Map<String, DType> kinds = new LinkedHashMap<>();
        Map<String, String> own = new HashMap<>();
        tensors.forEach((name, source) -> {
            String as = renamed.getOrDefault(name, name);
            sources.put(as, source);
            Optional.ofNullable(types.get(name)).ifPresent(type -> kinds.put(as, type));
            own.put(as, name);
        });
        return new InputModel(label, places, config, sources, kinds, open, gguf, onnx, own);
    }

    /** The tensor's name in the model's files. */
    public String storedName(String tensor) {
        return stored.getOrDefault(tensor, tensor);
    }

    public String label() {
        return label;
    }

    /**
     * The path of the model. For a stage that has not run, the path of the model that provides its texts. It is a folder, or a
     * GGUF file, which contains its texts.
     */
    public Optional<Path> folder() {
        return places.texts();
    }

    /** The texts of its adapter, which take precedence over its own. */
    public Optional<AdapterTexts> adapterTexts() {
        return places.adapter();
    }

    /** Its {@code tokenizer.json}. */
    public Optional<ObjectNode> tokenizer() {
        return adapterTexts().flatMap(AdapterTexts::tokenizer).or(this::ownTokenizer);
    }

    private Optional<ObjectNode> ownTokenizer() {
        return gguf.isPresent()
                ? gguf.get().tokenizer()
                : folder().flatMap(path -> JsonFile.object(path.resolve("tokenizer.json")));
    }

    /** The texts of a model that stores them in its weight file, by the corresponding file names. */
    public Map<String, String> texts() {
        return gguf.map(GgufModel::texts).orElse(Map.of());
    }

    /** Its chat template. */
    public Optional<String> chatTemplate() {
        return adapterTexts()
                .flatMap(AdapterTexts::chatTemplate)
                .or(() ->
                        gguf.isPresent() ? gguf.get().chatTemplate() : folder().flatMap(FolderContents::chatTemplate));
    }

    /**
     * Returns the planned result of a stage that has not run; its tensors cannot be read.
     *
     * @param texts the model that provides its texts
     * @param tensors the name, type, shape and bytes of each tensor
     */
    public static InputModel planned(
            String name, Optional<InputModel> texts, ObjectNode config, Map<String, TensorInfo> tensors) {
        Map<String, TensorSource> planned = new LinkedHashMap<>();
        Map<String, DType> types = new LinkedHashMap<>();
        tensors.forEach((tensor, info) -> {
            planned.put(tensor, new PlannedTensor(info.shape(), info.byteLength(), name + ":" + tensor));
            types.put(tensor, info.type());
        });
        Places places = new Places(texts.flatMap(InputModel::folder), Optional.empty(), Optional.empty());
        return new InputModel(name, places, config, planned, types, new ArrayList<>());
    }

    /** A tensor that does not exist yet. */
    private record PlannedTensor(List<Long> shape, long storedBytes, String label) implements TensorSource {
        @Override
        public void read(long first, int count, float[] into, int at) {
            throw new IllegalStateException(label + " is made by a stage that has not run");
        }
    }

    /** Opens a file with tensor statistics, if the model has one ({@link #statistics}). The file is closed with the model. */
    public Optional<SafetensorsFile> beside(String name) {
        SafetensorsFile known = beside.get(name);
        if (known != null) {
            return Optional.of(known);
        }
        Optional<SafetensorsFile> file = places.statistics()
                .map(path -> path.resolve(name))
                .filter(Files::isRegularFile)
                .map(SafetensorsFile::open);
        file.ifPresent(opened -> {
            beside.put(name, opened);
            open.add(opened);
        });
        return file;
    }

    public ObjectNode config() {
        return config;
    }

    public Map<String, TensorSource> tensors() {
        return tensors;
    }

    @Nullable
    public DType type(String tensor) {
        return types.get(tensor);
    }

    /** The most frequent floating-point type of its tensors; float32 for dequantized models. */
    public DType mainType() {
        Map<DType, Integer> counts = new EnumMap<>(DType.class);
        types.values().stream()
                .filter(StoredTensor.READABLE::contains)
                .forEach(type -> counts.merge(type, 1, Integer::sum));
        return counts.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(DType.F32);
    }

    /** The tensor's name in this model; a tied head has the name of the embedding. */
    public Optional<String> nameOf(String tensor) {
        if (tensors.containsKey(tensor)) {
            return Optional.of(tensor);
        }
        return LayerName.isHead(tensor) && !TiedHead.isApart(config)
                ? tensors.keySet().stream().filter(LayerName::isEmbedding).findFirst()
                : Optional.empty();
    }

    /** The tensor; for a tied head, the embedding. */
    public Optional<TensorSource> tensor(String tensor) {
        return nameOf(tensor).map(tensors::get);
    }

    /** The number of layers of tensors that begin with {@code prefix}, without those of {@link PredictionLayers}. */
    public int layers(String prefix) {
        return layers.computeIfAbsent(prefix, of -> {
            int stored = tensors.keySet().stream()
                    .flatMap(name -> LayerName.parse(name).stream())
                    .filter(name -> name.prefix().equals(of))
                    .mapToInt(name -> name.layer() + 1)
                    .max()
                    .orElse(0);
            return stored - PredictionLayers.after(config, tensors.keySet(), of, stored);
        });
    }

    @Override
    public void close() {
        close(open);
    }

    private static void close(List<AutoCloseable> open) {
        for (AutoCloseable file : open) {
            try {
                file.close();
            } catch (Exception e) {
                throw new IllegalStateException("closing a mapped file does not fail", e);
            }
        }
    }
}
