package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.evaluate.ReadingQuestions;
import dev.pollux.finetune.train.TrainingRow.Text;
import dev.pollux.inference.internal.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads rows of all layouts. <em>For one file.</em> */
final class RowReader {

    /*
     * Layouts, by the keys of a row; the first that fits is taken:
     *
     *   chosen, rejected [, prompt, margin] a pair; without a prompt, what both begin with is the prompt
     *   prompt, completion, label           unpaired
     *   prompt, completion                  a prompt with its completion
     *   prompt [, answers]                  a prompt alone, for completions that the model writes itself; answers is a list of
     *                                       those that are right, or one text
     *   messages                            a conversation
     *   conversations                       ShareGPT: from (system, human, gpt, tool), value
     *   instruction [, input, system], output   Alpaca, as a conversation of two turns
     *   question, answers [, context]       a question about a passage, with the prompt of a twin
     *   text                                a text
     *
     * A prompt or completion is a text, a message or a list of messages.
     */

    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool");
    private static final Map<String, String> SHARE_GPT = Map.of(
            "system",
            "system",
            "human",
            "user",
            "user",
            "user",
            "gpt",
            "assistant",
            "assistant",
            "assistant",
            "tool",
            "tool",
            "function_response",
            "tool");

    private final String source;

    RowReader(String source) {
        this.source = source;
    }

    TrainingRow read(long number, JsonNode row) {
        if (!row.isObject()) {
            throw refused(number, "must be a JSON object but is " + row.shown());
        }
        if (row.has("chosen") && row.has("rejected")) {
            return pair(number, row);
        }
        if (row.has("prompt") && row.has("completion")) {
            Optional<Boolean> label = Optional.empty();
            if (row.has("label")) {
                if (!row.path("label").isBoolean()) {
                    throw refused(
                            number, "has the label " + row.path("label").shown() + ", which must be true or false");
                }
                label = Optional.of(row.path("label").asBoolean(false));
            }
            return new TrainingRow(
                    number,
                    text(number, "prompt", row.path("prompt")),
                    wanted(number, "completion", row.path("completion")),
                    Optional.empty(),
                    label);
        }
        if (row.has("prompt") && !row.has("text") && !row.has("messages")) {
            return new TrainingRow(
                    number,
                    wanted(number, "prompt", row.path("prompt")),
                    Text.EMPTY,
                    Optional.empty(),
                    Optional.empty(),
                    answers(number, row.path("answers")),
                    0);
        }
        if (row.has("messages")) {
            return whole(number, wanted(number, "messages", row.path("messages")));
        }
        if (row.has("conversations")) {
            return whole(number, Text.of(shareGpt(number, row.path("conversations"))));
        }
        if (row.has("instruction") && row.has("output")) {
            return alpaca(number, row);
        }
        if (row.has("question") && (row.has("answers") || row.has("answerable"))) {
            return QuestionRows.single(number, ReadingQuestions.question(source, number, keys(row)));
        }
        if (row.has("text")) {
            return whole(number, wanted(number, "text", row.path("text")));
        }
        throw refused(
                number,
                "has the keys " + row.propertyNames() + " but needs text, messages, conversations, instruction and"
                        + " output, question and answers, prompt and completion, or chosen and rejected");
    }

    private List<String> answers(long number, JsonNode answers) {
        List<String> read = new ArrayList<>();
        if (answers.isString()) {
            read.add(answers.asString(""));
        } else {
            answers.forEach(one -> read.add(string(number, "an answer", one)));
        }
        return read;
    }

    private static Map<String, Object> keys(JsonNode row) {
        Map<String, Object> keys = new LinkedHashMap<>();
        if (row.toJava() instanceof Map<?, ?> map) {
            map.forEach((name, value) -> {
                if (value != null) {
                    keys.put(String.valueOf(name), value);
                }
            });
        }
        return keys;
    }

    private static TrainingRow whole(long number, Text completion) {
        return new TrainingRow(number, Text.EMPTY, completion, Optional.empty(), Optional.empty());
    }

    private TrainingRow alpaca(long number, JsonNode row) {
        List<Map<String, Object>> prompt = new ArrayList<>();
        String system = row.path("system").asString("");
        if (!system.isEmpty()) {
            prompt.add(message("system", system));
        }
        String input = row.path("input").asString("");
        String instruction = string(number, "instruction", row.path("instruction"));
        prompt.add(message("user", input.isEmpty() ? instruction : instruction + "\n\n" + input));
        String output = string(number, "output", row.path("output"));
        if (output.isBlank()) {
            throw refused(number, "has an empty output, so there is nothing to train");
        }
        return new TrainingRow(
                number,
                Text.of(prompt),
                Text.of(List.of(message("assistant", output))),
                Optional.empty(),
                Optional.empty());
    }

