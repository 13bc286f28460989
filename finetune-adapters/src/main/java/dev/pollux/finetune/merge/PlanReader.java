package dev.pollux.finetune.merge;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.MergePlan.Input;
import dev.pollux.merging.MergePlan.LayerRange;
import dev.pollux.merging.MergePlan.Module;
import dev.pollux.merging.MergePlan.Slice;
import dev.pollux.merging.MergeProblem;
import dev.pollux.merging.ModelReference;
import dev.pollux.merging.TokenizerChoice;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Converts one YAML document to a plan. Errors become findings of the plan. <em>For one document.</em> */
final class PlanReader {

    private static final List<String> TOP = List.of(
            "name",
            "merge_method",
            "models",
            "slices",
            "modules",
            "base_model",
            "parameters",
            "dtype",
            "out_dtype",
            "tokenizer_source",
            "tokenizer",
            "chat_template");
    private static final List<String> CONTENT = List.of("models", "slices", "modules");

    private final List<MergeProblem> findings = new ArrayList<>();
    private final SettingReader settings = new SettingReader(findings);

    MergePlan read(Object document) {
        Map<String, Object> top = map("the plan", document);
        checkKeys("", top, TOP);
        List<String> given =
                CONTENT.stream().filter(key -> top.get(key) != null).toList();
        if (given.size() != 1) {
            fatal("exactly one of models, slices, modules must be given but "
                    + (given.isEmpty() ? "none was" : String.join(", ", given) + " were"));
        }
        String method = text(top, "merge_method").orElseGet(() -> {
            fatal("merge_method is missing; name one, such as linear");
            return "";
        });
        List<Module> modules = given.equals(List.of("modules")) ? modules(top.get("modules")) : List.of();
        boolean several = modules.size() > 1;
        List<Slice> slices = modules.isEmpty()
                ? (given.isEmpty() ? List.of() : content(given.get(0), top))
                : (several ? List.of() : modules.get(0).slices());
        return new MergePlan(
                text(top, "name"),
                method,
                slices,
                several ? modules : List.of(),
                model("base_model", top.get("base_model")),
                several || modules.isEmpty() ? Map.of() : modules.get(0).parameters(),
                settings.parameters("the plan", top.get("parameters")),
                text(top, "dtype"),
                text(top, "out_dtype"),
                tokenizer(top),
                text(top, "chat_template"),
                List.of(),
                findings);
    }

    private List<Slice> content(String key, Map<String, Object> from) {
        return switch (key) {
            case "models" -> List.of(new Slice(models(from.get("models")), Optional.empty(), Map.of()));
            case "slices" -> slices(from.get("slices"));
            default -> List.of();
        };
    }

    private List<Module> modules(@Nullable Object value) {
        List<Module> modules = new ArrayList<>();
        Map<String, Object> named = map("modules", value);
        if (named.isEmpty()) {
            fatal("modules names no module; give one, such as text_decoder, with models or slices");
        }
        named.forEach((name, content) -> {
            Map<String, Object> module = map("module " + name, content);
            checkKeys("module " + name + ": ", module, List.of("models", "slices", "parameters"));
            if ((module.get("models") != null) == (module.get("slices") != null)) {
                fatal("module " + name + " must have models or slices, one of the two");
                return;
            }
            modules.add(new Module(
                    name,
                    content(module.get("models") != null ? "models" : "slices", module),
                    settings.parameters("module " + name, module.get("parameters"))));
        });
        return modules;
    }

    private List<Input> models(@Nullable Object value) {
        List<Input> models = new ArrayList<>();
        for (Object entry : entries("models", value)) {
            input("models", entry).ifPresent(models::add);
        }
        return models;
    }

    private List<Slice> slices(@Nullable Object value) {
        List<Slice> slices = new ArrayList<>();
        for (Object entry : entries("slices", value)) {
            String where = "slice " + (slices.size() + 1);
            Map<String, Object> slice = map(where, entry);
            checkKeys(where + ": ", slice, List.of("sources", "base_model", "parameters", "residual_weight"));
            List<Input> inputs = new ArrayList<>();
            for (Object source : entries(where + " sources", slice.get("sources"))) {
                input(where, source).ifPresent(input -> {
                    if (input.layers().isEmpty() && !saysLayers(source)) {
                        fatal(where + ": model " + input.model() + " has no layer_range; give [first, after the last]");
                    }
                    inputs.add(input);
                });
            }
            slices.add(new Slice(
                    inputs,
                    model("base_model", slice.get("base_model")),
                    settings.parameters(where, slice.get("parameters"))));
        }
        return slices;
    }

