package dev.pollux.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.pollux.finetune.merge.CheckpointMerger;
import dev.pollux.finetune.merge.MergeOptions;
import dev.pollux.finetune.merge.MergekitYaml;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Merges of three checkpoints of random numbers in bfloat16, in the shape of SmolLM2-135M (134.5 million parameters): the time
 * as a ratio to copying files and, where a Python with mergekit is given, the processor time as a ratio to mergekit's.
 *
 * <p>Arguments: a folder for the files (default: a temporary one), the number of rounds (default 3), a Python interpreter that
 * has mergekit, the methods to compare (default: all known here). Each merge runs in a process of its own, since a merge at the
 * command line does too: the time in which the JVM compiles counts. The contestants take turns; medians are shown, also of
 * merges without statistics and hashes ("bare"), of such merges after four others in the same process ("warm"), and of those
 * with the Vector API ("vectors"). Starting the process and, for mergekit, importing its modules is shown apart.
 *
 * <p>With {@code -Dscale=N} the models have N times the layers.
 */
public final class MergeRate {

    private static final int HIDDEN = 576;
    private static final int INNER = 1536;
    private static final int KEYS = 192;
    private static final int VOCABULARY = 49_152;
    private static final int LAYERS = 30 * Integer.getInteger("scale", 1);
    private static final int WARM = 5;

    private static final String VECTORS = "--add-modules=jdk.incubator.vector";

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final PrintStream out;
    private final Path folder;
    private final int rounds;
    private final List<String> python;

    private MergeRate(PrintStream out, Path folder, int rounds, List<String> python) {
        this.out = out;
        this.folder = folder;
        this.rounds = rounds;
        this.python = python;
    }

