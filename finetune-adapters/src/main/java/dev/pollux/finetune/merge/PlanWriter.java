package dev.pollux.finetune.merge;

import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.LayerSchedule;
import dev.pollux.merging.MergePlan;
import dev.pollux.merging.TokenizerChoice;
import java.util.Map;

/** Writes plans as documents for {@link PlanReader}, in JSON, which is valid YAML. */
final class PlanWriter {

    private PlanWriter() {}

    /** Returns the stages of a plan and the plan itself, one document each. */
    static ArrayNode documents(MergePlan plan) {
        ArrayNode documents = new ArrayNode();
        plan.stages().forEach(stage -> documents.add(document(stage)));
        documents.add(document(plan));
        return documents;
    }

    /** Converts {@link #documents} to text for {@link MergekitYaml}. */
    static String yaml(JsonNode documents) {
        StringBuilder text = new StringBuilder();
        documents.forEach(document ->
                text.append("---\n").append(document.toPrettyString()).append('\n'));
        return text.toString();
    }

    private static ObjectNode document(MergePlan plan) {
        ObjectNode top = new ObjectNode();
        plan.name().ifPresent(name -> top.put("name", name));
        top.put("merge_method", plan.method());
        plan.base().ifPresent(base -> top.put("base_model", base.toString()));
        if (!plan.modules().isEmpty()) {
            ObjectNode modules = top.putObject("modules");
            plan.modules().forEach(module -> module(plan.of(module), modules.putObject(module.name())));
        } else if (!plan.moduleParameters().isEmpty()) {
            module(plan, top.putObject("modules").putObject("default"));
        } else {
            content(plan, top);
        }
        parameters(plan.parameters(), top);
        plan.dtype().ifPresent(dtype -> top.put("dtype", dtype));
        plan.outDtype().ifPresent(dtype -> top.put("out_dtype", dtype));
        plan.tokenizer().ifPresent(choice -> tokenizer(choice, top.putObject("tokenizer")));
        plan.chatTemplate().ifPresent(template -> top.put("chat_template", template));
        return top;
    }

    private static void module(MergePlan plan, ObjectNode into) {
        content(plan, into);
        parameters(plan.moduleParameters(), into);
    }

    private static void content(MergePlan plan, ObjectNode into) {
        boolean whole = plan.slices().size() == 1
                && plan.slices().get(0).base().isEmpty()
                && plan.slices().get(0).parameters().isEmpty()
                && plan.slices().get(0).inputs().stream()
                        .allMatch(input -> input.layers().isEmpty());
        if (whole) {
            ArrayNode models = into.putArray("models");
            plan.slices().get(0).inputs().forEach(input -> input(input, models.addObject()));
            return;
        }
        ArrayNode slices = into.putArray("slices");
        for (MergePlan.Slice slice : plan.slices()) {
            ObjectNode entry = slices.addObject();
            ArrayNode sources = entry.putArray("sources");
            slice.inputs().forEach(input -> input(input, sources.addObject()));
            slice.base().ifPresent(base -> entry.put("base_model", base.toString()));
            parameters(slice.parameters(), entry);
        }
    }

    private static void input(MergePlan.Input input, ObjectNode into) {
        into.put("model", input.model().toString());
        input.layers()
                .ifPresent(layers ->
                        into.putArray("layer_range").add(layers.from()).add(layers.to()));
        parameters(input.parameters(), into);
    }

    private static void parameters(Map<String, LayerSchedule> parameters, ObjectNode into) {
        if (!parameters.isEmpty()) {
            ObjectNode map = into.putObject("parameters");
            parameters.forEach((name, setting) -> map.set(name, value(setting)));
        }
    }

    private static JsonNode value(LayerSchedule setting) {
        if (setting instanceof LayerSchedule.Constant constant) {
            return JsonNode.of(constant.value());
        }
        ArrayNode list = new ArrayNode();
        if (setting instanceof LayerSchedule.Gradient gradient) {
            gradient.points().forEach(list::add);
        } else if (setting instanceof LayerSchedule.Filtered filtered) {
            for (LayerSchedule.Entry entry : filtered.entries()) {
                ObjectNode map = list.addObject();
                map.put("filter", entry.filter());
                map.set("value", value(entry.value()));
            }
        }
        return list;
    }

    private static void tokenizer(TokenizerChoice choice, ObjectNode into) {
        into.put("source", choice.source());
        choice.padToMultipleOf().ifPresent(multiple -> into.put("pad_to_multiple_of", multiple));
        if (!choice.tokens().isEmpty()) {
            ObjectNode tokens = into.putObject("tokens");
            choice.tokens().forEach((token, rule) -> {
                ObjectNode entry = tokens.putObject(token);
                rule.source().ifPresent(source -> source(source, entry));
                if (rule.force()) {
                    entry.put("force", true);
                }
            });
        }
    }

    private static void source(TokenizerChoice.TokenSource source, ObjectNode rule) {
        if (source instanceof TokenizerChoice.SameToken same) {
            rule.put("source", same.model().toString());
        } else if (source instanceof TokenizerChoice.OtherToken other) {
            ObjectNode map = rule.putObject("source");
            map.put("kind", "model_token").put("model", other.model().toString());
            other.token().ifPresent(token -> map.put("token", token));
            other.id().ifPresent(id -> map.put("token_id", id));
        } else {
            rule.putObject("source").put("kind", "zero");
        }
    }
}
