package dev.pollux.inference.decoder;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Projection;
import dev.pollux.inference.graph.SlidingRows;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * The manifest of an exported decoder folder: the contract between the export, which writes it, and the engine, which runs
 * it. <em>Immutable.</em>
 *
 * <p>Files: {@code pollux.json} (this record), {@code model.onnx} with its external data {@code model.onnx.data}, {@code
 * tokenizer.json}, and {@code chat_template.jinja} if the model has a template.
 *
 * <p>A step reads S tokens of each of B sequences, which may have different lengths. If one of them has read tokens before,
 * B or S must be 1: the attention operator reads several new tokens after a past of one sequence only.
 *
 * <p>The graph's inputs: {@code input_ids} int64 [B, S]; {@code seqlens_k} int32 [B], the length of each sequence after the
 * step, minus 1; {@code total_sequence_length} int32 scalar, the largest length after the step; {@code logits_index} int64
 * [NL], the positions in [0, S) whose logits are required, of every sequence; and the states. If layers keep only the positions
 * of a sliding window, {@code window_seqlens_k} and {@code window_total_length} are the same as the first two numbers, less the
 * positions that were dropped. Its outputs: {@code logits}
 * float32 [B, NL, vocabularySize], and the states.
 *
 * @param format version of this layout, {@value #FORMAT}
 * @param name the display name
 * @param architecture the family, such as {@code LlamaForCausalLM}
 * @param vocabularySize width of the logits
 * @param contextLength the maximum number of positions, limited by rotary tables and training
 * @param endTokens ids that end a turn
 * @param bosToken the beginning-of-text token as written by chat templates; empty if the model has none
 * @param eosToken the end-of-text token as written by chat templates; empty if the model has none
 * @param states the tensors that are carried from step to step
 * @param rotarySwitch the length limit of the first of two sets of rotary tables. A longer sequence uses the second set for
 *     all positions; the engine selects the set by the input {@code rotary_offset} int64 [B], which is 0 or contextLength.
 *     0 if there is one set and no such input
 * @param headWidth the width of an attention head in the checkpoint; 0 if there is no attention
 * @param sampling the publisher's sampling options; empty if none are published
 * @param projections the products to which a LoRA adapter can be added
 * @param provenance how it was produced: source, hash, options, bits per kind of weight, notices; sorted by name
 */
public record DecoderManifest(
        int format,
        String name,
        String architecture,
        int vocabularySize,
        int contextLength,
        List<Integer> endTokens,
        String bosToken,
        String eosToken,
        List<StateTensor> states,
        int rotarySwitch,
        int headWidth,
        Optional<GenerationOptions> sampling,
        List<Projection> projections,
        Map<String, Object> provenance) {

    /** The version of the layout. */
    public static final int FORMAT = 4;

    /** The manifest's file name. */
    public static final String FILE = "pollux.json";

    /** The graph's file name. */
    public static final String MODEL_FILE = "model.onnx";

    /** The tokenizer's file name. */
    public static final String TOKENIZER_FILE = "tokenizer.json";

    /** The chat template's file name. */
    public static final String TEMPLATE_FILE = "chat_template.jinja";

    /** The key of {@link #provenance()} for the number of parameters. */
    static final String PARAMETERS = "parameters";

    private static final long MAX_BYTES = 16L << 20;

    public DecoderManifest {
        endTokens = List.copyOf(endTokens);
        states = List.copyOf(states);
        projections = List.copyOf(projections);
        provenance = Collections.unmodifiableMap(new TreeMap<>(provenance));
    }

    /** The states of a kind. */
    public List<StateTensor> states(Kind kind) {
        return states.stream().filter(state -> state.kind() == kind).toList();
    }

    /** The keys and values of all layers. */
    public List<StateTensor> caches() {
        return states.stream().filter(StateTensor::isCache).toList();
    }

    /** The type of keys and values, which all layers share. */
    public ElementType cacheType() {
        return caches().stream().map(StateTensor::type).findFirst().orElse(ElementType.FLOAT);
    }

    /** The positions that layers with a sliding window keep; empty if all layers keep all. */
    public Optional<SlidingRows> window() {
        return states.stream().flatMap(state -> state.window().stream()).findFirst();
    }

    /** Whether several sequences can share a step; a ready-made graph reads one. */
    public boolean isBatched() {
        return states.stream().allMatch(StateTensor::isBatched);
    }

    /** The number of parameters; empty for a ready-made graph. */
    public OptionalLong parameters() {
        return provenance.get(PARAMETERS) instanceof Number count && count.longValue() > 0
                ? OptionalLong.of(count.longValue())
                : OptionalLong.empty();
    }

    /** A copy with other end tokens; those outside the vocabulary are omitted. */
    public DecoderManifest withEndTokens(List<Integer> ids) {
        return new DecoderManifest(
                format,
                name,
                architecture,
                vocabularySize,
                contextLength,
                ids.stream().filter(id -> id < vocabularySize).toList(),
                bosToken,
                eosToken,
                states,
                rotarySwitch,
                headWidth,
                sampling,
                projections,
                provenance);
    }

    /** A copy with another name and other sampling options. */
    public DecoderManifest with(String otherName, Optional<GenerationOptions> published) {
        return new DecoderManifest(
                format,
                otherName,
                architecture,
                vocabularySize,
                contextLength,
                endTokens,
                bosToken,
                eosToken,
                states,
                rotarySwitch,
                headWidth,
                published,
                projections,
                provenance);
    }

    /** A copy with further provenance; a fact with an existing name replaces the old one. */
    public DecoderManifest withProvenance(Map<String, Object> further) {
        Map<String, Object> all = new TreeMap<>(provenance);
        all.putAll(further);
        return new DecoderManifest(
                format,
                name,
                architecture,
                vocabularySize,
                contextLength,
                endTokens,
                bosToken,
                eosToken,
                states,
                rotarySwitch,
                headWidth,
                sampling,
                projections,
                all);
    }

    /** Reads the manifest of an exported folder. */
    public static DecoderManifest read(Path folder) {
        Path file = folder.resolve(FILE);
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new MalformedFileException(
                        file + " must be at most " + MAX_BYTES + " bytes; export the model again");
            }
            return ManifestJson.read(Files.readAllBytes(file), file);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** Writes the manifest into a folder. */
    public void write(Path folder) {
        Path file = folder.resolve(FILE);
        try {
            Files.writeString(file, ManifestJson.write(this));
        } catch (IOException e) {
            throw new StorageException("Cannot write " + file + ": " + e.getMessage(), e);
        }
    }
}
