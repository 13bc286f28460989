package dev.pollux.finetune.train;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A row of a data set, in one form for all layouts. <em>Immutable.</em>
 *
 * @param number of the row in its file, from 1
 * @param prompt what is given; empty for a text or a conversation as a whole
 * @param completion what is wanted
 * @param rejected of a pair, the worse completion
 * @param desirable of an unpaired row, whether the completion is
 * @param answers of a prompt, those that are right; empty if none is given
 * @param margin of a pair, by how much the reward of the completion is to be larger; 0 if none is given
 */
record TrainingRow(
        long number,
        Text prompt,
        Text completion,
        Optional<Text> rejected,
        Optional<Boolean> desirable,
        List<String> answers,
        double margin) {

    TrainingRow {
        answers = List.copyOf(answers);
    }

    TrainingRow(long number, Text prompt, Text completion, Optional<Text> rejected, Optional<Boolean> desirable) {
        this(number, prompt, completion, rejected, desirable, List.of(), 0);
    }

    /**
     * A text, or turns of a conversation.
     *
     * @param text of a plain text
     * @param messages of a conversation, each with role and content
     */
    record Text(String text, List<Map<String, Object>> messages) {

        static final Text EMPTY = new Text("", List.of());

        Text {
            messages = List.copyOf(messages);
        }

        static Text of(String text) {
            return new Text(text, List.of());
        }

        static Text of(List<Map<String, Object>> messages) {
            return new Text("", messages);
        }

        boolean isConversation() {
            return !messages.isEmpty();
        }

        boolean isEmpty() {
            return text.isEmpty() && messages.isEmpty();
        }
    }

    boolean isConversation() {
        return prompt.isConversation() || completion.isConversation();
    }
}
