package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.artifact.WorkFolder;
import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.finetune.internal.training.Activations;
import dev.pollux.finetune.internal.training.Kept;
import dev.pollux.finetune.internal.training.ModelPair;
import dev.pollux.finetune.internal.training.Parameter;
import dev.pollux.finetune.internal.training.Residuals;
import dev.pollux.finetune.internal.training.TokenBatch;
import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.finetune.internal.training.TokenSeeds;
import dev.pollux.finetune.internal.training.Trainables;
import dev.pollux.inference.adapter.LoraAdapter;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import dev.pollux.merging.ModelReference;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsWriter;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * Collects the statistics for the merge method {@code fisher}: for each weight of a model, the mean over examples of the squared
 * gradient of the log-likelihood.
 *
 * <p>The examples should be typical of the model's task, such as its fine-tuning data. The result is {@code fisher.safetensors} in
 * the folder of the model or, if it has one, of its adapter. The file appears when it is complete.
 *
 * <pre>{@code
 * FisherCollection fisher = FisherCollection.in(Path.of("models"), FisherOptions.DEFAULTS);
 * fisher.collect("writer", Dataset.jsonl(Path.of("letters.jsonl"))).run();
 * fisher.collect("coder", Dataset.jsonl(Path.of("code.jsonl"))).run();
 * }</pre>
 *
 * <p><em>Thread-safe.</em>
 */
public final class FisherCollection {

    /*
     * The matrices of layers and the head, with their biases, are trained as a whole, for one example at a time, and the squares
     * of the gradients are added up (Matena and Raffel, arXiv:2111.09832, with the empirical distribution of labels). A pass has
     * as many matrices as fit into memory with values, gradients and squares. Under an adapter, the gradient by the changed
     * matrix is that by the stored one. Norms and embeddings have no gradient: their diagonal is 0, for which the method
     * takes the mean.
     */

    static final String FILE = "fisher.safetensors";
    private static final int COPIES = 4; // values, their copy in the runtime, gradient, squares
    private static final String HEAD = "lm_head.weight";

    private final Path folder;
    private final FisherOptions options;

    private FisherCollection(Path folder, FisherOptions options) {
        this.folder = folder;
        this.options = options;
    }

    /** Model names are relative to {@code folder}. */
    public static FisherCollection in(Path folder, FisherOptions options) {
        return new FisherCollection(folder, options);
    }

    /**
     * Reads examples and writes {@code fisher.safetensors}, which must not exist.
     *
     * @param model a Hugging Face folder, or {@code model+adapter}
     * @param rows texts, conversations, or prompts with completions, whose completions are predicted; a text is cut into
     *     examples, other rows are cut at {@link FisherOptions#window()}
     * @return a job that reports progress in examples; before the first write it fails with {@link IllegalArgumentException}
     *     if the file exists, {@link UnsupportedModelException} if the architecture cannot be trained, and {@link
     *     MalformedFileException} if a row or a file is damaged
     */
    public Job<FisherReport> collect(String model, Dataset rows) {
        return Job.of("collect Fisher information", context -> {
            long begin = System.nanoTime();
            ModelReference reference = ModelReference.parse(model);
            Path place = InputModel.statistics(reference, folder);
            if (Files.isRegularFile(place)) {
                throw new UnsupportedModelException(place + " is a file, and " + FILE
                        + " is in a model's folder; put it into a folder of its own and name that");
            }
            Path file = place.resolve(FILE);
            if (Files.exists(file)) {
                throw new IllegalArgumentException(file + " must not exist; delete it to collect anew");
            }
            try (Checkpoint checkpoint = Checkpoint.open(folder.resolve(reference.model()))) {
                List<Sequence> examples = examples(checkpoint, rows);
                Trainables adapter = adapter(reference, checkpoint);
                List<List<String>> passes = passes(checkpoint);
                Set<String> done = new TreeSet<>();
                passes.forEach(done::addAll);
                List<String> all = new ArrayList<>(
                        new TreeSet<>(checkpoint.tensors().tensors().keySet()));
                List<String> left =
                        all.stream().filter(name -> !done.contains(name)).toList();
                WorkFolder.publishFile(file, context, part -> {
                    try (SafetensorsWriter out = SafetensorsWriter.create(part, all)) {
                        for (List<String> some : passes) {
                            pass(checkpoint, adapter, some, examples, context)
                                    .forEach((parameter, squares) ->
                                            out.put(parameter.tensor(), DType.F32, parameter.shape(), squares));
                        }
                        for (String name : left) {
                            TensorInfo info = checkpoint.tensors().info(name);
                            out.put(name, DType.F32, info.shape(), new float[Math.toIntExact(info.elements())]);
                        }
                        out.finish();
                    }
                });
                return new FisherReport(
                        file,
                        List.copyOf(done),
                        left,
                        examples.size(),
                        examples.stream().mapToLong(Sequence::targets).sum(),
                        passes.size(),
                        Duration.ofNanos(System.nanoTime() - begin));
            }
        });
    }

