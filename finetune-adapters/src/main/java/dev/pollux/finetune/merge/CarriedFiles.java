package dev.pollux.finetune.merge;

import dev.pollux.StorageException;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.internal.ForeignFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Selects the files of a model's folder that are copied unchanged into a result.
 *
 * <table><caption>Rules</caption>
 * <tr><td>copied<td>tokenizers, processor settings, poolings, code named by {@code auto_map}, licences</tr>
 * <tr><td>not copied<td>weights, files that the merge generates, trainer states, caches, hidden files</tr>
 * <tr><td>links<td>followed inside the folder and into the blobs of the hub's cache, nowhere else</tr>
 * </table>
 *
 * <p>Sizes are bounded.
 */
final class CarriedFiles {

    /** The files that another model's tokenizer, or a joined one, provides or replaces. */
    private static final Pattern TOKENIZER = Pattern.compile("tokenizer\\.json|tokenizer_config\\.json"
            + "|special_tokens_map\\.json|added_tokens\\.json|vocab\\.(?:json|txt|bpe)|merges\\.txt|.*\\.model(?:\\.v[0-9a-z]+)?"
            + "|.*\\.tiktoken|tekken\\.json|.*\\.spm|sentencepiece.*|generation_config\\.json|chat_template\\.(?:jinja|json)"
            + "|additional_chat_templates/.*");

    /** The files that remain valid with a joined tokenizer; the others list the tokens of one model. */
    private static final Pattern BESIDE_JOINED = Pattern.compile("tokenizer_config\\.json|special_tokens_map\\.json"
            + "|generation_config\\.json|chat_template\\.(?:jinja|json)|additional_chat_templates/.*");

    private static final Pattern WEIGHTS = Pattern.compile(
            ".*\\.(?:safetensors|bin|pt|pth|ckpt|pkl|h5|msgpack|npz|npy|ot|onnx|onnx_data|onnx\\.data|ort|gguf|ggml|tflite"
                    + "|pdparams|mlmodel|distcp|engine)(?:\\.index\\.json)?|.*\\.index\\.json");

    private static final Pattern MADE_ANEW = Pattern.compile(
            "config\\.json|artifact\\.json|(?i:readme)(?:\\..*)?|merge-report\\.(?:json|html)"
                    + "|mergekit_(?:moe_)?config\\.ya?ml|adapter_config\\.json|quantize_config\\.json|quant_config\\.json"
                    + "|hf_quant_config\\.json|imatrix.*|trainer_state\\.json|training_args\\..*"
                    + "|(?:all|train|eval|predict)_results\\.json|rng_state.*|zero_to_fp32\\.py|latest|events\\.out\\..*");

    private static final Pattern UNFINISHED = Pattern.compile(".*\\.(?:lock|incomplete|tmp|part|pyc)");

    private static final Pattern OTHER_FOLDERS = Pattern.compile(
            "__pycache__|checkpoint-[0-9]+|global_step[0-9]+|runs|wandb|logs|original|onnx|openvino|coreml|gguf");

    private static final long MAX_FILE = 256L << 20;
    private static final long MAX_TOTAL = 1L << 30;
    private static final int MAX_FILES = 5000;
    private static final int MAX_DEPTH = 5;

    private final Path root;
    private final Problems problems;
    private final Set<String> modules = new HashSet<>();
    private final Map<String, Path> files = new TreeMap<>();
    private long total;

    private CarriedFiles(Path root, Problems problems) {
        this.root = root;
        this.problems = problems;
    }

    /**
     * The files of a model, by their paths in its folder, separated by {@code /}; none if the model is not a folder.
     *
     * @param problems receives omitted files that may be needed
     */
    static Map<String, Path> of(InputModel model, Problems problems) {
        if (model.folder().filter(Files::isDirectory).isEmpty()
                || !model.texts().isEmpty()) {
            return Map.of();
        }
        return in(model.folder().get(), problems);
    }

    /** Those of a folder. */
    static Map<String, Path> in(Path root, Problems problems) {
        CarriedFiles carried = new CarriedFiles(root, problems);
        try {
            carried.readModules();
            carried.add(root, "", 1);
            return carried.files;
        } catch (IOException e) {
            throw new StorageException("Cannot list " + root + ": " + e, e);
        }
    }

