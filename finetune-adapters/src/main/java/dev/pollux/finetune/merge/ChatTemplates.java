package dev.pollux.finetune.merge;

import dev.pollux.finetune.internal.model.InputModel;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** The chat templates that a plan can name. */
final class ChatTemplates {

    private static final String AUTO = "auto";
    private static final int LEAST_LITERAL = 20;

    private static final Map<String, String> NAMED = Map.of(
            "chatml",
            "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
                    + "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
            "llama3",
            "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
                    + "{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
                    + "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
            "mistral",
            "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}"
                    + " {{ message['content'] | trim }}{{ eos_token }}{% else %}[INST] {{ message['content'] | trim }}"
                    + " [/INST]{% endif %}{% endfor %}",
            "alpaca",
            "{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] }}\n\n"
                    + "{% elif message['role'] == 'user' %}### Instruction:\n{{ message['content'] }}\n\n"
                    + "{% else %}### Response:\n{{ message['content'] }}{{ eos_token }}\n\n{% endif %}{% endfor %}"
                    + "{% if add_generation_prompt %}### Response:\n{% endif %}",
            "exaone",
            "{% for message in messages %}[|{{ message['role'] }}|]{{ message['content'] }}"
                    + "{% if message['role'] != 'user' %}[|endofturn|]{% endif %}\n{% endfor %}"
                    + "{% if add_generation_prompt %}[|assistant|]{% endif %}");

    private ChatTemplates() {}

    /** Reports a template that is neither a known name nor a literal template. */
    static void check(Optional<String> template, Problems problems) {
        template.filter(text -> !isKnown(text))
                .ifPresent(text -> problems.fatal("chat_template " + text + " is unknown"
                        + Spelling.hint(text, NAMED.keySet()) + "; use auto, "
                        + String.join(", ", new TreeSet<>(NAMED.keySet())) + ", or a template of at least "
                        + LEAST_LITERAL + " characters"));
    }

    private static boolean isKnown(String text) {
        return text.equals(AUTO) || NAMED.containsKey(text) || isLiteral(text);
    }

    private static boolean isLiteral(String text) {
        return text.length() >= LEAST_LITERAL && text.contains("{");
    }

    /**
     * Returns the text of a template. {@code auto} selects the most frequent template of the models, and the first one in a
     * tie.
     */
    static Optional<String> resolve(String template, List<InputModel> models) {
        if (!template.equals(AUTO)) {
            return Optional.of(NAMED.getOrDefault(template, template));
        }
        Map<String, Integer> counts = new LinkedHashMap<>();
        models.forEach(model -> model.chatTemplate().ifPresent(text -> counts.merge(text, 1, Integer::sum)));
        return counts.entrySet().stream()
                .sorted(Comparator.comparingInt((Map.Entry<String, Integer> entry) -> -entry.getValue()))
                .map(Map.Entry::getKey)
                .findFirst();
    }
}