    private Optional<Input> input(String where, Object entry) {
        if (entry instanceof String name) {
            return Optional.of(new Input(ModelReference.parse(name), Optional.empty(), Map.of()));
        }
        Map<String, Object> map = map(where, entry);
        checkKeys(where + ": ", map, List.of("model", "layer_range", "parameters"));
        Optional<ModelReference> model = model("model", map.get("model"));
        if (model.isEmpty()) {
            fatal(where + ": an entry names no model; give model: folder");
        }
        return model.map(reference -> new Input(
                reference,
                layers(reference, map.get("layer_range")),
                settings.parameters(reference.toString(), map.get("parameters"))));
    }

    private Optional<LayerRange> layers(ModelReference model, @Nullable Object value) {
        if (value == null) {
            return Optional.empty();
        }
        List<?> range = value instanceof List<?> list ? list : List.of();
        List<Integer> bounds = new ArrayList<>();
        range.forEach(bound -> layer(bound).ifPresent(bounds::add));
        if (range.size() != 2 || bounds.size() != 2) {
            fatal("layer_range of " + model + " must be [first, after the last], two whole numbers, but was "
                    + shown(value));
            return Optional.empty();
        }
        if (bounds.get(0) >= bounds.get(1)) {
            fatal("layer_range of " + model + " must hold a layer but was " + shown(value)
                    + "; its second number is the layer after the last");
            return Optional.empty();
        }
        return Optional.of(new LayerRange(bounds.get(0), bounds.get(1)));
    }

    /** Parses the number of a layer, which may be text or have decimals. */
    private static OptionalInt wholeNumber(@Nullable Object value) {
        OptionalDouble number = value instanceof Boolean ? OptionalDouble.empty() : SettingReader.number(value);
        return number.isPresent()
                        && Math.rint(number.getAsDouble()) == number.getAsDouble()
                        && Math.abs(number.getAsDouble()) <= Integer.MAX_VALUE
                ? OptionalInt.of((int) number.getAsDouble())
                : OptionalInt.empty();
    }

    private static Optional<Integer> layer(@Nullable Object value) {
        OptionalInt number = wholeNumber(value);
        return number.isPresent() ? Optional.of(number.getAsInt()) : Optional.empty();
    }

    /** Whether an entry has a layer_range, valid or not. */
    private static boolean saysLayers(Object entry) {
        return entry instanceof Map<?, ?> map && SettingReader.merged(map).get("layer_range") != null;
    }

    /** A value as JSON, which distinguishes text from numbers. */
    private static String shown(Object value) {
        return JsonNode.of(value).toString();
    }

    /** Parses a model, given as text or as an object. */
    private Optional<ModelReference> model(String what, @Nullable Object value) {
        if (value instanceof Map<?, ?>) {
            Map<String, Object> map = map(what, value);
            if (map.containsKey("override_architecture") && map.get("override_architecture") != null) {
                fatal(what + ": override_architecture is not supported; layers are found by their names");
            }
            return part(map.get("model"))
                    .map(model -> ModelReference.parse(model
                            + part(map.get("lora")).map(lora -> "+" + lora).orElse("")));
        }
        return part(value).filter(text -> !text.isBlank()).map(ModelReference::parse);
    }

