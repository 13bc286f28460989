package dev.pollux.internal.text;

import dev.pollux.internal.text.Block.Kind;
import java.util.ArrayList;
import java.util.List;

/** Finds the questions and answers that are marked as such, as {@code Q:} and {@code A:} are. */
final class Labels {

    private Labels() {}

    /** Whether a line begins with the mark of a question or an answer. */
    static boolean marks(String line) {
        return Asking.questionMark(line) > 0 || Asking.answerMark(line) > 0;
    }

    /** The blocks with marked questions and answers told apart, their marks outside of them. */
    static List<Block> of(String text, List<Block> blocks) {
        List<Block> labelled = new ArrayList<>(blocks);
        boolean asked = false;
        for (int i = 0; i < labelled.size(); i++) {
            Block block = labelled.get(i);
            if (block.kind() != Kind.PARAGRAPH && block.kind() != Kind.HEADING) {
                continue;
            }
            String says = block.of(text);
            int question = Asking.questionMark(says);
            int answer = Asking.answerMark(says);
            if (question > 0 && (Asking.isQuestion(says) || answers(text, labelled, i + 1))) {
                labelled.set(i, marked(block, block.kind() == Kind.HEADING ? Kind.HEADING : Kind.QUESTION, question));
                asked = true;
            } else if (block.kind() == Kind.PARAGRAPH && isBold(says) && Asking.isQuestion(says)) {
                labelled.set(i, marked(block, Kind.QUESTION, 0));
                asked = true;
            } else if (answer > 0 && asked) {
                labelled.set(i, marked(block, Kind.ANSWER, answer));
            } else {
                asked &= block.level() == 0;
            }
        }
        return labelled;
    }

    /** Whether a text is bold from its beginning to its end. */
    private static boolean isBold(String says) {
        return says.length() > 4
                && (says.startsWith("**") && says.indexOf("**", 2) == says.length() - 2
                        || says.startsWith("__") && says.indexOf("__", 2) == says.length() - 2);
    }

    private static boolean answers(String text, List<Block> blocks, int next) {
        return next < blocks.size() && Asking.answerMark(blocks.get(next).of(text)) > 0;
    }

    private static Block marked(Block block, Kind kind, int mark) {
        return new Block(
                kind,
                Math.min(block.end(), block.start() + mark),
                block.end(),
                block.firstLine(),
                block.endLine(),
                block.level(),
                block.path(),
                block.place());
    }
}
