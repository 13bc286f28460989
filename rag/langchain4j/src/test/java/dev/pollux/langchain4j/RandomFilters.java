package dev.pollux.langchain4j;

import dev.langchain4j.store.embedding.filter.Filter;
import dev.langchain4j.store.embedding.filter.comparison.IsEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThan;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThanOrEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsIn;
import dev.langchain4j.store.embedding.filter.comparison.IsLessThan;
import dev.langchain4j.store.embedding.filter.comparison.IsLessThanOrEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsNotEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsNotIn;
import java.util.List;
import java.util.Random;

/** Filters over {@code team} (text), {@code year} (whole number) and {@code price} (number). */
final class RandomFilters {

    private RandomFilters() {}

    static Filter filter(Random random, int depth) {
        int kind = depth == 0 ? 3 : random.nextInt(6);
        return switch (kind) {
            case 0 -> filter(random, depth - 1).and(filter(random, depth - 1));
            case 1 -> filter(random, depth - 1).or(filter(random, depth - 1));
            case 2 -> Filter.not(filter(random, depth - 1));
            default -> comparison(random);
        };
    }

    private static Filter comparison(Random random) {
        int year = 2020 + random.nextInt(5);
        double price = random.nextInt(10) / 4.0;
        String team = random.nextBoolean() ? "red" : "blue, \"dark\"";
        return switch (random.nextInt(11)) {
            case 0 -> new IsEqualTo("team", team);
            case 1 -> new IsNotEqualTo("team", team);
            case 2 -> new IsIn("team", List.of(team, "green"));
            case 3 -> new IsNotIn("team", List.of(team, "green"));
            case 4 -> new IsEqualTo("year", year);
            case 5 -> new IsIn("year", List.of(year, 2021));
            case 6 -> new IsGreaterThan("year", year);
            case 7 -> new IsGreaterThanOrEqualTo("price", price);
            case 8 -> new IsLessThan("price", price);
            case 9 -> new IsLessThanOrEqualTo("year", year);
            default -> new IsNotEqualTo("price", price);
        };
    }
}
