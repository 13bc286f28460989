package dev.pollux.benchmarks;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.finetune.train.Dataset;
import dev.pollux.finetune.train.LearningRateSchedule;
import dev.pollux.finetune.train.LoraTrainer;
import dev.pollux.finetune.train.Objective;
import dev.pollux.finetune.train.TrainingOptions;
import dev.pollux.finetune.train.TrainingReport;
import dev.pollux.finetune.train.TrainingStep;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Value;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Supervised fine-tuning of a LoRA adapter beside PEFT on PyTorch, in turns: the same model in 32-bit floats, the same first adapter
 * of rank 16 on all linear layers, the same rows, AdamW. It prints tokens a second and the losses of each step, and the rate of bare
 * matrix products.
 *
 * <p>Arguments: a work folder; a Hugging Face folder of a decoder in 32-bit floats; a JSON Lines file with rows of {@code text}, each
 * longer than the length; the length in tokens; the number of steps; threads; rounds; the command of a Python with {@code torch}, {@code
 * transformers} and {@code peft}.
 */
public final class TrainingRate {

    private static final double RATE = 2e-4;
    private static final int RANK = 16;

    private static final String PYTHON = """
            import json, sys, time, torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
            from peft import LoraConfig, PeftModel, get_peft_model
            base, data, length, steps, threads, adapter, first, rate, rank = sys.argv[1:]
            torch.set_num_threads(int(threads))
            torch.manual_seed(0)
            model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
            if first == "first":
                config = LoraConfig(r=int(rank), lora_alpha=int(rank), target_modules="all-linear", task_type="CAUSAL_LM")
                get_peft_model(model, config).save_pretrained(adapter)
                sys.exit()
            model = PeftModel.from_pretrained(model, adapter, is_trainable=True)
            model.train()
            tokenizer = AutoTokenizer.from_pretrained(base)
            trained = [p for p in model.parameters() if p.requires_grad]
            optimizer = torch.optim.AdamW(trained, lr=float(rate), weight_decay=0.0)
            rows = [json.loads(line)["text"] for line in open(data)]
            for step in range(int(steps)):
                ids = tokenizer(rows[step % len(rows)], add_special_tokens=False).input_ids[: int(length)]
                begin, processor = time.time(), time.process_time()
                ids = torch.tensor([ids])
                loss = model(input_ids=ids, labels=ids).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(trained, 1.0)
                optimizer.step()
                optimizer.zero_grad()
                print("step", ids.numel(), time.time() - begin, time.process_time() - processor, loss.item(), flush=True)
            """;

    private final Path work;
    private final Path base;
    private final Path data;
    private final int length;
    private final int steps;
    private final int threads;
    private final String python;

    private TrainingRate(String... args) {
        this.work = Path.of(args[0]);
        this.base = Path.of(args[1]);
        this.data = Path.of(args[2]);
        this.length = Integer.parseInt(args[3]);
        this.steps = Integer.parseInt(args[4]);
        this.threads = Integer.parseInt(args[5]);
        this.python = args[7];
    }

    /** Steps of one run: seconds and losses. */
    private record Run(List<Double> seconds, List<Double> processorSeconds, List<Double> losses) {
        Run() {
            this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        }

        void add(double elapsed, double processor, double loss) {
            seconds.add(elapsed);
            processorSeconds.add(processor);
            losses.add(loss);
        }
    }

    /** Runs it. */
    public static void main(String[] args) throws IOException, InterruptedException, OrtException {
        if (args.length != 8) {
            throw new IllegalArgumentException(
                    "usage: TrainingRate <folder> <model> <rows> <length> <steps> <threads> <rounds> <python>");
        }
        new TrainingRate(args).run(Integer.parseInt(args[6]));
    }

    private void run(int rounds) throws IOException, InterruptedException, OrtException {
        Files.createDirectories(work);
        Path adapter = work.resolve("first");
        if (!Files.exists(adapter)) {
            peft(adapter, "first");
        }
        for (int round = 0; round < rounds; round++) {
            double bare = product();
            Run pollux = pollux(adapter);
            Run peft = peft(adapter, "run");
            print("Pollux", pollux);
            print("PEFT", peft);
            double most = 0;
            for (int i = 0; i < steps; i++) {
                most = Math.max(
                        most, Math.abs(pollux.losses().get(i) - peft.losses().get(i)));
            }
            System.out.printf(
                    Locale.ROOT,
                    "ratio of tokens a second %.2f, by processor time %.2f; losses differ by at most %.6f; bare product %.1f GFLOP/s%n",
                    median(peft.seconds()) / median(pollux.seconds()),
                    median(peft.processorSeconds()) / median(pollux.processorSeconds()),
                    most,
                    bare);
        }
    }

