package dev.pollux.samples.cli;

import dev.pollux.inference.calibration.ModelComparer;
import dev.pollux.inference.calibration.ModelComparison;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.gguf.GgufOptions;
import dev.pollux.inference.gguf.GgufType;
import dev.pollux.inference.quantize.OnnxQuantizer;
import dev.pollux.inference.quantize.QuantizerOptions;
import dev.pollux.quantization.KeptWeight;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationPreview;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationRecipe.Rule;
import dev.pollux.quantization.QuantizationReport;
import dev.pollux.quantization.QuantizedLayer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Quantizes a model, or compares two models. */
@Command(
        name = "quantize",
        description = {
            "Make a model smaller by storing its weights in fewer bits, and say what was lost.",
            "",
            "MODEL is a checkpoint (safetensors or GGUF), an exported folder, or any ONNX file or folder. The folder TARGET"
                    + " appears when it is complete; it runs like any model.",
            "",
            "--to gguf writes a file for llama.cpp instead: TARGET is a new file, --type the type of most weights.",
            "",
            "--compare measures two models on a text instead: perplexity, divergence, speed.",
            "",
            "--json: {model, target, dryRun, recipe, bytesBefore, bytesAfter, relativeError, layers, kept, notices, memory,"
                    + " elapsedMillis}; layers are {name, operators, shape, method, bits, blockSize, symmetric, bytesBefore,"
                    + " bytesAfter, relativeError}, kept are {name, shape, bytes, reason}. With --compare: {text, a, b,"
                    + " perplexityRatio, kl, topOneAgreement, firstDivergence}. With --to gguf: {model, target, dryRun,"
                    + " architecture, bytesBefore, bytes, tensors, notices, elapsedMillis}; tensors are {name, shape, type,"
                    + " bytes}."
        },
        footer = {
            "  pollux quantize --dry-run model model-4bit",
            "  pollux quantize --bits 4 --block 64 model.gguf model-4bit",
            "  pollux quantize --recipe int8-static --calibrate docs encoder encoder-int8",
            "  pollux quantize --to gguf --type q4_k model model-q4_k.gguf",
            "  pollux quantize --compare --text held-out.txt model model-4bit"
        })
final class QuantizeCommand extends PolluxCommand {

    private static final int MOST_LISTED = 8;

    @Parameters(index = "0", paramLabel = "MODEL", description = "The model to quantize; with --compare the reference.")
    private Path model = Path.of("");

    @Parameters(
            index = "1",
            paramLabel = "TARGET",
            description =
                    "The folder to write, or the file with --to gguf; it must not exist. With --compare the other model.")
    private Path target = Path.of("");

    @Option(
            names = "--recipe",
            order = 10,
            paramLabel = "METHOD",
            converter = MethodConverter.class,
            description =
                    "How codes are chosen: rtn, search, least-squares, hqq or k-quant; float16; int8 or int8-static for"
                            + " embedders and rerankers. Default: search.")
    private QuantizationMethod method = QuantizationRecipe.DEFAULTS.method();

    @Option(names = "--bits", order = 11, paramLabel = "N", description = "Bits of a weight: 2, 4 or 8. Default: 4.")
    private int bits = QuantizationRecipe.DEFAULTS.bits();

    @Option(
            names = "--block",
            order = 12,
            paramLabel = "N",
            description =
                    "Weights that share a scale: 16, 32, 64, 128 or 256. Larger is smaller and faster. Default: 32.")
    private int blockSize = QuantizationRecipe.DEFAULTS.blockSize();

    @Option(
            names = "--head-bits",
            order = 13,
            paramLabel = "N",
            description = "Bits of embedding and output head: 2, 4 or 8, or 0 for float. Default: 8.")
    private int headBits = QuantizationRecipe.DEFAULTS.headBits();

    @Option(names = "--symmetric", order = 14, description = "Codes without zero points.")
    private boolean symmetric;

    @Option(
            names = "--keep",
            order = 15,
            paramLabel = "PATTERN",
            description = "Keep weights of this name in float; * stands for any characters. May be repeated.")
    private List<String> kept = new ArrayList<>();

    @Option(
            names = "--like-onnxruntime",
            order = 16,
            description =
                    "Round as the default quantizer of ONNX Runtime does, to the same bytes; only with --recipe rtn.")
    private boolean likeOnnxRuntime;

    @Option(
            names = "--qdq",
            order = 17,
            description = "Standard ONNX operators, DequantizeLinear and MatMul, for other runtimes.")
    private boolean qdq;

    @Option(
            names = "--calibrate",
            order = 18,
            paramLabel = "PATH",
            description = "A file or a folder of documents on which int8-static measures the ranges of activations.")
    private @Nullable Path calibration;

