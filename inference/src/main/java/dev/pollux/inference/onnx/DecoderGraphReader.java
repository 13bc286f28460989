package dev.pollux.inference.onnx;

import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.decoder.DecoderManifest;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphOutline;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.inference.graph.StateTensor.Kind;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.onnx.GraphInput.Role;
import dev.pollux.inference.onnx.GraphLogits.Rows;
import dev.pollux.inference.onnx.GraphSignature.Names;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Derives the engine's description from the outline of a published graph. Each input gets a role, and each key and value
 * input is paired with its output. A graph that does not fit is refused with the name of the offending input or output.
 */
final class DecoderGraphReader {

    private static final int MAX_WIDTH = 1 << 16;
    private static final int MAX_VOCABULARY = 1 << 24;

    /** Input names that identify graphs of other kinds. */
    private static final List<Map.Entry<Pattern, String>> OTHERS = List.of(
            other("inputs_embeds", "it holds embeddings that another graph makes, as models that see or hear do"),
            other(
                    "encoder_.*|decoder_.*|pixel_values.*|input_features|.*\\.(encoder|decoder)\\..*",
                    "it belongs to a model that has an encoder, sees or hears"),
            other(
                    "(past_?)?(conv|ssm|recurrent|cache_params)\\b.*|past_?(conv|ssm|recurrent|.*\\.(conv|ssm|recurrent)).*",
                    "it is a recurrent state; open the checkpoint itself, whose export carries its states"),
            other("token_type_ids", "it belongs to an encoder; open that with OnnxEmbedder or OnnxReranker"),
            other("past.*", "the cache must have a key and a value for each layer"));

    private static Map.Entry<Pattern, String> other(String names, String why) {
        return Map.entry(Pattern.compile(names), why);
    }

    private final Path file;
    private final GraphOutline outline;
    private final GraphSignature facts;
    private final Map<String, Value> outputs;
    private final List<GraphInput> inputs = new ArrayList<>();
    private final List<Pair> pairs = new ArrayList<>();

    /** A state: its input, its output and its layer. */
    private record Pair(Value past, String present, int layer) {}

    DecoderGraphReader(Path file, GraphOutline outline, GraphSignature facts) {
        this.file = file;
        this.outline = outline;
        this.facts = facts;
        this.outputs = outline.outputs().stream()
                .collect(Collectors.toMap(Value::name, value -> value, (first, second) -> first));
        outline.inputs().forEach(this::place);
    }

    /** Whether the graph has inputs for keys and values. */
    boolean hasPast() {
        return !pairs.isEmpty();
    }

    private void place(Value input) {
        Role role = facts.inputs().get(input.name());
        if (role != null) {
            inputs.add(given(input, role));
            return;
        }
        for (Names names : facts.states()) {
            Matcher matcher = pattern(names.past()).matcher(input.name());
            if (matcher.matches()) {
                int layer = Integer.parseInt(matcher.group(1));
                pairs.add(new Pair(input, names.present().replace("%d", matcher.group(1)), layer));
                return;
            }
        }
        String why = OTHERS.stream()
                .filter(other -> other.getKey().matcher(input.name()).matches())
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse("a decoder has no such input");
        throw new UnsupportedModelException(file + ": the input " + shown(input.name()) + " is not supported: " + why);
    }

    private static Pattern pattern(String name) {
        int at = name.indexOf("%d");
        return Pattern.compile(
                Pattern.quote(name.substring(0, at)) + "(\\d{1,5})" + Pattern.quote(name.substring(at + 2)));
    }

    private GraphInput given(Value input, Role role) {
        ElementType type = type(input);
        boolean flag = role == Role.CACHE_BRANCH;
        int rank = input.shape().rank();
        boolean perToken = role == Role.TOKENS || role == Role.MASK || role == Role.POSITIONS;
        boolean fits = perToken ? rank == 2 && varies(input, 0, 1) && varies(input, 1, -1) : rank <= 1;
        if (!fits || (flag ? type != ElementType.BOOL : !type.isInteger())) {
            throw refused(
                    input,
                    perToken
                            ? "whole numbers of the shape [batch, tokens], both of any size"
                            : flag ? "one flag" : "one whole number");
        }
        return new GraphInput(input.name(), role, type, rank == 0);
    }

