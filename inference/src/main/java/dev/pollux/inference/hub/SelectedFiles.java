package dev.pollux.inference.hub;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.graph.GraphFiles;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The files of a repository that match a {@link FileSelection}. <em>Immutable.</em>
 *
 * @param paths sorted
 * @param model the file that is the whole model, or its first shard, for a GGUF; empty if the folder is the model
 */
record SelectedFiles(List<String> paths, String model) {

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final int MAX_NAMED = 20;

    /**
     * The order of preference among GGUF files: four bits, which most publishers recommend, then the nearest sizes, then larger
     * ones.
     */
    private static final List<String> PREFERRED = List.of(
            "Q4_K_M",
            "Q4_0",
            "Q4_K_S",
            "Q4_K",
            "UD-Q4_K_XL",
            "Q4_1",
            "IQ4_XS",
            "IQ4_NL",
            "MXFP4",
            "MXFP4_MOE",
            "Q5_K_M",
            "Q5_K_S",
            "Q5_0",
            "Q5_1",
            "Q6_K",
            "Q8_0",
            "BF16",
            "F16",
            "F32");

    /** Files in the root of a folder that are read together with the weights, or contain the licence. */
    private static final Pattern BESIDE = Pattern.compile("config\\.json|generation_config\\.json|tokenizer\\.json"
            + "|tokenizer\\.model(\\.v\\d+)?|tokenizer_config\\.json|special_tokens_map\\.json|added_tokens\\.json"
            + "|vocab\\.(json|txt)|merges\\.txt|spiece\\.model|spm\\.model|sentencepiece\\.bpe\\.model|[^/]+\\.tiktoken"
            + "|tekken\\.json|chat_template\\.(jinja|json)|additional_chat_templates/[^/]+\\.jinja"
            + "|quant(ize|ization)?_config\\.json|hf_quant_config\\.json|adapter_config\\.json|modules\\.json"
            + "|config_sentence_transformers\\.json|sentence_[a-z0-9_-]*config\\.json|genai_config\\.json"
            + "|(LICEN[CS]E|NOTICE)[^/]*|README\\.md");

    /** A module of sentence-transformers: {@code 1_Pooling/config.json}, {@code 2_Dense/model.safetensors}. */
    private static final Pattern MODULE =
            Pattern.compile("\\d+_[A-Za-z0-9]+/([a-z0-9_]*config\\.json|model\\.safetensors)");

    private static final Pattern SHARD = Pattern.compile("model-(\\d{5})-of-(\\d{5})\\.safetensors");

    SelectedFiles {
        paths = List.copyOf(paths);
    }

    /**
     * Applies {@code selection} to {@code listing}.
     *
     * @throws UnsupportedModelException if it matches nothing, or more than one model; the message lists the available
     *     files
     */
    static SelectedFiles of(FileSelection selection, Collection<String> listing, String repository) {
        List<String> offered = new TreeSet<>(listing)
                .stream().filter(path -> !selection.excludes(path)).toList();
        if (!selection.include().isEmpty()) {
            return matching(selection, offered, repository);
        }
        if (!selection.quantization().isEmpty()) {
            return gguf(quantized(selection.quantization(), offered, repository), repository);
        }
        List<String> weights = safetensors(offered, repository);
        if (!weights.isEmpty()) {
            return folder(offered, weights);
        }
        Map<String, List<GgufName>> models = models(offered);
        if (!models.isEmpty()) {
            return gguf(preferred(models, repository), repository);
        }
        if (offered.contains("genai_config.json")) {
            return folder(
                    offered, offered.stream().filter(SelectedFiles::isRootOnnx).toList());
        }
        Optional<String> graph = GraphFiles.preferred(
                offered.stream().filter(SelectedFiles::isUsualOnnx).toList());
        if (graph.isPresent()) {
            return onnx(graph.get(), offered);
        }
        throw new UnsupportedModelException(repository + " holds neither " + SINGLE + " (or its shards) nor a GGUF file"
                + " but " + named(offered) + "; name the files you want, such as hf:" + repository + ":onnx/*");
    }