    private static Optional<String> part(@Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            Object path = map.get("path");
            Object revision = map.get("revision");
            return part(path).map(text -> revision == null ? text : text + "@" + revision);
        }
        return value == null ? Optional.empty() : Optional.of(value.toString());
    }

    private Optional<TokenizerChoice> tokenizer(Map<String, Object> top) {
        Object source = top.get("tokenizer_source");
        Object tokenizer = top.get("tokenizer");
        if (source != null && tokenizer != null) {
            fatal("tokenizer and tokenizer_source were both given; give one of them");
        }
        if (tokenizer == null) {
            return part(source).map(text -> TokenizerChoice.of(text));
        }
        Map<String, Object> map = map("tokenizer", tokenizer);
        checkKeys("tokenizer: ", map, List.of("source", "tokens", "pad_to_multiple_of"));
        Map<String, TokenizerChoice.TokenRule> rules = new LinkedHashMap<>();
        if (map.get("tokens") != null) {
            map("tokens", map.get("tokens")).forEach((token, rule) -> rules.put(token, rule(token, rule)));
        }
        OptionalInt multiple = OptionalInt.empty();
        Object pad = map.get("pad_to_multiple_of");
        if (wholeNumber(pad).orElse(0) > 0) {
            multiple = wholeNumber(pad);
        } else if (pad != null) {
            fatal("pad_to_multiple_of must be a whole number from 1 but was " + pad);
        }
        return Optional.of(new TokenizerChoice(part(map.get("source")).orElse(TokenizerChoice.UNION), rules, multiple));
    }

    private TokenizerChoice.TokenRule rule(String token, Object value) {
        Map<String, Object> map = map("token " + token, value);
        checkKeys("token " + token + ": ", map, List.of("source", "force"));
        boolean force = SettingReader.number(map.get("force")).orElse(0) != 0;
        Optional<TokenizerChoice.TokenSource> source = tokenSource(token, map.get("source"));
        if (force && map.get("source") == null) {
            fatal("token " + token + " has force but no source; say where its embedding comes from");
        }
        return new TokenizerChoice.TokenRule(source, force);
    }

    private Optional<TokenizerChoice.TokenSource> tokenSource(String token, @Nullable Object value) {
        if (!(value instanceof Map<?, ?>)) {
            return part(value).map(model -> new TokenizerChoice.SameToken(ModelReference.parse(model)));
        }
        Map<String, Object> map = map("source of token " + token, value);
        String kind = String.valueOf(map.get("kind"));
        if (kind.equals("zero")) {
            return Optional.of(new TokenizerChoice.Zero());
        }
        Optional<ModelReference> model = model("source of token " + token, map.get("model"));
        if (model.isEmpty() && map.containsKey("path")) {
            return part(map).map(name -> new TokenizerChoice.SameToken(ModelReference.parse(name)));
        }
        Optional<String> text = part(map.get("token"));
        OptionalInt id = wholeNumber(map.get("token_id"));
        if (model.isPresent() && kind.equals("null") && text.isEmpty() && id.isEmpty()) {
            return Optional.of(new TokenizerChoice.SameToken(model.get()));
        }
        if (!kind.equals("model_token") || model.isEmpty() || text.isPresent() == id.isPresent()) {
            fatal("source of token " + token + " must be a model, {kind: zero}, or {kind: model_token, model: …} with"
                    + " token or token_id, but was " + value);
            return Optional.empty();
        }
        return Optional.of(new TokenizerChoice.OtherToken(model.get(), text, id));
    }

    private Optional<String> text(Map<String, Object> map, String key) {
        Object value = map.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (value instanceof Map<?, ?> || value instanceof List<?>) {
            fatal(key + " must be a text but was " + value);
            return Optional.empty();
        }
        return Optional.of(value.toString());
    }

    private Map<String, Object> map(String what, @Nullable Object value) {
        if (!(value instanceof Map<?, ?> map)) {
            fatal(what + " must be a map of names to values but was " + value);
            return Map.of();
        }
        return SettingReader.merged(map);
    }

    /** A list, or a single entry that was written without a dash. */
    private List<Object> entries(String what, @Nullable Object value) {
        return list(what, value instanceof Map<?, ?> || value instanceof String ? List.of(value) : value);
    }

    private List<Object> list(String what, @Nullable Object value) {
        if (!(value instanceof List<?> list)) {
            fatal(what + " must be a list but was " + value);
            return List.of();
        }
        List<Object> items = new ArrayList<>();
        for (Object item : list) {
            if (item != null) {
                items.add(item);
            }
        }
        return items;
    }

    private void checkKeys(String where, Map<String, Object> map, List<String> known) {
        for (String key : map.keySet()) {
            if (!known.contains(key)) {
                findings.add(MergeProblem.notice(
                        where + "unknown key " + key + Spelling.hint(key, known) + " has no effect"));
            }
        }
    }

    private void fatal(String message) {
        findings.add(MergeProblem.fatal(message));
    }
}
