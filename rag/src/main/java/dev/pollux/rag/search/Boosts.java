package dev.pollux.rag.search;

import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Hit;
import dev.pollux.retrieval.Query;
import dev.pollux.retrieval.Retriever;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * Retrievers that multiply scores by what metadata say. They ask for max(100, topK) hits and keep the best. Scores must not be
 * negative, as those of BM25 and of fusion are not; similarities of vectors can be. The retrievers are <em>thread-safe</em> if the
 * given ones are.
 */
public final class Boosts {

    private static final int DEPTH = 100;
    private static final int DAY_LENGTH = "2024-05-06".length();

    private Boosts() {}

    /**
     * Prefers recent documents: score · 0.5^(age / halfLife). A document without a date, or with one in the future, keeps its
     * score.
     *
     * @param field metadata field with an ISO 8601 date, such as {@code updated}
     * @param halfLife age that halves a score; at least a day
     * @param clock gives today, in UTC
     */
    public static Retriever recent(Retriever retriever, String field, Duration halfLife, Clock clock) {
        if (halfLife.compareTo(Duration.ofDays(1)) < 0) {
            throw new IllegalArgumentException("halfLife must be at least a day but was " + halfLife);
        }
        double days = halfLife.toDays();
        return weighted(
                retriever,
                "time decay",
                hit -> date(hit, field)
                        .map(date -> (double) LocalDate.now(clock.withZone(ZoneOffset.UTC))
                                        .toEpochDay()
                                - date.toEpochDay())
                        .filter(age -> age > 0)
                        .map(age -> Math.pow(0.5, age / days))
                        .orElse(1.0));
    }

    /**
     * Multiplies the scores of documents that satisfy a filter.
     *
     * @param factor above 1 to prefer them, below 1 to demote them; positive and finite
     */
    public static Retriever matching(Retriever retriever, Filter filter, double factor) {
        if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("factor must be positive and finite but was " + factor);
        }
        return weighted(retriever, "boost", hit -> filter.matches(hit.passage().metadata()) ? factor : 1);
    }

    private static Retriever weighted(Retriever retriever, String stage, ToDoubleFunction<Hit> weight) {
        return query -> {
            List<Hit> hits = retriever.retrieve(deep(query));
            long begin = System.nanoTime();
            List<Hit> best = hits.stream()
                    .map(hit -> new Hit(hit.passage(), hit.score() * weight.applyAsDouble(hit)))
                    .sorted(Comparator.comparingDouble(Hit::score).reversed())
                    .limit(query.topK())
                    .toList();
            query.trace().add(stage, hits.size(), best.size(), begin);
            return best;
        };
    }

    private static Query deep(Query query) {
        return query.withTopK(Math.max(DEPTH, query.topK()));
    }

    private static Optional<LocalDate> date(Hit hit, String field) {
        String text = hit.passage().metadata().getOrDefault(field, "").strip();
        try {
            return text.length() < DAY_LENGTH
                    ? Optional.empty()
                    : Optional.of(LocalDate.parse(text.substring(0, DAY_LENGTH)));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }
}
