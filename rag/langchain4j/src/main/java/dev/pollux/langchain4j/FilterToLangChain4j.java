package dev.pollux.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.store.embedding.filter.Filter;
import dev.langchain4j.store.embedding.filter.comparison.IsEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThan;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThanOrEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsIn;
import dev.langchain4j.store.embedding.filter.comparison.IsLessThan;
import dev.langchain4j.store.embedding.filter.comparison.IsLessThanOrEqualTo;
import dev.pollux.retrieval.Filter.And;
import dev.pollux.retrieval.Filter.Comparison;
import dev.pollux.retrieval.Filter.In;
import dev.pollux.retrieval.Filter.Not;
import dev.pollux.retrieval.Filter.Operator;
import dev.pollux.retrieval.Filter.Or;
import dev.pollux.retrieval.FilterValue;
import java.math.BigDecimal;
import java.util.List;
import java.util.function.BinaryOperator;

/** Translates filters to LangChain4j. */
final class FilterToLangChain4j {

    /*
     * A date is compared with the text of a field that begins with an ISO 8601 date, whose order is that of its characters.
     * A day is the half-open range of texts from it to the next day, so that times of the day count as the day, as they do in
     * Pollux:
     *   f = d   d <= f and f < d + 1        f < d    f < d           f <= d   f < d + 1
     *                                       f >= d   f >= d          f > d    f >= d + 1
     */

    private FilterToLangChain4j() {}

    static Filter of(dev.pollux.retrieval.Filter filter) {
        if (filter instanceof Comparison comparison) {
            return comparison(comparison);
        }
        if (filter instanceof In in) {
            return in(in);
        }
        if (filter instanceof Not not) {
            return Filter.not(of(not.part()));
        }
        if (filter instanceof Or or) {
            return joined(or.parts(), (left, right) -> left.or(right));
        }
        if (filter instanceof And and && !and.parts().isEmpty()) {
            return joined(and.parts(), (left, right) -> left.and(right));
        }
        throw unsupported(filter);
    }

    private static Filter joined(List<dev.pollux.retrieval.Filter> parts, BinaryOperator<Filter> operator) {
        return parts.stream().map(FilterToLangChain4j::of).reduce(operator).orElseThrow();
    }

    private static Filter comparison(Comparison comparison) {
        String field = comparison.field();
        if (comparison.operator() == Operator.CONTAINS) {
            throw unsupported(comparison);
        }
        if (comparison.value() instanceof FilterValue.Date date) {
            return day(comparison, date);
        }
        Object value = value(comparison.value());
        return switch (comparison.operator()) {
            case LESS -> new IsLessThan(field, (Comparable<?>) value);
            case AT_MOST -> new IsLessThanOrEqualTo(field, (Comparable<?>) value);
            case GREATER -> new IsGreaterThan(field, (Comparable<?>) value);
            case AT_LEAST -> new IsGreaterThanOrEqualTo(field, (Comparable<?>) value);
            case EQUAL, CONTAINS -> new IsEqualTo(field, value);
        };
    }

    private static Filter day(Comparison comparison, FilterValue.Date date) {
        String field = comparison.field();
        String day = date.date().toString();
        String next = date.date().plusDays(1).toString();
        return switch (comparison.operator()) {
            case LESS -> new IsLessThan(field, day);
            case AT_MOST -> new IsLessThan(field, next);
            case GREATER -> new IsGreaterThanOrEqualTo(field, next);
            case AT_LEAST -> new IsGreaterThanOrEqualTo(field, day);
            case EQUAL, CONTAINS -> new IsGreaterThanOrEqualTo(field, day).and(new IsLessThan(field, next));
        };
    }

    private static Filter in(In in) {
        boolean oneClass = in.values().stream().map(Object::getClass).distinct().count() == 1;
        if (oneClass && !(in.values().get(0) instanceof FilterValue.Date)) {
            return new IsIn(
                    in.field(),
                    in.values().stream().map(FilterToLangChain4j::value).toList());
        }
        return in.values().stream()
                .map(value -> comparison(new Comparison(in.field(), Operator.EQUAL, value)))
                .reduce((left, right) -> left.or(right))
                .orElseThrow();
    }

    private static Object value(FilterValue value) {
        if (value instanceof FilterValue.Text text) {
            return text.text();
        }
        if (value instanceof FilterValue.Decimal decimal) {
            return number(decimal.number());
        }
        return value.toString(); // metadata of LangChain4j have no booleans
    }

    /** A long where it is whole, else a double: the types of metadata. */
    private static Number number(BigDecimal number) {
        return number.scale() <= 0 && number.precision() - number.scale() <= 18
                ? (Number) number.longValueExact()
                : (Number) number.doubleValue();
    }

    private static UnsupportedFeatureException unsupported(dev.pollux.retrieval.Filter filter) {
        return new UnsupportedFeatureException("LangChain4j has no filter for " + filter
                + "; use comparisons, in, and, or and not, or leave the filter out");
    }
}
