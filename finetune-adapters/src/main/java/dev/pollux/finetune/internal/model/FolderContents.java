package dev.pollux.finetune.internal.model;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.adapter.PeftConfig;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.internal.ForeignFile;
import dev.pollux.tensor.SafetensorsFolder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Rejects a path that is not a model. The message names the actual contents and a remedy. */
final class FolderContents {

    private static final long LARGEST_TEMPLATE = 1 << 20; // bytes

    private static final List<String> PICKLES = List.of(".bin", ".pt", ".pth", ".ckpt", ".pkl");
    private static final List<String> OTHER_WEIGHTS = List.of(".h5", ".msgpack", ".npz", ".ot", ".pdparams", ".gguf");
    private static final int MAX_ENTRIES = 10_000;
    private static final int MAX_NAMED = 5;
    private static final String CONVERT =
            "; convert it to safetensors: load it with transformers and write it with save_pretrained";

    private final String what;
    private final Path folder;

    private FolderContents(String what, Path folder) {
        this.what = what;
        this.folder = folder;
    }

    /** Requires a folder with {@code config.json} and safetensors. */
    static void requireModel(String name, Path path) {
        new FolderContents("model " + name, path).requireModel(name);
    }

    private void requireModel(String name) {
        if (Files.isRegularFile(folder)) {
            throw aFile();
        }
        if (!Files.isDirectory(folder)) {
            throw new MalformedFileException(
                    what + " not found: " + folder + " is not a folder; nothing is fetched here, "
                            + hubName(name)
                                    .map(hub -> "fetch it with pollux fetch hf:" + hub + " and name the folder")
                                    .orElse("download it first"));
        }
        boolean weights = SafetensorsFolder.isIn(folder);
        boolean config = has("config.json");
        if (!weights
                && (has(PeftConfig.CONFIG)
                        || !first(file -> file.startsWith("adapter_model.")).isEmpty())) {
            throw new UnsupportedModelException(what + " is an adapter, not a model; write it with its base, "
                    + base().orElse("base") + "+" + name);
        }
        if (!weights) {
            throw new MalformedFileException(what + insteadOfWeights(config));
        }
        if (!config) {
            throw new MalformedFileException(what + " has no config.json; download it too, the weights need it");
        }
    }

    private MalformedFileException aFile() {
        String file = String.valueOf(folder.getFileName());
        Path parent = folder.toAbsolutePath().getParent();
        boolean inModel = parent != null && Files.isRegularFile(parent.resolve("config.json"));
        String advice = inModel
                ? "name its folder, " + parent
                : describe(folder)
                        .orElse("a model is a folder with config.json and safetensors, or a GGUF or ONNX file");
        return new MalformedFileException(what + " is the file " + file + ", not a folder; " + advice);
    }

    /** The hub name that the path probably stands for. */
    private static Optional<String> hubName(String name) {
        String bare = name.replaceFirst("^(?:hf:|hf://|https://huggingface\\.co/)", "");
        return bare.matches("[A-Za-z0-9][\\w.-]*/[A-Za-z0-9][\\w.-]*") ? Optional.of(bare) : Optional.empty();
    }

    private Optional<String> base() {
        return JsonFile.object(folder.resolve(PeftConfig.CONFIG))
                .map(json -> json.path("base_model_name_or_path"))
                .filter(node -> node.isString() && !node.asString().isBlank())
                .map(node -> node.asString());
    }

    private String insteadOfWeights(boolean config) {
        List<String> pickles = first(file -> endsWith(file, PICKLES) && !file.equals("training_args.bin"));
        if (!pickles.isEmpty()) {
            return " has no safetensors but " + named(pickles) + ", which are pickles of PyTorch: reading one can run"
                    + " code, so none is read" + CONVERT;
        }
        List<String> others = first(file -> endsWith(file, OTHER_WEIGHTS));
        if (!others.isEmpty()) {
            return " has no safetensors but " + named(others) + ", which is not read" + CONVERT;
        }
        List<String> parts = first(file -> file.endsWith(".safetensors"));
        if (!parts.isEmpty()) {
            return " has neither model.safetensors nor model.safetensors.index.json but " + named(parts)
                    + "; download what is missing";
        }
        List<String> revisions = has("snapshots") ? folders("snapshots") : List.of();
        if (!revisions.isEmpty()) {
            return " is an entry of the hub's cache; name the folder of a revision in it, such as "
                    + folder.resolve("snapshots").resolve(revisions.get(0));
        }
        List<String> graphs = folders("").stream()
                .flatMap(name -> list(folder.resolve(name), Files::isRegularFile).stream()
                        .filter(file -> file.endsWith(".onnx"))
                        .map(file -> name + "/" + file))
                .toList();
        if (!graphs.isEmpty()) {
            return " has no safetensors but " + named(graphs)
                    + "; name one such file, which can be merged with ONNX models"
                    + " of the same graph, or download the safetensors";
        }
        List<String> models = folders("").stream()
                .filter(name -> SafetensorsFolder.isIn(folder.resolve(name)))
                .toList();
        if (!models.isEmpty()) {
            return " has no weights itself, but its folders " + named(models) + " have; name one of them";
        }
        List<String> adapters = folders("").stream()
                .filter(name -> has(name + "/" + PeftConfig.CONFIG))
                .toList();
        if (!adapters.isEmpty()) {
            return " has no weights itself, but its folders " + named(adapters)
                    + " hold adapters; write one with its base," + " base+" + folder.getFileName() + "/"
                    + adapters.get(0);
        }
        List<String> all = first(file -> true);
        if (all.isEmpty()) {
            return " is an empty folder; download the model into it";
        }
        return (config ? " has no weights" : " has neither weights nor config.json") + ", only " + named(all)
                + "; download model.safetensors, or the files that model.safetensors.index.json names";
    }

    private boolean has(String name) {
        return Files.exists(folder.resolve(name));
    }

    private static boolean endsWith(String file, List<String> endings) {
        return endings.stream().anyMatch(file::endsWith);
    }

    private List<String> first(Predicate<String> wanted) {
        return list(folder, path -> !Files.isDirectory(path)).stream()
                .filter(wanted)
                .toList();
    }

    private List<String> folders(String within) {
        return list(folder.resolve(within), Files::isDirectory);
    }

    private static List<String> list(Path folder, Predicate<Path> wanted) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.limit(MAX_ENTRIES)
                    .filter(wanted)
                    .map(path -> String.valueOf(path.getFileName()))
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new StorageException("Cannot list " + folder + ": " + e, e);
        }
    }

    private static String named(List<String> names) {
        String first = String.join(", ", names.subList(0, Math.min(MAX_NAMED, names.size())));
        return names.size() <= MAX_NAMED ? first : first + " and " + (names.size() - MAX_NAMED) + " more";
    }

    private static Optional<String> describe(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return ForeignFile.describe(in.readNBytes(ForeignFile.HEAD), Files.size(file));
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /** The template of a model folder. */
    public static Optional<String> chatTemplate(Path folder) {
        Path file = folder.resolve("chat_template.jinja");
        try {
            if (Files.isRegularFile(file) && Files.size(file) <= LARGEST_TEMPLATE) {
                return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
        Optional<ObjectNode> config = JsonFile.object(folder.resolve("tokenizer_config.json"));
        return config.map(json -> json.path("chat_template"))
                .filter(node -> node.isString())
                .map(node -> node.asString());
    }
}