    /** Runs the comparison. */
    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length == 6 && args[0].equals("--one")) {
            one(System.out, args);
            return;
        }
        Path folder = args.length > 0 ? Files.createDirectories(Path.of(args[0])) : Files.createTempDirectory("rate");
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 3;
        List<String> python = args.length > 2 && !args[2].equals("-") ? List.of(args[2]) : List.of();
        List<String> methods =
                args.length > 3 ? Arrays.asList(args).subList(3, args.length) : List.copyOf(PLANS.keySet());
        new MergeRate(System.out, folder.toAbsolutePath(), rounds, python).run(methods);
    }

    private static final Map<String, String> PLANS = plans();

    private static Map<String, String> plans() {
        String models = "models:\n  - {model: %1$s/a, parameters: {weight: 0.6, density: 0.5}}\n"
                + "  - {model: %1$s/b, parameters: {weight: 0.4, density: 0.5}}\n";
        String linear = "models:\n  - {model: %1$s/base, parameters: {weight: 0.3}}\n"
                + "  - {model: %1$s/a, parameters: {weight: 0.3}}\n  - {model: %1$s/b, parameters: {weight: 0.4}}\n";
        Map<String, String> plans = new LinkedHashMap<>();
        plans.put("linear", linear + "merge_method: linear\n");
        plans.put(
                "slerp",
                "models: [{model: %1$s/base}, {model: %1$s/a}]\nmerge_method: slerp\nbase_model: %1$s/base\n"
                        + "parameters: {t: 0.4}\n");
        plans.put("ties", models + "merge_method: ties\nbase_model: %1$s/base\n");
        plans.put("dare_ties", models + "merge_method: dare_ties\nbase_model: %1$s/base\n");
        for (String method : List.of("task_arithmetic", "della", "breadcrumbs", "model_stock", "arcee_fusion", "sce")) {
            String of = method.equals("arcee_fusion") ? "models: [{model: %1$s/a}]\n" : models;
            String more = method.equals("sce") ? "parameters: {select_topk: 0.5}\n" : "";
            plans.put(method, of + "merge_method: " + method + "\nbase_model: %1$s/base\n" + more);
        }
        plans.put(
                "nearswap",
                "models: [{model: %1$s/a}]\nmerge_method: nearswap\nbase_model: %1$s/base\nparameters: {t: 0.001}\n");
        plans.put("karcher", "models: [{model: %1$s/base}, {model: %1$s/a}, {model: %1$s/b}]\nmerge_method: karcher\n");
        plans.replaceAll((method, plan) -> plan + "dtype: bfloat16\n");
        return plans;
    }

    private void run(List<String> methods) throws IOException, InterruptedException {
        write("base", 1);
        write("a", 2);
        write("b", 3);
        Map<String, List<double[]>> times = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            note(times, "copy of one", copy(List.of("base")));
            note(times, "copy of three", copy(List.of("base", "a", "b")));
            for (String method : methods) {
                Path plan = folder.resolve(method + ".yml");
                Files.writeString(
                        plan, Objects.requireNonNull(PLANS.get(method), method).formatted(folder));
                note(times, method, measured(pollux(plan, "default", 1)));
                note(times, method + ", bare", measured(pollux(plan, "bare", 1)));
                note(times, method + ", warm", measured(pollux(plan, "bare", WARM)));
                note(times, method + ", vectors", measured(pollux(plan, "bare", WARM, VECTORS)));
                if (!python.isEmpty()) {
                    note(times, method + ", mergekit", measured(mergekit(plan)));
                }
            }
        }
        double one = median(Objects.requireNonNull(times.get("copy of one")), time -> time[0]);
        times.forEach((name, all) -> out.printf(
                "%-26s %6.2f s, %5.1f copies of one file; %6.2f s of processor (%.2f with start)%n",
                name,
                median(all, time -> time[0]),
                median(all, time -> time[0]) / one,
                median(all, time -> time[1]),
                median(all, time -> time[2])));
    }

    private static void note(Map<String, List<double[]>> times, String name, double[] time) {
        times.computeIfAbsent(name, key -> new ArrayList<>()).add(time);
    }

    private static double median(List<double[]> times, ToDoubleFunction<double[]> part) {
        return times.stream().mapToDouble(part).sorted().toArray()[times.size() / 2];
    }

    private double[] copy(List<String> models) throws IOException {
        long busy = SYSTEM.getProcessCpuTime();
        long begin = System.nanoTime();
        for (String model : models) {
            Path copy = folder.resolve(model + ".copy");
            Files.deleteIfExists(copy);
            Files.copy(folder.resolve(model).resolve("model.safetensors"), copy);
            try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
        }
        double[] time = {(System.nanoTime() - begin) / 1e9, (SYSTEM.getProcessCpuTime() - busy) / 1e9, 0};
        for (String model : models) {
            Files.delete(folder.resolve(model + ".copy"));
        }
        return time;
    }

    private List<String> pollux(Path plan, String how, int merges, String... options) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("-X"))
                .forEach(command::add);
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), MergeRate.class.getName(), "--one"));
        command.addAll(List.of(
                folder.toString(),
                plan.toString(),
                folder.resolve("merged").toString(),
                how,
                Integer.toString(merges)));
        return command;
    }

    /** The last of some merges, in a process of its own. */
    private static void one(PrintStream out, String[] args) throws IOException {
        Path folder = Path.of(args[1]);
        MergeOptions options = args[4].equals("bare")
                ? MergeOptions.builder()
                        .statistics(MergeOptions.Statistics.NONE)
                        .hashInputs(false)
                        .build()
                : MergeOptions.DEFAULTS;
        for (int i = 1; i < Integer.parseInt(args[5]); i++) {
            merge(folder, options, args);
            delete(Path.of(args[3]));
        }
        long before = SYSTEM.getProcessCpuTime();
        long begin = System.nanoTime();
        merge(folder, options, args);
        long busy = SYSTEM.getProcessCpuTime();
        out.printf("times %f %f %f%n", (System.nanoTime() - begin) / 1e9, (busy - before) / 1e9, busy / 1e9);
    }

    private static void merge(Path folder, MergeOptions options, String[] args) {
        CheckpointMerger.in(folder, options)
                .merge(MergekitYaml.read(Path.of(args[2])), Path.of(args[3]))
                .run();
    }

    private List<String> mergekit(Path plan) {
        String script = """
                import sys, time, yaml
                import torch, transformers, mergekit.plan
                from mergekit.config import MergeConfiguration
                from mergekit.merge import MergeOptions, run_merge
                cpu, wall = time.process_time(), time.perf_counter()
                config = MergeConfiguration.model_validate(yaml.safe_load(open(sys.argv[1])))
                run_merge(config, sys.argv[2], options=MergeOptions(copy_tokenizer=False, quiet=True))
                end = time.process_time()
                print("times", time.perf_counter() - wall, end - cpu, end)
                """;
        List<String> command = new ArrayList<>(python);
        command.addAll(
                List.of("-c", script, plan.toString(), folder.resolve("merged").toString()));
        return command;
    }

    private double[] measured(List<String> command) throws IOException, InterruptedException {
        delete(folder.resolve("merged"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(command.get(0) + " failed: " + text);
        }
        delete(folder.resolve("merged"));
        String line =
                text.lines().filter(l -> l.startsWith("times ")).findFirst().orElseThrow();
        return Arrays.stream(line.split(" "))
                .skip(1)
                .mapToDouble(Double::parseDouble)
                .toArray();
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    /** A model whose weights lie within a tenth of the base's, which all models begin with. */
    private void write(String name, long seed) throws IOException {
        Path model = Files.createDirectories(folder.resolve(name));
        Path file = model.resolve("model.safetensors");
        if (Files.exists(file)) {
            return;
        }
        Files.writeString(model.resolve("config.json"), """
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": %d, "intermediate_size": %d,
                 "num_hidden_layers": %d, "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": %d,
                 "tie_word_embeddings": true, "torch_dtype": "bfloat16", "max_position_embeddings": 2048}
                """.formatted(HIDDEN, INNER, LAYERS, VOCABULARY));
        Map<String, long[]> tensors = tensors();
        StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        long at = 0;
        for (Map.Entry<String, long[]> tensor : tensors.entrySet()) {
            long end = at + 2 * size(tensor.getValue());
            header.append(",\"%s\":{\"dtype\":\"BF16\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                    .formatted(tensor.getKey(), Arrays.toString(tensor.getValue()), at, end));
            at = end;
        }
        byte[] head = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        SplittableRandom base = new SplittableRandom(0);
        SplittableRandom change = new SplittableRandom(seed);
        try (OutputStream bytes = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
            bytes.write(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(head.length)
                    .array());
            bytes.write(head);
            for (long i = 0; i < at / 2; i++) {
                double value = bell(base) * 0.05 + (seed == 1 ? 0 : bell(change) * 0.004);
                int bits = Float.floatToRawIntBits((float) value) + 0x8000 >>> 16;
                bytes.write(bits);
                bytes.write(bits >>> 8);
            }
        }
    }

    /** Nearly normal, of deviation 1. */
    private static double bell(SplittableRandom random) {
        long bits = random.nextLong();
        return ((bits & 0xffff) + (bits >>> 16 & 0xffff) + (bits >>> 32 & 0xffff) - 1.5 * 0xffff) * 2 / 0xffff;
    }

    private static Map<String, long[]> tensors() {
        Map<String, long[]> tensors = new LinkedHashMap<>();
        tensors.put("model.embed_tokens.weight", new long[] {VOCABULARY, HIDDEN});
        for (int layer = 0; layer < LAYERS; layer++) {
            String at = "model.layers." + layer + ".";
            tensors.put(at + "input_layernorm.weight", new long[] {HIDDEN});
            tensors.put(at + "mlp.down_proj.weight", new long[] {HIDDEN, INNER});
            tensors.put(at + "mlp.gate_proj.weight", new long[] {INNER, HIDDEN});
            tensors.put(at + "mlp.up_proj.weight", new long[] {INNER, HIDDEN});
            tensors.put(at + "post_attention_layernorm.weight", new long[] {HIDDEN});
            tensors.put(at + "self_attn.k_proj.weight", new long[] {KEYS, HIDDEN});
            tensors.put(at + "self_attn.o_proj.weight", new long[] {HIDDEN, HIDDEN});
            tensors.put(at + "self_attn.q_proj.weight", new long[] {HIDDEN, HIDDEN});
            tensors.put(at + "self_attn.v_proj.weight", new long[] {KEYS, HIDDEN});
        }
        tensors.put("model.norm.weight", new long[] {HIDDEN});
        return tensors;
    }

    private static long size(long[] shape) {
        return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }
}