    private static boolean varies(Value value, int dim, long otherwise) {
        long size = value.shape().size(dim);
        return size == -1 || size == otherwise;
    }

    private ElementType type(Value value) {
        if (!value.type().isFloating() && !value.type().isInteger() && value.type() != ElementType.BOOL) {
            throw refused(value, "float, float16, bfloat16, int32 or int64");
        }
        return value.type();
    }

    private UnsupportedModelException refused(Value value, String rule) {
        ElementType of = value.type();
        String type = of.isFloating() || of.isInteger() || of == ElementType.BOOL
                ? of.name().toLowerCase(Locale.ROOT)
                : "of ONNX type " + of.code();
        List<Long> shape = IntStream.range(0, value.shape().rank())
                .mapToObj(value.shape()::size)
                .toList();
        return new UnsupportedModelException(
                file + ": " + shown(value.name()) + " must be " + rule + " but is " + type + " " + shape);
    }

    private static String shown(String name) {
        return "'" + (name.length() > 80 ? name.substring(0, 80) + "…" : name) + "'";
    }

    /**
     * The description.
     *
     * @param texts the folder of tokenizer and chat template
     * @param beginning the graph of the first step, if it is a separate one
     */
    DecoderGraph read(Path texts, Optional<DecoderGraphReader> beginning) {
        if (inputs.stream().noneMatch(input -> input.role() == Role.TOKENS)) {
            throw new UnsupportedModelException(
                    file + " has no input of token ids, only " + names(outline.inputs()) + "; it is not a decoder");
        }
        if (pairs.isEmpty()) {
            throw new UnsupportedModelException(file + " has no cache of keys and values among its inputs, "
                    + names(outline.inputs())
                    + "; it is not a decoder, or was exported without its cache (task text-generation-with-past)");
        }
        Value written = output(facts.logits());
        int vocabulary = vocabulary(written);
        List<StateTensor> states = states();
        boolean inPlace = beginning.isEmpty() && pairs.stream().allMatch(this::appends);
        boolean merged = inputs.stream().anyMatch(input -> input.role() == Role.CACHE_BRANCH);
        beginning.ifPresent(first -> checkBeginning(first, states));
        return new DecoderGraph(
                manifest(vocabulary, states, inPlace),
                file,
                beginning.map(first -> first.file),
                texts,
                inputs,
                logits(written),
                cache(),
                inPlace,
                merged || beginning.isPresent());
    }

    private static List<String> names(List<Value> values) {
        return values.stream().map(value -> shown(value.name())).limit(8).toList();
    }

    private Value output(String name) {
        Value found = outputs.get(name);
        if (found == null) {
            throw new UnsupportedModelException(file + " has no output " + shown(name) + " but "
                    + names(outline.outputs()) + "; it is not a decoder");
        }
        return found;
    }

    private int vocabulary(Value logits) {
        if (logits.shape().rank() != 3 || !varies(logits, 0, 1) || !type(logits).isFloating()) {
            throw refused(logits, "floats of the shape [batch, tokens, vocabulary]");
        }
        long size = logits.shape().size(2) == -1
                ? facts.vocabularySize()
                : logits.shape().size(2);
        if (size < 1 || size > MAX_VOCABULARY) {
            throw new UnsupportedModelException(file + ": the vocabulary must be in [1, " + MAX_VOCABULARY
                    + "] but neither the graph nor " + facts.source() + " gives such a size");
        }
        return (int) size;
    }

    private ElementType cache() {
        return type(pairs.get(0).past());
    }

    private GraphLogits logits(Value written) {
        boolean kept = inputs.stream().anyMatch(input -> input.role() == Role.LOGITS_KEPT);
        Rows rows = kept ? Rows.KEPT : written.shape().size(1) == 1 ? Rows.LAST : Rows.ALL;
        return new GraphLogits(written.name(), type(written), rows);
    }