    private TrainingRow pair(long number, JsonNode row) {
        Text chosen = wanted(number, "chosen", row.path("chosen"));
        Text rejected = wanted(number, "rejected", row.path("rejected"));
        if (chosen.isConversation() != rejected.isConversation()) {
            throw refused(number, "has a text and a conversation as chosen and rejected, which must be alike");
        }
        Text prompt = row.has("prompt") ? text(number, "prompt", row.path("prompt")) : Text.EMPTY;
        if (prompt.isEmpty()) {
            int same = shared(chosen, rejected);
            if (same == 0) {
                throw refused(number, "has no prompt, and chosen and rejected begin differently; add a prompt");
            }
            prompt = before(chosen, same);
            chosen = after(chosen, same);
            rejected = after(rejected, same);
        }
        return new TrainingRow(
                number,
                prompt,
                chosen,
                Optional.of(rejected),
                Optional.empty(),
                List.of(),
                margin(number, row.path("margin")));
    }

    private double margin(long number, JsonNode margin) {
        if (margin.isMissingNode()) {
            return 0;
        }
        double value = margin.asDouble(Double.NaN);
        if (!margin.isNumber() || !Double.isFinite(value)) {
            throw refused(number, "has the margin " + margin.shown() + ", which must be a number");
        }
        return value;
    }

    /** Turns or characters that both begin with, one less than either has. */
    private static int shared(Text a, Text b) {
        int same = 0;
        if (a.isConversation()) {
            int most = Math.min(a.messages().size(), b.messages().size()) - 1;
            while (same < most && a.messages().get(same).equals(b.messages().get(same))) {
                same++;
            }
            return same;
        }
        int most = Math.min(a.text().length(), b.text().length());
        while (same < most && a.text().charAt(same) == b.text().charAt(same)) {
            same++;
        }
        return same == most ? 0 : same;
    }

    private static Text before(Text text, int end) {
        return text.isConversation()
                ? Text.of(text.messages().subList(0, end))
                : Text.of(text.text().substring(0, end));
    }

    private static Text after(Text text, int begin) {
        return text.isConversation()
                ? Text.of(text.messages().subList(begin, text.messages().size()))
                : Text.of(text.text().substring(begin));
    }

    private Text wanted(long number, String key, JsonNode value) {
        Text text = text(number, key, value);
        if (text.isEmpty()) {
            throw refused(number, "has an empty " + key + ", so there is nothing to train");
        }
        return text;
    }

    private Text text(long number, String key, JsonNode value) {
        if (value.isString()) {
            return Text.of(value.asString(""));
        }
        if (value.isObject()) {
            return Text.of(List.of(message(number, key, value)));
        }
        if (value.isArray()) {
            List<Map<String, Object>> messages = new ArrayList<>();
            value.forEach(one -> messages.add(message(number, key, one)));
            return Text.of(messages);
        }
        throw refused(number, "has " + value.shown() + " as " + key + ", which must be a text or a list of messages");
    }

    private Map<String, Object> message(long number, String key, JsonNode message) {
        String role = message.path("role").asString("");
        if (!ROLES.contains(role)) {
            throw refused(
                    number,
                    "has the role '" + role + "' in " + key
                            + ", which must be system, developer, user, assistant or tool");
        }
        if (!message.hasNonNull("content") && !message.has("tool_calls")) {
            throw refused(number, "has a message of " + role + " without content in " + key);
        }
        return keys(message);
    }

    private static Map<String, Object> message(String role, String content) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }

    private List<Map<String, Object>> shareGpt(long number, JsonNode turns) {
        List<Map<String, Object>> messages = new ArrayList<>();
        for (JsonNode turn : turns) {
            String from = turn.path("from").asString("");
            String role = SHARE_GPT.get(from);
            if (role == null) {
                throw refused(
                        number,
                        "has a turn from '" + from + "' in conversations, which must be system, human, gpt or tool");
            }
            messages.add(message(role, string(number, "value", turn.path("value"))));
        }
        if (messages.isEmpty()) {
            throw refused(number, "has empty conversations, so there is nothing to train");
        }
        return messages;
    }

    private String string(long number, String key, JsonNode value) {
        if (!value.isString()) {
            throw refused(number, "has " + value.shown() + " as " + key + ", which must be a text");
        }
        return value.asString("");
    }

    private MalformedFileException refused(long number, String why) {
        return new MalformedFileException(source + ": row " + number + " " + why + "; correct or remove the row");
    }
}
