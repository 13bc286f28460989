package dev.pollux.samples.cli;

import dev.pollux.inference.gguf.GgufOptions;
import dev.pollux.inference.gguf.GgufType;
import dev.pollux.inference.quantize.OnnxQuantizer;
import dev.pollux.quantization.QuantizationMethod;
import dev.pollux.quantization.QuantizationRecipe;
import dev.pollux.quantization.QuantizationRecipe.Rule;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
            "--text measures what was lost; --budget and --max-kl choose the bits of each matrix by it.",
            "",
            "--compare measures two models on a text instead: perplexity, divergence, speed; of embedders cosines.",
            "",
            "--json: {model, target, recipe, bytesBefore, bytesAfter, relativeError, elapsedMillis, notices, layers, kept};"
                    + " layers are {name, operators, shape, method, bits, blockSize, symmetric, bytesBefore, bytesAfter,"
                    + " relativeError}, kept are {name, shape, bytes, reason}. With --text also comparison, as of --compare,"
                    + " or embeddings {texts, a, b, cosine, recallAt10}, retrieval, precision {bytes, predictedKl, points}."
                    + " With --dry-run: dryRun, memory, estimatedMillis, no errors."
                    + " With --measure: kernels {bits, blockSize, oneToken, manyTokens, slow}. With --compare: {text, a, b, perplexityRatio, kl,"
                    + " topOneAgreement, firstDivergence}. With --to gguf: {model, target, dryRun, architecture, bytesBefore,"
                    + " bytes, tensors, notices, elapsedMillis}; tensors are {name, shape, type, bytes}."
        },
        footer = {
            "  pollux quantize --dry-run model model-4bit",
            "  pollux quantize --bits 4 --block 64 model.gguf model-4bit",
            "  pollux quantize --recipe int8-static --calibrate docs encoder encoder-int8",
            "  pollux quantize --budget 100MB --text held-out.txt --report report model model-100mb",
            "  pollux quantize --max-kl 0.02 --text held-out.txt model model-small",
            "  pollux quantize --to gguf --type q4_k model model-q4_k.gguf",
            "  pollux quantize --compare --text held-out.txt model model-4bit"
        })
final class QuantizeCommand extends PolluxCommand {

    /** Vectors lose much at 4 bits; larger blocks are faster. */
    private static final QuantizationRecipe ENCODER_DEFAULTS =
            QuantizationRecipe.builder().bits(8).blockSize(128).build();

    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description =
                    "The model to quantize, with --compare the reference: a path, hf:owner/name, or the name of an"
                            + " embedded model.")
    private String named = "";

    @Parameters(
            index = "1",
            paramLabel = "TARGET",
            description =
                    "The folder to write, or the file with --to gguf; it must not exist. With --compare the other model.")
    private String other = "";

    @Option(
            names = "--recipe",
            order = 10,
            paramLabel = "METHOD",
            converter = MethodConverter.class,
            description = "How codes are chosen: rtn, search, least-squares, hqq or k-quant; gptq or awq with"
                    + " --calibrate; float16; int8 or int8-static for embedders and rerankers. Default: search.")
    private QuantizationMethod method = QuantizationRecipe.DEFAULTS.method();

    @Option(
            names = "--bits",
            order = 11,
            paramLabel = "N",
            description = "Bits of a weight: 2, 4 or 8. Default: 4; of encoders 8, in blocks of 128.")
    private @Nullable Integer bits;

    @Option(
            names = "--block",
            order = 12,
            paramLabel = "N",
            description =
                    "Weights that share a scale: 16, 32, 64, 128 or 256. Larger is smaller and faster. Default: 32.")
    private @Nullable Integer blockSize;

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

    @Mixin
    private CalibrationOptions calibration = new CalibrationOptions();

    @Option(names = "--dry-run", order = 19, description = "Say what each weight would become, and write nothing.")
    private boolean dryRun;

    @Option(
            names = "--compare",
            order = 26,
            description = "Compare the models MODEL and TARGET on --text instead: loss and speed.")
    private boolean compare;

    @Option(
            names = "--to",
            order = 27,
            paramLabel = "FORMAT",
            description = "The format of TARGET: onnx or gguf. Default: ${DEFAULT-VALUE}.")
    private String format = "onnx";

    @Option(
            names = "--type",
            order = 28,
            paramLabel = "TYPE",
            description =
                    "With --to gguf: f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q4_k (Q4_K_M) or q6_k. Default: q8_0.")
    private @Nullable String type;

    @Mixin
    private QualityOptions quality = new QualityOptions();

    @Mixin
    private ResourceOptions resources = new ResourceOptions();

    @Override
    int execute() {
        if (compare) {
            Path held = quality.text().orElseThrow(() -> usage("--compare needs a text; add --text FILE"));
            GivenPath.file("--text", held, this);
            Path reference = ModelOptions.locate(named, this, resources);
            return new ModelsCompared(reference, ModelOptions.locate(other, this, resources), resources)
                    .print(this, held);
        }
        if (format.equals("gguf")) {
            GgufOptions options = ggufOptions();
            return new GgufTarget(model("name"), target(), dryRun).write(this, options);
        }
        if (!format.equals("onnx")) {
            throw usage("--to must be onnx or gguf but was " + format);
        }
        if (type != null) {
            throw usage("--type belongs to --to gguf; add it or use --bits");
        }
        if (quality.hasBudget() && (bits != null || blockSize != null)) {
            throw usage("--budget chooses bits and blocks; leave out --bits and --block, or --budget");
        }
        boolean free = bits == null
                && blockSize == null
                && !qdq
                && !method.isInteger()
                && method != QuantizationMethod.FLOAT16;
        Path model = model("folder");
        return new QuantizationSteps(this, quality, resources)
                .take(new QuantizationSteps.Request(model, target(), recipe(model), free, dryRun));
    }

    /** Finds the model, which may be fetched, after a look at the target. */
    private Path model(String kind) {
        GivenPath.absent(target(), kind);
        return ModelOptions.locate(named, this, resources);
    }

    private Path target() {
        return Path.of(other);
    }

    private GgufOptions ggufOptions() {
        String text = type == null ? GgufOptions.DEFAULTS.type().text() : type;
        GgufType chosen = GgufType.of(text)
                .orElseThrow(() -> usage("--type must be one of " + GgufType.texts() + " but was " + text));
        return GgufOptions.builder().type(chosen).threads(resources.threads()).build();
    }

    private QuantizationRecipe recipe(Path model) {
        boolean encoder = OnnxQuantizer.isEncoder(model);
        QuantizationRecipe defaults = bits == null && encoder ? ENCODER_DEFAULTS : QuantizationRecipe.DEFAULTS;
        try {
            QuantizationRecipe.Builder recipe = QuantizationRecipe.builder()
                    .method(method)
                    .bits(bits == null ? defaults.bits() : bits)
                    .blockSize(blockSize == null ? defaults.blockSize() : blockSize)
                    .headBits(headBits)
                    .symmetric(symmetric)
                    .likeOnnxRuntime(likeOnnxRuntime)
                    .form(qdq ? QuantizationRecipe.Form.QDQ : QuantizationRecipe.Form.OPERATORS);
            kept.forEach(pattern -> recipe.rule(Rule.keep(pattern)));
            boolean decoder = !encoder && !model.toString().endsWith(".onnx");
            boolean windowed = method.runsLayerByLayer() || method.isInteger() && decoder;
            calibration.addTo(recipe, windowed, method, this);
            return recipe.build();
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
    }
}
