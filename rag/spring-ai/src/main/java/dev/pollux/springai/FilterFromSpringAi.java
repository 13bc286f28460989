package dev.pollux.springai;

import dev.pollux.retrieval.Filter;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.vectorstore.filter.Filter.Expression;
import org.springframework.ai.vectorstore.filter.Filter.Group;
import org.springframework.ai.vectorstore.filter.Filter.Key;
import org.springframework.ai.vectorstore.filter.Filter.Operand;
import org.springframework.ai.vectorstore.filter.Filter.Value;

/** Translates filters of Spring AI. Both agree on documents without a field: a negated comparison is true of them. */
final class FilterFromSpringAi {

    private FilterFromSpringAi() {}

    static Filter of(Expression filter) {
        return switch (filter.type()) {
            case AND -> operand(filter.left()).and(operand(filter.right()));
            case OR -> operand(filter.left()).or(operand(filter.right()));
            case NOT -> operand(filter.left()).negated();
            case EQ -> Filter.equal(key(filter), value(filter));
            case NE -> Filter.equal(key(filter), value(filter)).negated();
            case IN -> Filter.in(key(filter), values(filter));
            case NIN -> Filter.in(key(filter), values(filter)).negated();
            case GT -> Filter.greaterThan(key(filter), ordered(filter));
            case GTE -> Filter.atLeast(key(filter), ordered(filter));
            case LT -> Filter.lessThan(key(filter), ordered(filter));
            case LTE -> Filter.atMost(key(filter), ordered(filter));
            case ISNULL -> Filter.exists(key(filter)).negated();
            case ISNOTNULL -> Filter.exists(key(filter));
        };
    }

    private static Filter operand(@Nullable Operand operand) {
        if (operand instanceof Group group) {
            return of(group.content());
        }
        if (operand instanceof Expression expression) {
            return of(expression);
        }
        throw new IllegalArgumentException("An operand of a filter must be an expression but was " + operand);
    }

    /** The name, without the quotation marks that the language needs around some names. */
    private static String key(Expression filter) {
        if (!(filter.left() instanceof Key key)) {
            throw new IllegalArgumentException("The left side of a comparison must be a key but was " + filter.left());
        }
        String name = key.key();
        boolean quoted = name.length() > 1
                && (name.startsWith("\"") && name.endsWith("\"") || name.startsWith("'") && name.endsWith("'"));
        return quoted ? name.substring(1, name.length() - 1) : name;
    }

    private static Object value(Expression filter) {
        if (!(filter.right() instanceof Value value)) {
            throw new IllegalArgumentException(
                    "The right side of a comparison must be a value but was " + filter.right());
        }
        return value.value();
    }

    private static Object[] values(Expression filter) {
        return value(filter) instanceof List<?> list ? list.toArray() : new Object[] {value(filter)};
    }

    private static Object ordered(Expression filter) {
        Object value = value(filter);
        if (value instanceof String text) {
            try {
                return LocalDate.parse(text);
            } catch (DateTimeParseException e) {
                throw new IllegalArgumentException(
                        "Pollux orders numbers and ISO dates only but the filter was " + filter.type() + " '" + text
                                + "' for field " + key(filter) + "; compare with a number or a date such as"
                                + " '2024-05-06'",
                        e);
            }
        }
        return value;
    }
}
