package dev.pollux.inference.onnx;

import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.onnx.GraphInput.Role;
import dev.pollux.inference.onnx.GraphLogits.Rows;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A decoder graph as the engine runs it: what it is, and how it is spoken to. What this module exports and ready-made folders
 * differ in this alone. <em>Immutable.</em>
 *
 * @param manifest what it is, with its states by name
 * @param file the ONNX file
 * @param beginning the ONNX file of the first step, which has no past, where there is one of its own
 * @param texts the folder of tokenizer and chat template
 * @param inputs what every step is given, beside the states
 * @param logits what it gives, beside the states
 * @param cache element type of keys and values
 * @param inPlace whether keys and values are appended in the buffer that holds the past; else each step writes past and new
 *     ones elsewhere
 * @param oneByOne whether a step that has a past reads one token only
 */
public record DecoderGraph(
        DecoderManifest manifest,
        Path file,
        Optional<Path> beginning,
        Path texts,
        List<GraphInput> inputs,
        GraphLogits logits,
        ElementType cache,
        boolean inPlace,
        boolean oneByOne) {

    /** Logits that nobody asked for take at most this size in a step. */
    private static final long MAX_LOGITS_BYTES = 64L << 20;

    public DecoderGraph {
        inputs = List.copyOf(inputs);
    }

    /** The graph in an exported or a ready-made folder, or of one ONNX file in the latter. */
    public static DecoderGraph of(Path path) {
        return ready(path).orElseGet(() -> exported(path));
    }

    public static Optional<DecoderGraph> ready(Path path) {
        return Files.isRegularFile(path.resolve(DecoderManifest.FILE))
                ? Optional.of(exported(path))
                : OnnxFolder.find(path).map(OnnxFolder::graph);
    }

    /** Whether this module wrote it. */
    public boolean isExport() {
        return logits.rows() == Rows.CHOSEN;
    }

    /** The graph in a folder that this module exported. */
    public static DecoderGraph exported(Path folder) {
        DecoderManifest manifest = DecoderManifest.read(folder);
        List<GraphInput> inputs = new ArrayList<>(List.of(
                new GraphInput("input_ids", Role.TOKENS, ElementType.INT64, false),
                new GraphInput("seqlens_k", Role.LAST_INDEX, ElementType.INT32, false),
                new GraphInput("total_sequence_length", Role.TOTAL, ElementType.INT32, true),
                new GraphInput("logits_index", Role.LOGITS_INDEX, ElementType.INT64, false)));
        if (manifest.rotarySwitch() > 0) {
            inputs.add(new GraphInput("rotary_offset", Role.ROTARY_OFFSET, ElementType.INT64, false));
        }
        return new DecoderGraph(
                manifest,
                folder.resolve(DecoderManifest.MODEL_FILE),
                Optional.empty(),
                folder,
                inputs,
                new GraphLogits("logits", ElementType.FLOAT, Rows.CHOSEN),
                ElementType.FLOAT,
                true,
                false);
    }

    /** The same with another sampling. */
    public DecoderGraph withSampling(Optional<GenerationOptions> published) {
        return with(manifest.withSampling(published));
    }

    /** The same with other end tokens. */
    public DecoderGraph withEndTokens(List<Integer> ids) {
        return with(manifest.withEndTokens(ids));
    }

    private DecoderGraph with(DecoderManifest other) {
        return new DecoderGraph(other, file, beginning, texts, inputs, logits, cache, inPlace, oneByOne);
    }

    /** The tokens of a whole step of a long prompt, where steps have a size of their own; else more than there can be. */
    public int chunk(int wanted) {
        return oneByOne ? Integer.MAX_VALUE : (int) Math.min(wanted, mostWritten(MAX_LOGITS_BYTES));
    }

    /** The most tokens that a step after {@code read} tokens may have. */
    public int limit(int read, int wanted) {
        if (!oneByOne) {
            return chunk(wanted);
        }
        return read == 0 ? (int) mostWritten(Integer.MAX_VALUE) : 1;
    }

    private long mostWritten(long bytes) {
        long row = (long) manifest.vocabularySize() * logits.type().bytes();
        return logits.rows() == Rows.ALL ? Math.max(1, bytes / row) : Integer.MAX_VALUE;
    }
}
