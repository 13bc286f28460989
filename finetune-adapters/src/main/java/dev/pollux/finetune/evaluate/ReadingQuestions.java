package dev.pollux.finetune.evaluate;

import static dev.pollux.internal.OptionRange.require;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.finetune.internal.data.JsonRows;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.internal.math.CounterRandom;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Questions about passages, and plain texts. <em>Immutable.</em>
 *
 * <table>
 * <caption>Rows</caption>
 * <tr><th>keys</th><th>row</th></tr>
 * <tr><td>{@code question}, {@code answers}, perhaps {@code id}, {@code document}, {@code context}, {@code answerable}</td>
 * <td>a question; with {@code answerable: false} it has no answer</td></tr>
 * <tr><td>{@code text}</td><td>a text, for its perplexity</td></tr>
 * </table>
 */
public final class ReadingQuestions {

    private static final int TRIALS = 50;

    private final String name;
    private final List<ReadingQuestion> rows;
    private final List<String> texts;

    private ReadingQuestions(String name, List<ReadingQuestion> rows, List<String> texts) {
        this.name = name;
        this.rows = List.copyOf(rows);
        this.texts = List.copyOf(texts);
        if (rows.isEmpty() && texts.isEmpty()) {
            throw new MalformedFileException(name + " has no rows; give a file with at least one");
        }
    }

    /** Questions in memory. */
    public static ReadingQuestions of(String name, List<ReadingQuestion> rows) {
        return new ReadingQuestions(name, rows, List.of());
    }

    /**
     * Reads a file with a JSON object on each line, one JSON array of objects, or plain text.
     *
     * @throws MalformedFileException if a row cannot be read; the message has its number
     * @throws StorageException if the file cannot be read
     */
    public static ReadingQuestions read(Path file) {
        String text = JsonRows.text(file);
        List<ReadingQuestion> rows = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        String begin = text.stripLeading();
        if (begin.startsWith("[") || begin.startsWith("{")) {
            JsonRows.read(file, text, (number, row) -> add(file, number, row, rows, texts));
        } else if (!begin.isEmpty()) {
            texts.add(text);
        }
        return new ReadingQuestions(file.toString(), rows, texts);
    }

    private static void add(Path file, long number, JsonNode row, List<ReadingQuestion> rows, List<String> texts) {
        if (row.has("text") && !row.has("question")) {
            texts.add(string(file.toString(), number, "text", row));
        } else if (!row.isObject()) {
            throw refused(file.toString(), number, "must be a JSON object but is " + row.shown());
        } else {
            rows.add(question(file.toString(), number, row));
        }
    }

    /**
     * A question as an object of a file has it.
     *
     * @param source for messages
     * @param number of the row, from 1
     * @throws MalformedFileException if it is no question
     */
    public static ReadingQuestion question(String source, long number, Map<String, ?> row) {
        return question(source, number, JsonNode.of(row));
    }

    private static ReadingQuestion question(String source, long number, JsonNode row) {
        String question = string(source, number, "question", row);
        List<String> answers = new ArrayList<>();
        for (JsonNode answer : row.path("answers")) {
            if (!answer.isString()) {
                throw refused(source, number, "has " + answer.shown() + " among its answers, which must be texts");
            }
            answers.add(answer.asString(""));
        }
        boolean answerable = row.path("answerable").asBoolean(!answers.isEmpty() || !row.has("answers"));
        if (answerable && answers.isEmpty()) {
            throw refused(source, number, "has no answers; add 'answers', or 'answerable': false");
        }
        String id = row.hasNonNull("id") ? row.path("id").asString("" + number) : "" + number;
        Optional<String> passage =
                row.hasNonNull("context") ? Optional.of(string(source, number, "context", row)) : Optional.empty();
        String document = row.hasNonNull("document") ? row.path("document").asString(id) : passage.orElse(id);
        return new ReadingQuestion(id, document, passage, question, answerable ? answers : List.of());
    }

    private static String string(String source, long number, String key, JsonNode row) {
        JsonNode value = row.path(key);
        if (!value.isString() || value.asString("").isBlank()) {
            throw refused(
                    source,
                    number,
                    row.has(key)
                            ? "has " + value.shown() + " as " + key + ", which must be a text that is not empty"
                            : "has the keys " + row.propertyNames() + " but needs question and answers, or text");
        }
        return value.asString("");
    }

    private static MalformedFileException refused(String source, long number, String why) {
        return new MalformedFileException(source + ": row " + number + " " + why + "; correct or remove the row");
    }

    /** The name for messages, such as the path of the file. */
    public String name() {
        return name;
    }

    /** The questions, in order. */
    public List<ReadingQuestion> rows() {
        return rows;
    }

    /** The plain texts, in order. */
    public List<String> texts() {
        return texts;
    }

    /**
     * A sample: rows at equal distances.
     *
     * @param most its largest size, at least 1
     */
    public ReadingQuestions sample(int most) {
        require(most >= 1, "sample", "at least 1", most);
        if (rows.size() <= most) {
            return this;
        }
        List<ReadingQuestion> some = new ArrayList<>();
        for (int i = 0; i < most; i++) {
            some.add(rows.get((int) ((long) i * rows.size() / most)));
        }
        return new ReadingQuestions(name, some, texts);
    }

    /**
     * The rows with further ones that have no answer: questions with a passage of another document, which does not contain
     * their answers.
     *
     * @param share of the answerable rows that are added once more so, in [0, 1]
     * @param seed of the choice
     */
    public ReadingQuestions withSwappedPassages(double share, long seed) {
        require(share >= 0 && share <= 1, "unanswerable", "in [0, 1]", share);
        List<ReadingQuestion> all = new ArrayList<>(rows);
        List<ReadingQuestion> known = rows.stream()
                .filter(row -> row.isAnswerable() && row.passage().isPresent())
                .toList();
        int count = (int) Math.round(share * known.size());
        long key = CounterRandom.key(seed, "swapped");
        for (int i = 0; i < count; i++) {
            ReadingQuestion row = known.get((int) ((long) i * known.size() / count));
            for (int trial = 0; trial < TRIALS; trial++) {
                ReadingQuestion other =
                        known.get((int) (CounterRandom.bits(key, (long) i * TRIALS + trial) * 0x1p-53 * known.size()));
                String passage = other.passage().orElseThrow();
                if (!other.document().equals(row.document()) && !row.isAnsweredIn(passage)) {
                    all.add(row.about(passage));
                    break;
                }
            }
        }
        return new ReadingQuestions(name, all, texts);
    }
}