    @Option(names = "--dry-run", order = 19, description = "Say what each weight would become, and write nothing.")
    private boolean dryRun;

    @Option(names = "--compare", order = 20, description = "Compare MODEL with the model TARGET on --text.")
    private boolean compare;

    @Option(
            names = "--text",
            order = 21,
            paramLabel = "FILE",
            description = "The text for --compare; one that was used for nothing else.")
    private @Nullable Path text;

    @Option(
            names = "--to",
            order = 22,
            paramLabel = "FORMAT",
            description = "The format of TARGET: onnx or gguf. Default: ${DEFAULT-VALUE}.")
    private String format = "onnx";

    @Option(
            names = "--type",
            order = 23,
            paramLabel = "TYPE",
            description =
                    "With --to gguf: f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q4_k (Q4_K_M) or q6_k. Default: q8_0.")
    private @Nullable String type;

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        if (compare) {
            return compared();
        }
        if (text != null) {
            throw usage("--text is read by --compare only; add --compare or leave out --text");
        }
        if (format.equals("gguf")) {
            return new GgufTarget(model, target, dryRun).write(this, ggufOptions());
        }
        if (!format.equals("onnx")) {
            throw usage("--to must be onnx or gguf but was " + format);
        }
        if (type != null) {
            throw usage("--type belongs to --to gguf; add it or use --bits");
        }
        OnnxQuantizer quantizer = OnnxQuantizer.create(
                QuantizerOptions.builder().threads(resources.threads()).build());
        QuantizationRecipe recipe = recipe();
        QuantizationPreview preview = quantizer.plan(model, recipe);
        Report report = new Report()
                .add("model", model.toString())
                .add("target", target.toString())
                .add("dryRun", dryRun, dryRun ? "nothing is written" : "")
                .add("recipe", recipe(recipe), told(recipe))
                .add("bytesBefore", preview.bytesBefore(), Texts.bytes(preview.bytesBefore()))
                .add("bytesAfter", preview.bytesAfter(), Texts.bytes(preview.bytesAfter()));
        if (dryRun) {
            layers(preview.layers(), report);
            rest(preview.kept(), preview.notices(), report);
            report.add("memory", preview.memory(), Texts.bytes(preview.memory()))
                    .print(this);
            return ExitCode.OK;
        }
        QuantizationReport done = run(quantizer.quantize(model, target, recipe));
        report.add("relativeError", done.relativeError(), decimal(done.relativeError()));
        layers(done.layers(), report);
        rest(done.kept(), done.notices(), report);
        report.add("elapsedMillis", done.elapsed().toMillis(), Texts.seconds(done.elapsed()))
                .print(this);
        return ExitCode.OK;
    }

    private GgufOptions ggufOptions() {
        String text = type == null ? GgufOptions.DEFAULTS.type().text() : type;
        GgufType chosen = GgufType.of(text)
                .orElseThrow(() -> usage("--type must be one of " + GgufType.texts() + " but was " + text));
        return GgufOptions.builder().type(chosen).threads(resources.threads()).build();
    }

    private static String told(QuantizationRecipe recipe) {
        return switch (recipe.method()) {
            case FLOAT16, INT8, INT8_STATIC -> recipe.method().text();
            default -> recipe.method().text() + ", " + recipe.bits() + " bits, blocks of " + recipe.blockSize();
        };
    }

    private QuantizationRecipe recipe() {
        try {
            QuantizationRecipe.Builder recipe = QuantizationRecipe.builder()
                    .method(method)
                    .bits(bits)
                    .blockSize(blockSize)
                    .headBits(headBits)
                    .symmetric(symmetric)
                    .likeOnnxRuntime(likeOnnxRuntime)
                    .form(qdq ? QuantizationRecipe.Form.QDQ : QuantizationRecipe.Form.OPERATORS);
            kept.forEach(pattern -> recipe.rule(Rule.keep(pattern)));
            if (calibration != null) {
                recipe.calibration(CalibrationTexts.read(calibration));
            }
            return recipe.build();
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
    }

    private Map<String, Object> recipe(QuantizationRecipe recipe) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("method", recipe.method().text());
        json.put("bits", recipe.bits());
        json.put("blockSize", recipe.blockSize());
        json.put("headBits", recipe.headBits());
        json.put("symmetric", recipe.symmetric());
        json.put("likeOnnxRuntime", recipe.likeOnnxRuntime());
        json.put("form", recipe.form().name().toLowerCase(Locale.ROOT));
        json.put("keep", kept);
        return json;
    }

    private static void layers(List<QuantizedLayer> layers, Report report) {
        List<Map<String, Object>> json = new ArrayList<>();
        Map<String, Integer> forms = new LinkedHashMap<>();
        for (QuantizedLayer layer : layers) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", layer.name());
            one.put("operators", layer.operators());
            one.put("shape", layer.shape());
            one.put("method", layer.method().text());
            one.put("bits", layer.bits());
            one.put("blockSize", layer.blockSize());
            one.put("symmetric", layer.symmetric());
            one.put("bytesBefore", layer.bytesBefore());
            one.put("bytesAfter", layer.bytesAfter());
            layer.relativeError().ifPresent(error -> one.put("relativeError", error));
            json.add(one);
            forms.merge(form(layer), 1, Integer::sum);
        }
        report.add("layers", json, "");
        forms.forEach((form, count) -> report.text(count + " weights", form));
        layers.stream()
                .filter(layer -> layer.relativeError().isPresent())
                .max((a, b) -> Double.compare(
                        a.relativeError().orElse(0), b.relativeError().orElse(0)))
                .ifPresent(worst -> report.text(
                        "largest error", decimal(worst.relativeError().orElse(0)) + " in " + worst.name()));
    }

    private static String form(QuantizedLayer layer) {
        return layer.method().text() + ", " + layer.bits() + " bits"
                + (layer.blockSize() == 0 ? "" : ", blocks of " + layer.blockSize())
                + (layer.symmetric() || layer.blockSize() == 0 ? "" : ", with zero points");
    }

    private void rest(List<KeptWeight> weights, List<String> notices, Report report) {
        List<Map<String, Object>> json = new ArrayList<>();
        for (KeptWeight weight : weights) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", weight.name());
            one.put("shape", weight.shape());
            one.put("bytes", weight.bytes());
            one.put("reason", weight.reason());
            json.add(one);
        }
        report.add("kept", json, "").add("notices", notices, "");
        weights.stream()
                .limit(MOST_LISTED)
                .forEach(weight -> report.text("stays in float", weight.name() + ": " + weight.reason()));
        if (weights.size() > MOST_LISTED) {
            report.line("  and " + (weights.size() - MOST_LISTED) + " more; --json lists all");
        }
        if (dryRun) {
            notices.forEach(notice -> report.text("notice", notice));
        }
    }

    private int compared() {
        Path held = text;
        if (held == null) {
            throw usage("--compare needs a text; add --text FILE");
        }
        EngineOptions options = EngineOptions.builder()
                .threads(resources.threads())
                .cache(resources.cache())
                .build();
        ModelComparison found = run(ModelComparer.of(options).compare(model, target, TextFile.read(held)));
        new Report()
                .add("text", Map.of("tokens", found.tokens()), found.tokens() + " tokens")
                .add("a", side(found.a()), told(found.a()))
                .add("b", side(found.b()), told(found.b()))
                .add("perplexityRatio", interval(found.perplexityRatio()), told(found.perplexityRatio()))
                .add("kl", kl(found), told(found.kl()) + ", p99 " + decimal(found.klP99()))
                .add("topOneAgreement", found.topOneAgreement(), decimal(found.topOneAgreement()))
                .add(
                        "firstDivergence",
                        Map.of("median", found.firstDivergence()),
                        "after " + found.firstDivergence() + " of " + found.continuation() + " tokens")
                .print(this);
        return ExitCode.OK;
    }

    private static Map<String, Object> side(ModelComparison.Side side) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("perplexity", side.perplexity());
        json.put("bytes", side.bytes());
        json.put("loadMillis", side.loadMillis());
        json.put("prefillTokensPerSecond", side.prefillTokensPerSecond());
        json.put("decodeTokensPerSecond", side.decodeTokensPerSecond());
        return json;
    }

    private static String told(ModelComparison.Side side) {
        return String.format(
                Locale.ROOT,
                "perplexity %.3f, %s, loaded in %d ms, reads %.0f and writes %.1f tokens/s",
                side.perplexity(),
                Texts.bytes(side.bytes()),
                side.loadMillis(),
                side.prefillTokensPerSecond(),
                side.decodeTokensPerSecond());
    }

    private static Map<String, Object> interval(ModelComparison.Interval interval) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("value", interval.value());
        json.put("low", interval.low());
        json.put("high", interval.high());
        return json;
    }

    private static Map<String, Object> kl(ModelComparison found) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("mean", found.kl().value());
        json.put("low", found.kl().low());
        json.put("high", found.kl().high());
        json.put("p99", found.klP99());
        return json;
    }

    private static String told(ModelComparison.Interval interval) {
        return decimal(interval.value()) + " (" + decimal(interval.low()) + " to " + decimal(interval.high()) + ")";
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }
}