    private void print(String name, Run run) {
        System.out.printf(
                Locale.ROOT,
                "%-8s %.1f tokens/s, %.3f s and %.3f processor seconds a step; losses %s%n",
                name,
                length / median(run.seconds()),
                median(run.seconds()),
                median(run.processorSeconds()),
                run.losses().stream()
                        .map(loss -> String.format(Locale.ROOT, "%.5f", loss))
                        .toList());
    }

    /** The median without the first step, which compiles. */
    private static double median(List<Double> values) {
        return values.stream().skip(1).sorted().toList().get((values.size() - 1) / 2);
    }

    private Run pollux(Path adapter) {
        Run run = new Run();
        double[] last = {0, processor()};
        TrainingOptions options = TrainingOptions.builder()
                .epochs(1_000)
                .maxSteps(steps)
                .batchSize(1)
                .learningRate(RATE)
                .schedule(LearningRateSchedule.constant())
                .maxLength(length)
                .shuffle(false)
                .threads(threads)
                .build();
        try (Checkpoint checkpoint = Checkpoint.open(base)) {
            TrainingReport report = LoraTrainer.continuing(checkpoint, adapter)
                    .onStep((TrainingStep step) -> {
                        double elapsed = step.elapsed().toNanos() / 1e9;
                        double processor = processor();
                        run.add(elapsed - last[0], processor - last[1], step.loss());
                        last[0] = elapsed;
                        last[1] = processor;
                    })
                    .train(Dataset.jsonl(data), Objective.sft(), options)
                    .run();
            if (report.tokens() != (long) length * steps) {
                throw new IllegalStateException("the rows must be longer than " + length + " tokens");
            }
        }
        return run;
    }

    private Run peft(Path adapter, String mode) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        python,
                        "-c",
                        PYTHON,
                        base.toString(),
                        data.toString(),
                        String.valueOf(length),
                        String.valueOf(steps),
                        String.valueOf(threads),
                        adapter.toString(),
                        mode,
                        String.valueOf(RATE),
                        String.valueOf(RANK))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Run run = new Run();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(python + " failed; it needs torch, transformers and peft");
        }
        out.lines()
                .filter(line -> line.startsWith("step "))
                .map(line -> line.split(" "))
                .forEach(step ->
                        run.add(Double.parseDouble(step[2]), Double.parseDouble(step[3]), Double.parseDouble(step[4])));
        return run;
    }

    /** GFLOP/s of a product of the length and two widths, by the runtime that training uses. */
    private double product() throws IOException, OrtException {
        int inner = 576;
        int outer = 1536;
        GraphBuilder g = GraphBuilder.create();
        Value x = g.input("x", ElementType.FLOAT, length, inner);
        Value w = g.input("w", ElementType.FLOAT, inner, outer);
        Value y = g.op("MatMul", "y", x, w);
        g.output(y.name(), ElementType.FLOAT, length, outer);
        Path file = Files.createTempDirectory(work, "product").resolve("product.onnx");
        GraphWriter.write(g.build(), file);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            try (OrtSession session = environment.createSession(file.toString(), options);
                    OnnxTensor left = tensor(environment, length, inner);
                    OnnxTensor right = tensor(environment, inner, outer)) {
                double[] seconds = new double[40];
                for (int i = 0; i < seconds.length; i++) {
                    long begin = System.nanoTime();
                    session.run(Map.of("x", left, "w", right)).close();
                    seconds[i] = (System.nanoTime() - begin) / 1e9;
                }
                Arrays.sort(seconds);
                return 2.0 * length * inner * outer / seconds[seconds.length / 2] / 1e9;
            }
        }
    }

    private static OnnxTensor tensor(OrtEnvironment environment, int rows, int columns) throws OrtException {
        float[] values = new float[rows * columns];
        Arrays.fill(values, 0.01f);
        return OnnxTensor.createTensor(environment, FloatBuffer.wrap(values), new long[] {rows, columns});
    }

    private static double processor() {
        return ((com.sun.management.OperatingSystemMXBean)
                                java.lang.management.ManagementFactory.getOperatingSystemMXBean())
                        .getProcessCpuTime()
                / 1e9;
    }
}