    /** Copies files into a folder. */
    static void copy(Map<String, Path> files, Predicate<String> wanted, Path into) throws IOException {
        for (Map.Entry<String, Path> file : files.entrySet()) {
            if (wanted.test(file.getKey())) {
                Path target = into.resolve(file.getKey());
                Files.createDirectories(target.getParent());
                Files.copy(file.getValue(), target, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Whether a file belongs to the tokenizer. */
    static boolean isOfTokenizer(String name) {
        return TOKENIZER.matcher(name).matches();
    }

    /** Whether a file of a tokenizer fits one that was joined. */
    static boolean fitsJoined(String name) {
        return BESIDE_JOINED.matcher(name).matches();
    }

    /** The modules of a sentence encoder, which may have weights of their own. */
    private void readModules() throws IOException {
        Path file = root.resolve("modules.json");
        if (!Files.isRegularFile(file) || Files.size(file) > 1 << 20) {
            return;
        }
        if (JsonNode.parse(Files.readAllBytes(file), file.toString()) instanceof ArrayNode list) {
            for (JsonNode module : list) {
                String path = module.path("path").asString("");
                if (!path.isBlank()) {
                    modules.add(path);
                }
            }
        }
    }

    private void add(Path folder, String prefix, int depth) throws IOException {
        List<Path> entries;
        try (Stream<Path> all = Files.list(folder)) {
            entries = all.limit(MAX_FILES).sorted().toList();
        }
        for (Path entry : entries) {
            String last = String.valueOf(entry.getFileName());
            String name = prefix + last;
            if (last.startsWith(".")) {
                continue;
            }
            if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                if (depth < MAX_DEPTH && !OTHER_FOLDERS.matcher(last).matches()) {
                    add(entry, name + "/", depth + 1);
                }
            } else if (isWanted(prefix, name, last)) {
                addFile(entry, name);
            }
        }
    }

    private boolean isWanted(String prefix, String name, String last) {
        boolean module = !prefix.isEmpty() && modules.contains(prefix.substring(0, prefix.length() - 1));
        if (WEIGHTS.matcher(last).matches()) {
            if (module) {
                problems.notice(name + " is the first model's: weights of modules after the model are not merged");
            }
            return module;
        }
        boolean made = prefix.isEmpty() && MADE_ANEW.matcher(name).matches();
        return module || !made && !UNFINISHED.matcher(last).matches();
    }

    private void addFile(Path file, String name) throws IOException {
        if (Files.isSymbolicLink(file) && !leadsInside(file)) {
            problems.notice(name + " is a link out of the model's folder and is left out; put the file itself there");
            return;
        }
        if (!Files.isRegularFile(file)) {
            return;
        }
        long size = Files.size(file);
        if (size <= ForeignFile.HEAD) {
            Optional<String> foreign =
                    ForeignFile.describe(Files.readAllBytes(file), size).filter(what -> what.contains("Git LFS"));
            if (foreign.isPresent()) {
                problems.notice(name + " is left out: " + foreign.get());
                return;
            }
        }
        if (size > MAX_FILE || total + size > MAX_TOTAL || files.size() == MAX_FILES) {
            problems.notice(
                    name + " of " + size + " bytes is left out, since files other than the weights may have at most "
                            + MAX_FILE + " bytes, and together " + MAX_TOTAL + "; copy it if it is needed");
            return;
        }
        total += size;
        files.put(name, file);
    }

    /** Whether the link's target is in the folder, or in the blobs of the cache of which the folder is a snapshot. */
    private boolean leadsInside(Path link) throws IOException {
        if (!Files.exists(link)) {
            return false;
        }
        Path target = link.toRealPath();
        Path folder = root.toRealPath();
        Path snapshots = folder.getParent();
        boolean cached = snapshots != null
                && snapshots.endsWith("snapshots")
                && snapshots.getParent() != null
                && target.startsWith(snapshots.getParent().resolve("blobs"));
        return cached || target.startsWith(folder);
    }
}
