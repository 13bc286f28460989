package dev.pollux.finetune.train;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.finetune.evaluate.ReadingQuestions;
import dev.pollux.finetune.internal.data.JsonRows;
import dev.pollux.inference.internal.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Rows to train on. Layouts are found by the keys of a row:
 *
 * <table>
 * <caption>Layouts</caption>
 * <tr><th>keys</th><th>row</th></tr>
 * <tr><td>{@code text}</td><td>a text</td></tr>
 * <tr><td>{@code messages}</td><td>a conversation; {@code conversations} is ShareGPT's</td></tr>
 * <tr><td>{@code instruction}, {@code input}, {@code output}</td><td>Alpaca</td></tr>
 * <tr><td>{@code prompt}, {@code completion}</td><td>texts or messages; with {@code label}, unpaired</td></tr>
 * <tr><td>{@code prompt}</td><td>a prompt, for completions that the model writes itself</td></tr>
 * <tr><td>{@code question}, {@code answers}, perhaps {@code context}</td><td>a question about a passage, as a twin asks it
 * </td></tr>
 * <tr><td>{@code chosen}, {@code rejected}</td><td>a pair, with or without {@code prompt}</td></tr>
 * </table>
 *
 * <p><em>Immutable.</em>
 */
public final class Dataset {

    private final String name;
    private final List<TrainingRow> rows;

    private Dataset(String name, List<TrainingRow> rows) {
        this.name = name;
        this.rows = List.copyOf(rows);
        if (rows.isEmpty()) {
            throw new MalformedFileException(name + " has no rows; give a file with at least one");
        }
    }

    /**
     * Reads a file with a JSON object on each line, or one JSON array of objects. Empty lines are passed over.
     *
     * @throws MalformedFileException if a row cannot be read; the message has its number
     * @throws StorageException if the file cannot be read
     */
    public static Dataset jsonl(Path file) {
        RowReader reader = new RowReader(file.toString());
        List<TrainingRow> rows = new ArrayList<>();
        JsonRows.read(file, JsonRows.text(file), (number, row) -> rows.add(reader.read(number, row)));
        return new Dataset(file.toString(), rows);
    }

    /**
     * Questions about passages as conversations. A conversation is one text, so {@link TrainingOptions.Targets#ASSISTANT} trains
     * its answers.
     */
    public static Dataset questions(ReadingQuestions questions, QuestionLayout layout) {
        return new Dataset(questions.name(), QuestionRows.of(questions, layout));
    }

    /**
     * Rows in memory, each as an object of a file would have it.
     *
     * @param name for messages
     */
    public static Dataset of(String name, List<? extends Map<String, ?>> rows) {
        RowReader reader = new RowReader(name);
        List<TrainingRow> read = new ArrayList<>();
        for (Map<String, ?> row : rows) {
            read.add(reader.read(read.size() + 1L, JsonNode.of(row)));
        }
        return new Dataset(name, read);
    }

    /** The name for messages, such as the path of its file. */
    public String name() {
        return name;
    }

    /** The number of rows. */
    public int size() {
        return rows.size();
    }

    /** Whether the first row is a pair of a chosen and a rejected completion. */
    public boolean isPairs() {
        return rows.get(0).rejected().isPresent();
    }

    List<TrainingRow> rows() {
        return rows;
    }
}