    private static SelectedFiles matching(FileSelection selection, List<String> offered, String repository) {
        List<String> found = offered.stream().filter(selection::includes).toList();
        if (found.isEmpty()) {
            throw new UnsupportedModelException("No file of " + repository + " matches "
                    + String.join(", ", selection.include()) + "; it holds " + named(offered));
        }
        if (selection.include().size() == 1 && found.size() == 1 && found.get(0).endsWith(GraphFiles.ONNX)) {
            return onnx(found.get(0), offered);
        }
        Map<String, List<GgufName>> models = models(found);
        if (models.size() != 1) {
            return new SelectedFiles(found, genaiGraph(found));
        }
        return new SelectedFiles(
                found, gguf(models.values().iterator().next(), repository).model());
    }

    private static SelectedFiles folder(List<String> offered, List<String> weights) {
        TreeSet<String> paths = new TreeSet<>(weights);
        for (String path : offered) {
            if (BESIDE.matcher(path).matches() || MODULE.matcher(path).matches()) {
                paths.add(path);
            }
        }
        return new SelectedFiles(List.copyOf(paths), "");
    }

    /**
     * A graph with its data, its second graph, and the files that accompany the weights in the root and in the graph's folder.
     */
    private static SelectedFiles onnx(String graph, List<String> offered) {
        List<String> graphs = new ArrayList<>(List.of(graph));
        GraphFiles.otherHalf(graph).filter(offered::contains).ifPresent(graphs::add);
        String folder = graph.substring(0, graph.lastIndexOf('/') + 1);
        TreeSet<String> paths = new TreeSet<>(folder(offered, graphs).paths());
        for (String path : offered) {
            boolean beside = path.startsWith(folder)
                    && BESIDE.matcher(path.substring(folder.length())).matches();
            if (beside || graphs.stream().anyMatch(one -> GraphFiles.isData(one, path))) {
                paths.add(path);
            }
        }
        return new SelectedFiles(List.copyOf(paths), graph);
    }

    /** The graph in an onnxruntime-genai folder below the root, if that was selected; otherwise empty. */
    private static String genaiGraph(List<String> found) {
        List<String> graphs =
                found.stream().filter(path -> path.endsWith(GraphFiles.ONNX)).toList();
        if (graphs.size() != 1) {
            return "";
        }
        String folder = graphs.get(0).substring(0, graphs.get(0).lastIndexOf('/') + 1);
        return !folder.isEmpty() && found.contains(folder + "genai_config.json") ? graphs.get(0) : "";
    }

    private static boolean isUsualOnnx(String path) {
        return path.matches("(onnx/)?[^/]+\\.onnx");
    }

    private static boolean isRootOnnx(String path) {
        return path.indexOf('/') < 0 && path.matches(".*\\.onnx([._]?data(_\\d+)?)?");
    }

    /** One file, or the index with its shards, or the only safetensors in the root; empty if there are none. */
    private static List<String> safetensors(List<String> offered, String repository) {
        List<String> adapter = offered.stream()
                .filter(path -> path.equals("adapter_model.safetensors"))
                .toList();
        if (offered.contains(SINGLE)) {
            return join(adapter, List.of(SINGLE));
        }
        List<String> shards =
                offered.stream().filter(path -> SHARD.matcher(path).matches()).toList();
        if (offered.contains(INDEX) && !shards.isEmpty()) {
            Matcher last = SHARD.matcher(shards.get(shards.size() - 1));
            if (last.matches()) {
                requireComplete(SINGLE, shards.size(), Integer.parseInt(last.group(2)), repository);
            }
            return join(adapter, join(List.of(INDEX), shards));
        }
        List<String> others = offered.stream()
                .filter(path -> path.matches("[^/]+\\.safetensors") && !path.startsWith("consolidated"))
                .toList();
        return offered.contains(INDEX) ? join(List.of(INDEX), others) : adapter.isEmpty() ? others : adapter;
    }

