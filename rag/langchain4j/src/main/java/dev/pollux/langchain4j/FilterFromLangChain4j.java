package dev.pollux.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.store.embedding.filter.comparison.IsEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThan;
import dev.langchain4j.store.embedding.filter.comparison.IsGreaterThanOrEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsIn;
import dev.langchain4j.store.embedding.filter.comparison.IsLessThan;
import dev.langchain4j.store.embedding.filter.comparison.IsLessThanOrEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsNotEqualTo;
import dev.langchain4j.store.embedding.filter.comparison.IsNotIn;
import dev.langchain4j.store.embedding.filter.logical.And;
import dev.langchain4j.store.embedding.filter.logical.Not;
import dev.langchain4j.store.embedding.filter.logical.Or;
import dev.pollux.retrieval.Filter;
import java.time.LocalDate;
import java.util.Collection;
import java.util.UUID;

/** Translates filters of LangChain4j. Both agree on documents without a field: a negated comparison is true of them. */
final class FilterFromLangChain4j {

    private FilterFromLangChain4j() {}

    static Filter of(dev.langchain4j.store.embedding.filter.Filter filter) {
        if (filter instanceof And and) {
            return of(and.left()).and(of(and.right()));
        }
        if (filter instanceof Or or) {
            return of(or.left()).or(of(or.right()));
        }
        if (filter instanceof Not not) {
            return of(not.expression()).negated();
        }
        if (filter instanceof IsEqualTo equal) {
            return Filter.equal(equal.key(), value(equal.comparisonValue()));
        }
        if (filter instanceof IsNotEqualTo unequal) {
            return Filter.equal(unequal.key(), value(unequal.comparisonValue())).negated();
        }
        if (filter instanceof IsIn in) {
            return Filter.in(in.key(), values(in.comparisonValues()));
        }
        if (filter instanceof IsNotIn notIn) {
            return Filter.in(notIn.key(), values(notIn.comparisonValues())).negated();
        }
        return ordered(filter);
    }

    private static Filter ordered(dev.langchain4j.store.embedding.filter.Filter filter) {
        if (filter instanceof IsGreaterThan greater) {
            return Filter.greaterThan(greater.key(), ordered(filter, greater.comparisonValue()));
        }
        if (filter instanceof IsGreaterThanOrEqualTo atLeast) {
            return Filter.atLeast(atLeast.key(), ordered(filter, atLeast.comparisonValue()));
        }
        if (filter instanceof IsLessThan less) {
            return Filter.lessThan(less.key(), ordered(filter, less.comparisonValue()));
        }
        if (filter instanceof IsLessThanOrEqualTo atMost) {
            return Filter.atMost(atMost.key(), ordered(filter, atMost.comparisonValue()));
        }
        throw new UnsupportedFeatureException(
                "Pollux has no filter for " + filter + "; use comparisons of whole values, In, And, Or and Not");
    }

    private static Object ordered(dev.langchain4j.store.embedding.filter.Filter filter, Object value) {
        if (!(value instanceof Number) && !(value instanceof LocalDate)) {
            throw new UnsupportedFeatureException(
                    "Pollux orders numbers and dates only but the filter was " + filter + "; compare with a number");
        }
        return value;
    }

    private static Object[] values(Collection<?> values) {
        return values.stream().map(FilterFromLangChain4j::value).toArray();
    }

    private static Object value(Object value) {
        return value instanceof UUID ? value.toString() : value;
    }
}
