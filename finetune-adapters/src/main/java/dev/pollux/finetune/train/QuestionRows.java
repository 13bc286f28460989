package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.evaluate.ReadingQuestion;
import dev.pollux.finetune.evaluate.ReadingQuestions;
import dev.pollux.finetune.train.TrainingRow.Text;
import dev.pollux.generation.Message;
import dev.pollux.internal.text.Language;
import dev.pollux.internal.text.Languages;
import dev.pollux.internal.text.Words;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/** Rows of conversations about passages. <em>For one call.</em> */
final class QuestionRows {

    /*
     * The questions about a passage are turns of one row, so the passage is read once for all of them. Questions without an
     * answer are those about other passages, two of five about another passage of the same document if there is one. One of
     * three is the question among many that shares most words with the passage: such are what a search finds, and neither
     * names nor the subject tell that they have no answer. With two of three, a model also refused 13 % of the questions that
     * have one. A question whose answer happens to be in the passage is not used so.
     */

    private static final double SAME_DOCUMENT = 0.4;
    private static final double NEAR = 1.0 / 3;
    private static final int TRIALS = 20;
    private static final int NEAR_TRIALS = 60;

    private final QuestionLayout layout;
    private final Random random;
    private final Map<String, List<ReadingQuestion>> byPassage = new LinkedHashMap<>();
    private final Map<String, List<ReadingQuestion>> byDocument = new LinkedHashMap<>();
    private final List<ReadingQuestion> all = new ArrayList<>();

    private QuestionRows(QuestionLayout layout) {
        this.layout = layout;
        this.random = new Random(layout.seed());
    }

    static List<TrainingRow> of(ReadingQuestions questions, QuestionLayout layout) {
        QuestionRows rows = new QuestionRows(layout);
        questions.rows().forEach(rows::add);
        List<TrainingRow> made = new ArrayList<>();
        rows.byPassage.forEach((passage, own) -> {
            for (int from = 0; from < own.size(); from += layout.questions()) {
                List<ReadingQuestion> some = own.subList(from, Math.min(own.size(), from + layout.questions()));
                made.add(rows.row(made.size() + 1L, passage, some));
            }
        });
        if (made.isEmpty()) {
            throw new MalformedFileException(questions.name() + " has no question about a passage of at most "
                    + layout.longestPassage() + " characters"
                    + (layout.literal() ? " with an answer that is in the passage word by word" : "")
                    + "; allow longer passages or other answers");
        }
        return made;
    }

    private void add(ReadingQuestion one) {
        String passage = one.passage().orElse("");
        boolean usable = !layout.literal() || one.isFirstAnswerIn(passage);
        if (one.isAnswerable() && usable) {
            all.add(one);
            byDocument.computeIfAbsent(one.document(), key -> new ArrayList<>()).add(one);
        }
        if (!passage.isEmpty() && passage.length() <= layout.longestPassage() && (!one.isAnswerable() || usable)) {
            byPassage.computeIfAbsent(passage, key -> new ArrayList<>()).add(one);
        }
    }

    private TrainingRow row(long number, String passage, List<ReadingQuestion> own) {
        List<ReadingQuestion> asked = new ArrayList<>(own);
        double wanted = all.isEmpty() ? 0 : layout.unanswerable() * own.size();
        int count = (int) wanted + (random.nextDouble() < wanted - (int) wanted ? 1 : 0);
        Language language = Languages.of(passage);
        Set<String> words = Words.contentStems(passage, language);
        for (int i = 0; i < count; i++) {
            other(own.get(0), passage, one -> shared(Words.contentStems(one, language), words))
                    .filter(found -> !asked.contains(found))
                    .ifPresent(asked::add);
        }
        Collections.shuffle(asked, random);
        List<Map<String, Object>> messages = new ArrayList<>();
        asked.get(0).messages().forEach(message -> messages.add(tree(message)));
        messages.add(tree(Message.assistant(asked.get(0).wanted())));
        for (ReadingQuestion next : asked.subList(1, asked.size())) {
            messages.add(tree(next.followUp()));
            messages.add(tree(Message.assistant(next.wanted())));
        }
        return new TrainingRow(number, Text.EMPTY, Text.of(messages), Optional.empty(), Optional.empty());
    }

    /**
     * A question about another passage that this one does not answer.
     *
     * @param shared the share of a question's words that are in this passage
     */
    private Optional<ReadingQuestion> other(ReadingQuestion one, String passage, ToDoubleFunction<String> shared) {
        List<ReadingQuestion> same = byDocument.getOrDefault(one.document(), all);
        List<ReadingQuestion> from = random.nextDouble() < SAME_DOCUMENT ? same : all;
        boolean near = random.nextDouble() < NEAR;
        Optional<ReadingQuestion> best = Optional.empty();
        double most = -1;
        for (int trial = 0; trial < (near ? NEAR_TRIALS : TRIALS); trial++) {
            ReadingQuestion found = from.get(random.nextInt(from.size()));
            double share = near ? shared.applyAsDouble(found.question()) : 0;
            if (share > most && !found.passage().equals(Optional.of(passage)) && !found.isAnsweredIn(passage)) {
                most = share;
                best = Optional.of(found);
                if (!near) {
                    break;
                }
            }
        }
        return best.map(found -> found.about(passage));
    }

    private static double shared(Set<String> question, Set<String> passage) {
        return question.stream().filter(passage::contains).count() / (double) Math.max(1, question.size());
    }

    private static Map<String, Object> tree(Message message) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("role", message.role());
        tree.put("content", message.content());
        return tree;
    }

    /** What an answer contains that says so where the passage has none. */
    private static final String UNKNOWN = "not in the sources";

    /** One question with its answer as a row of a prompt and a completion. */
    static TrainingRow single(long number, ReadingQuestion one) {
        return new TrainingRow(
                number,
                Text.of(one.messages().stream().map(QuestionRows::tree).toList()),
                Text.of(List.of(tree(Message.assistant(one.wanted())))),
                Optional.empty(),
                Optional.empty(),
                one.isAnswerable() ? one.answers() : List.of(UNKNOWN),
                0);
    }
}