    private static List<String> join(List<String> one, List<String> other) {
        List<String> all = new ArrayList<>(one);
        all.addAll(other);
        return all;
    }

    private static Map<String, List<GgufName>> models(List<String> paths) {
        return paths.stream()
                .map(GgufName::of)
                .flatMap(Optional::stream)
                .collect(Collectors.groupingBy(GgufName::model, TreeMap::new, Collectors.toList()));
    }

    private static List<GgufName> quantized(String wanted, List<String> offered, String repository) {
        Map<String, List<GgufName>> models = models(offered);
        if (models.isEmpty()) {
            throw new UnsupportedModelException(repository + " holds no GGUF file, so there is no " + wanted
                    + " to take; it holds " + named(offered));
        }
        List<List<GgufName>> exact =
                models.values().stream().filter(m -> m.get(0).is(wanted)).toList();
        List<List<GgufName>> near = exact.isEmpty()
                ? models.values().stream()
                        .filter(m -> m.get(0).isNearly(wanted))
                        .toList()
                : exact;
        if (near.isEmpty()) {
            throw new UnsupportedModelException(
                    "No GGUF of " + repository + " is quantized as " + wanted + ", only " + quantizations(models));
        }
        return only(near, wanted, repository);
    }

    private static List<GgufName> preferred(Map<String, List<GgufName>> models, String repository) {
        if (models.size() == 1) {
            return models.values().iterator().next();
        }
        for (String wanted : PREFERRED) {
            List<List<GgufName>> found =
                    models.values().stream().filter(m -> m.get(0).is(wanted)).toList();
            if (!found.isEmpty()) {
                return only(found, wanted, repository);
            }
        }
        throw new UnsupportedModelException(repository + " holds " + models.size()
                + " models in GGUF and none that is usually taken, but " + quantizations(models)
                + "; name one, such as hf:" + repository + ":"
                + models.keySet().iterator().next() + "*.gguf");
    }

    private static List<GgufName> only(List<List<GgufName>> found, String wanted, String repository) {
        if (found.size() > 1) {
            List<String> files = found.stream().map(m -> m.get(0).path()).toList();
            throw new UnsupportedModelException(repository + " holds " + found.size() + " models in " + wanted + ", "
                    + named(files) + "; name the file, such as hf:" + repository + ":"
                    + RepositoryPath.shown(files.get(0)));
        }
        return found.get(0);
    }

    private static SelectedFiles gguf(List<GgufName> shards, String repository) {
        GgufName first = shards.get(0);
        requireComplete(first.model() + ".gguf", shards.size(), first.shards(), repository);
        return new SelectedFiles(shards.stream().map(GgufName::path).toList(), first.path());
    }

    private static void requireComplete(String model, int found, int shards, String repository) {
        if (found != shards) {
            throw new UnsupportedModelException(RepositoryPath.shown(model) + " of " + repository + " must have "
                    + shards + " shards but has " + found + "; choose another model or revision");
        }
    }

    private static String quantizations(Map<String, List<GgufName>> models) {
        TreeSet<String> names = new TreeSet<>();
        models.values()
                .forEach(m -> names.add(
                        m.get(0).quantization().isEmpty()
                                ? RepositoryPath.shown(m.get(0).path())
                                : m.get(0).quantization()));
        return names.toString();
    }

    private static String named(List<String> paths) {
        String names =
                paths.stream().limit(MAX_NAMED).map(RepositoryPath::shown).collect(Collectors.joining(", "));
        return paths.isEmpty()
                ? "nothing"
                : names + (paths.size() > MAX_NAMED ? " and " + (paths.size() - MAX_NAMED) + " more" : "");
    }
}
