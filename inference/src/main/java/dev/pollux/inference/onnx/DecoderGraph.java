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
 * The engine's description of a decoder graph: its manifest, inputs and outputs. Exported and published graphs differ only
 * in this description. <em>Immutable.</em>
 *
 * @param manifest the manifest, including the states by name
 * @param file the ONNX file
 * @param beginning the ONNX file for the first step, if that step has a separate graph without a past
 * @param texts the folder of the tokenizer and the chat template
 * @param inputs the inputs of each step, except the states
 * @param logits the logits output
 * @param cache element type of keys and values
 * @param inPlace whether keys and values are appended to the buffer of the past; else each step copies past and new ones to
 *     another buffer
 * @param oneByOne whether a step with a past reads only one token
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

    /** The maximum size of unused logits in a step. */
    private static final long MAX_LOGITS_BYTES = 64L << 20;

    public DecoderGraph {
        inputs = List.copyOf(inputs);
    }

    /**
     * The graph of an exported folder, a published folder, or one ONNX file of the latter.
     *
     * @throws dev.pollux.StorageException if a file is absent or cannot be read
     * @throws dev.pollux.MalformedFileException if a file is damaged
     * @throws dev.pollux.UnsupportedModelException if the graph has inputs or states that the engine cannot serve
     */
    public static DecoderGraph of(Path path) {
        return ready(path).orElseGet(() -> exported(path));
    }

    /** The graph as {@link #of} gives it, with the same errors; empty for a checkpoint. */
    public static Optional<DecoderGraph> ready(Path path) {
        return Files.isRegularFile(path.resolve(DecoderManifest.FILE))
                ? Optional.of(exported(path))
                : OnnxFolder.find(path).map(OnnxFolder::graph);
    }

    /** Whether it was exported by this module. */
    public boolean isExport() {
        return logits.rows() == Rows.CHOSEN;
    }

    /** The graph of a folder that was exported by this module. */
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
        if (manifest.window().isPresent()) {
            inputs.add(new GraphInput("window_seqlens_k", Role.WINDOW_LAST_INDEX, ElementType.INT32, false));
            inputs.add(new GraphInput("window_total_length", Role.WINDOW_TOTAL, ElementType.INT32, true));
        }
        return new DecoderGraph(
                manifest,
                folder.resolve(DecoderManifest.MODEL_FILE),
                Optional.empty(),
                folder,
                inputs,
                new GraphLogits("logits", ElementType.FLOAT, Rows.CHOSEN),
                manifest.cacheType(),
                true,
                false);
    }

    /** A copy with another name and other sampling options. */
    public DecoderGraph with(String name, Optional<GenerationOptions> published) {
        return with(manifest.with(name, published));
    }

    private DecoderGraph with(DecoderManifest other) {
        return new DecoderGraph(other, file, beginning, texts, inputs, logits, cache, inPlace, oneByOne);
    }

    /** The number of tokens in a full step of a long prompt if the step size is fixed; else a number above any prompt's. */
    public int chunk(int wanted) {
        return oneByOne ? Integer.MAX_VALUE : (int) Math.min(wanted, mostWritten(MAX_LOGITS_BYTES));
    }

    /** The maximum number of tokens in a step after {@code read} tokens. */
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