    private List<Sequence> examples(Checkpoint checkpoint, Dataset rows) {
        List<Sequence> examples = new ArrayList<>();
        try (RowTokenizer tokenizer = RowTokenizer.of(checkpoint, rows.name(), options.window())) {
            for (TrainingRow row : rows.rows()) {
                RowTokenizer.Tokens tokens = tokenizer.supervised(row, TrainingOptions.Targets.AUTOMATIC);
                boolean text = row.prompt().isEmpty() && !row.isConversation();
                for (int from = 0; from < (text ? tokens.ids().length : 1); from += options.window()) {
                    int end = Math.min(tokens.ids().length, from + options.window());
                    Sequence one = new Sequence(
                            Arrays.copyOfRange(tokens.ids(), from, end),
                            Arrays.copyOfRange(tokens.trained(), from, end));
                    if (one.targets() > 0 && examples.size() < options.mostExamples()) {
                        examples.add(one);
                    }
                }
            }
        }
        if (examples.isEmpty()) {
            throw new MalformedFileException(rows.name() + " has no row with a predicted token within "
                    + options.window() + " tokens; raise the window");
        }
        return examples;
    }

    private Trainables adapter(ModelReference reference, Checkpoint checkpoint) {
        Optional<String> name = reference.adapter();
        if (name.isEmpty()) {
            return Trainables.NONE;
        }
        try (LoraAdapter stored = LoraAdapter.load(folder.resolve(name.get()))) {
            return AdapterFile.load(stored, checkpoint.tensors().tensors().keySet());
        }
    }

    private ModelPair.Setting setting(Checkpoint checkpoint) {
        return new ModelPair.Setting(
                checkpoint.config(),
                checkpoint.settings(),
                checkpoint.tensors(),
                options.window(),
                options.threads(),
                options.memory(),
                Kept.ATTENTION);
    }

    /** The tensors with gradients, in groups that fit into memory. */
    private List<List<String>> passes(Checkpoint checkpoint) {
        TensorFile tensors = checkpoint.tensors();
        Set<String> names = new TreeSet<>();
        for (String matrix : ModelPair.matrices(setting(checkpoint))) {
            names.add(matrix);
            names.add(matrix.replace(".weight", ".bias"));
        }
        if (!checkpoint.config().tiedEmbedding()) {
            names.add(HEAD);
        }
        List<List<String>> passes = new ArrayList<>();
        long room = 0;
        for (String name : names) {
            if (!tensors.tensors().containsKey(name)
                    || tensors.info(name).shape().size() > 2) {
                continue;
            }
            long bytes = tensors.info(name).elements() * Float.BYTES * COPIES;
            if (passes.isEmpty() || bytes > room) {
                passes.add(new ArrayList<>());
                room = options.memory();
            }
            passes.get(passes.size() - 1).add(name);
            room -= bytes;
        }
        return passes;
    }

    /** The diagonals of some tensors. */
    private Map<Parameter, float[]> pass(
            Checkpoint checkpoint,
            Trainables adapter,
            List<String> names,
            List<Sequence> examples,
            JobContext context) {
        Map<Parameter, float[]> squares = new LinkedHashMap<>();
        List<Parameter> tensors = new ArrayList<>(adapter.tensors());
        for (String name : names) {
            Parameter parameter = adapter.tensors().stream()
                    .filter(one -> one.tensor().equals(name))
                    .findFirst()
                    .orElseGet(() -> stored(checkpoint.tensors(), name));
            tensors.remove(parameter);
            tensors.add(parameter);
            squares.put(parameter, new float[parameter.values().length]);
        }
        Trainables trained = new Trainables(adapter.modules(), tensors, 0);
        try (ModelPair model = new ModelPair(setting(checkpoint), trained, Residuals.NONE, Optional.empty())) {
            for (int i = 0; i < examples.size(); i++) {
                context.checkCancelled();
                trained.parameters().forEach(Parameter::clearGradient);
                backward(model, examples.get(i), context);
                squares.forEach(FisherCollection::add);
                context.progress("read", i + 1, examples.size(), "examples");
            }
        }
        squares.values().forEach(sum -> {
            for (int i = 0; i < sum.length; i++) {
                sum[i] /= examples.size();
            }
        });
        return squares;
    }

    private static Parameter stored(TensorFile tensors, String name) {
        return new Parameter(
                name,
                name.endsWith(".bias") ? Parameter.Kind.BIAS : Parameter.Kind.WHOLE,
                tensors.info(name).shape(),
                tensors.floats(name));
    }

    /** The gradient of the log-likelihood of an example: the sum over its predicted tokens. */
    private static void backward(ModelPair model, Sequence example, JobContext context) {
        TokenBatch batch = TokenBatch.of(List.of(example));
        float[] ones = new float[batch.targets().length];
        Arrays.fill(ones, 1);
        try (Activations activations = model.forward(batch, OptionalLong.empty(), context)) {
            model.backward(activations, TokenSeeds.of(ones), context);
        }
    }

    private static void add(Parameter parameter, float[] sum) {
        float[] gradient = parameter.gradient();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += gradient[i] * gradient[i];
        }
    }
}