    private List<StateTensor> states() {
        Map<Integer, Integer> perLayer = new TreeMap<>();
        pairs.forEach(pair -> perLayer.merge(pair.layer(), 1, Integer::sum));
        perLayer.forEach((layer, count) -> {
            if (count != facts.states().size()) {
                throw new UnsupportedModelException(
                        file + ": layer " + layer + " must have a key and a value but has one");
            }
        });
        return pairs.stream().map(this::state).toList();
    }

    private StateTensor state(Pair pair) {
        Value past = pair.past();
        Value present = output(pair.present());
        Shape shape = past.shape();
        if (shape.rank() != 4
                || !varies(past, 0, 1)
                || shape.size(2) != -1
                || !type(past).isFloating()) {
            throw refused(past, "floats of the shape [batch, heads, positions, width] with any number of positions");
        }
        if (past.type() != pairs.get(0).past().type() || present.type() != past.type()) {
            throw refused(present, "of the same type as every other key and value");
        }
        int heads = size(past, 1, facts.keyValueHeads(), "number of heads");
        int width = size(past, 3, facts.headDim(), "width of a head");
        return new StateTensor(past.name(), present.name(), Kind.KEY_VALUE, List.of(1, heads, -1, width));
    }

    private int size(Value past, int dim, int otherwise, String what) {
        long size = past.shape().size(dim) == -1 ? otherwise : past.shape().size(dim);
        if (size < 1 || size > MAX_WIDTH) {
            throw new UnsupportedModelException(file + ": the " + what + " of " + shown(past.name())
                    + " must be in [1, " + MAX_WIDTH + "] but neither the graph nor " + facts.source()
                    + " gives such a size");
        }
        return (int) size;
    }

    private boolean appends(Pair pair) {
        return pair.present().equals(outline.appended().get(pair.past().name()));
    }

    /** Checks that the graph of the first step needs no other inputs and has the same outputs. */
    private void checkBeginning(DecoderGraphReader first, List<StateTensor> states) {
        List<String> due = new ArrayList<>(List.of(facts.logits()));
        states.forEach(state -> due.add(state.output()));
        for (String name : due) {
            Value found = first.outputs.get(name);
            if (found == null || found.type() != output(name).type()) {
                throw new UnsupportedModelException(first.file + " must give " + shown(name) + " as "
                        + file.getFileName() + " does; they do not belong together");
            }
        }
        for (Value input : first.outline.inputs()) {
            if (inputs.stream().noneMatch(known -> known.name().equals(input.name()))) {
                throw new UnsupportedModelException(first.file + ": the input " + shown(input.name())
                        + " is not one of " + file.getFileName() + "; they do not belong together");
            }
        }
    }

    /**
     * The context length. If rotary tables are chosen by length, it ends with the first table: cached keys were rotated by
     * that table. A configuration of Optimum already has this limit; one of onnxruntime-genai does not.
     */
    private int contextLength() {
        boolean switches = facts.kind() == OnnxFolder.Kind.GENAI
                && outline.operators().containsKey("If")
                && outline.branchRows() > 0;
        return switches ? (int) Math.min(facts.contextLength(), outline.branchRows()) : facts.contextLength();
    }

    private DecoderManifest manifest(int vocabulary, List<StateTensor> states, boolean inPlace) {
        Map<String, Object> provenance = new LinkedHashMap<>();
        provenance.put("source", facts.kind() == OnnxFolder.Kind.GENAI ? "onnxruntime-genai" : "optimum");
        provenance.put("graph", String.valueOf(file.getFileName()));
        provenance.put("cache", inPlace ? "in place" : "copied by every step");
        provenance.put("cacheType", cache().name().toLowerCase(Locale.ROOT));
        provenance.put("operators", new TreeMap<>(outline.operators()));
        return new DecoderManifest(
                DecoderManifest.FORMAT,
                facts.name(),
                facts.architecture(),
                vocabulary,
                contextLength(),
                facts.endTokens().stream().filter(id -> id < vocabulary).toList(),
                facts.specialTokens().bos(),
                facts.specialTokens().eos(),
                states,
                0,
                states.get(0).shape().get(3),
                facts.sampling(),
                List.of(),
                provenance);
    }
}
