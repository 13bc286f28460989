package dev.pollux.rag.search;

import dev.pollux.generation.Generator;
import dev.pollux.generation.Message;
import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import dev.pollux.retrieval.Retrievers;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Retrievers that let a model word the question before they search. Filter, number of hits and trace of the query are kept. If
 * the model writes nothing usable, the question is searched as it is. The retrievers are <em>thread-safe</em> if the given ones and
 * the generator are.
 */
public final class QueryExpansion {

    private static final int TOKENS_PER_LINE = 48;
    private static final int PASSAGE_TOKENS = 192;
    private static final int MOST_TURNS = 6;

    private QueryExpansion() {}

    /**
     * Searches the question and other wordings of it, and fuses the lists by reciprocal rank ({@link Retrievers#fused}).
     *
     * @param variants number of other wordings, in [1, 10]
     */
    public static Retriever multiQuery(Retriever retriever, Generator generator, int variants) {
        if (variants < 1 || variants > 10) {
            throw new IllegalArgumentException("variants must be in [1, 10] but was " + variants);
        }
        String instruction =
                "Write " + variants + " other wordings of the user's question for a search engine, one on each"
                        + " line, with synonyms and in the language of the question. Write nothing else.";
        return query -> {
            long begin = System.nanoTime();
            List<String> wordings = new ArrayList<>(List.of(query.text()));
            Written.lines(Written.by(generator, variants * TOKENS_PER_LINE, instruction, query.text()), variants)
                    .stream()
                    .filter(line -> !line.equalsIgnoreCase(query.text()))
                    .forEach(wordings::add);
            query.trace().add("multi-query", 1, wordings.size(), begin);
            List<Retriever> arms = wordings.stream()
                    .map(wording -> (Retriever) given -> retriever.retrieve(given.withText(wording)))
                    .toList();
            return Retrievers.fused(Retrievers.RRF_K, arms).retrieve(query);
        };
    }

    /**
     * Searches a passage that a model writes as an answer (HyDE: Gao et al., arXiv 2212.10496), and fuses the list with that of the
     * question. A wrong answer is still near the right passages; nothing of it is shown.
     *
     * @param dense searches the written passage, such as a knowledge base's dense retriever
     * @param retriever searches the question
     */
    public static Retriever hypotheticalDocument(Retriever dense, Retriever retriever, Generator generator) {
        String instruction =
                "Write one short paragraph, as it could stand in a document, that answers the user's question. Write"
                        + " nothing else.";
        return query -> {
            long begin = System.nanoTime();
            String passage = Written.by(generator, PASSAGE_TOKENS, instruction, query.text());
            query.trace().add("hypothetical document", 1, passage.isBlank() ? 0 : 1, begin);
            return passage.isBlank()
                    ? retriever.retrieve(query)
                    : Retrievers.fused(given -> dense.retrieve(given.withText(passage)), retriever)
                            .retrieve(query);
        };
    }

    /**
     * Rewrites a question that depends on a conversation, such as {@code and for part-time staff?}, as one that does not.
     *
     * @param history the messages before the question, oldest first; the last six are read
     */
    public static Retriever rewritten(Retriever retriever, Generator generator, Supplier<List<Message>> history) {
        String instruction =
                "Rewrite the last question so that it can be understood without the conversation. Keep its language"
                        + " and its meaning. Write the question and nothing else.";
        return query -> {
            List<Message> turns = history.get();
            if (turns.isEmpty()) {
                return retriever.retrieve(query);
            }
            long begin = System.nanoTime();
            StringBuilder input = new StringBuilder();
            for (Message turn : turns.subList(Math.max(0, turns.size() - MOST_TURNS), turns.size())) {
                input.append(turn.role())
                        .append(": ")
                        .append(turn.content().strip())
                        .append('\n');
            }
            input.append("last question: ").append(query.text());
            List<String> lines =
                    Written.lines(Written.by(generator, TOKENS_PER_LINE * 2, instruction, input.toString()), 1);
            query.trace().add("rewrite", 1, lines.size(), begin);
            return retriever.retrieve(lines.isEmpty() ? query : query.withText(lines.get(0)));
        };
    }

    /**
     * Lets a model extract a filter from the question, such as {@code year = 2024} from {@code leave rules of 2024}. A filter that
     * does not parse, or names a field that does not exist, is not used: a model can narrow a search and never break it. The filter
     * of the query holds as well.
     *
     * @param fields describes the fields to the model, such as {@code year (number), department (text)}
     * @param filter parses and checks, such as {@code knowledge::filter}; throws {@link IllegalArgumentException}
     */
    public static Retriever selfQuery(
            Retriever retriever, Generator generator, Supplier<String> fields, Function<String, Filter> filter) {
        return query -> {
            String known = fields.get();
            if (known.isBlank()) {
                return retriever.retrieve(query);
            }
            long begin = System.nanoTime();
            String instruction =
                    "Documents have these fields: " + known + ". If the user's question restricts them, write the"
                            + " restriction on one line in this form: department = \"hr\" and year >= 2024 and not archived. If it does not,"
                            + " write: all. Write nothing else.";
            List<String> lines = Written.lines(Written.by(generator, TOKENS_PER_LINE, instruction, query.text()), 1);
            Filter found = Filter.all();
            try {
                found = lines.isEmpty() ? found : filter.apply(lines.get(0));
            } catch (IllegalArgumentException e) {
                found = Filter.all(); // the model's mistake
            }
            query.trace().add("self-query", 1, found.equals(Filter.all()) ? 0 : 1, begin);
            return retriever.retrieve(narrowed(query, found));
        };
    }

    private static Query narrowed(Query query, Filter found) {
        return query.withFilter(query.filter().and(found));
    }
}
