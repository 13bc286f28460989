package dev.pollux.springai;

import dev.pollux.retrieval.Filter;
import dev.pollux.retrieval.Filter.And;
import dev.pollux.retrieval.Filter.Comparison;
import dev.pollux.retrieval.Filter.Exists;
import dev.pollux.retrieval.Filter.In;
import dev.pollux.retrieval.Filter.Not;
import dev.pollux.retrieval.Filter.Operator;
import dev.pollux.retrieval.Filter.Or;
import dev.pollux.retrieval.FilterValue;
import java.math.BigDecimal;
import java.util.List;
import org.springframework.ai.vectorstore.filter.Filter.Expression;
import org.springframework.ai.vectorstore.filter.Filter.ExpressionType;
import org.springframework.ai.vectorstore.filter.Filter.Group;
import org.springframework.ai.vectorstore.filter.Filter.Key;
import org.springframework.ai.vectorstore.filter.Filter.Operand;
import org.springframework.ai.vectorstore.filter.Filter.Value;

/** Translates filters to Spring AI. */
final class FilterToSpringAi {

    /*
     * A date is compared with the text of a field that begins with an ISO 8601 date, whose order is that of its characters.
     * A day is the half-open range of texts from it to the next day, so that times of the day count as the day, as they do in
     * Pollux:
     *   f = d   d <= f and f < d + 1        f < d    f < d           f <= d   f < d + 1
     *                                       f >= d   f >= d          f > d    f >= d + 1
     */

    private FilterToSpringAi() {}

    static Expression of(Filter filter) {
        if (filter instanceof Comparison comparison) {
            return comparison(comparison);
        }
        if (filter instanceof In in) {
            return in(in);
        }
        if (filter instanceof Exists exists) {
            return new Expression(ExpressionType.ISNOTNULL, new Key(exists.field()));
        }
        if (filter instanceof Not not) {
            return new Expression(ExpressionType.NOT, new Group(of(not.part())));
        }
        if (filter instanceof Or or) {
            return joined(ExpressionType.OR, or.parts());
        }
        if (filter instanceof And and && !and.parts().isEmpty()) {
            return joined(ExpressionType.AND, and.parts());
        }
        throw unsupported(filter);
    }

    private static Expression joined(ExpressionType type, List<Filter> parts) {
        Expression joined = of(parts.get(0));
        for (Filter part : parts.subList(1, parts.size())) {
            joined = new Expression(type, enclosed(joined), enclosed(of(part)));
        }
        return joined;
    }

    /** In parentheses where the language needs them in any place. */
    private static Operand enclosed(Expression part) {
        return part.type() == ExpressionType.OR || part.type() == ExpressionType.AND ? new Group(part) : part;
    }

    private static Expression comparison(Comparison comparison) {
        if (comparison.operator() == Operator.CONTAINS) {
            throw unsupported(comparison);
        }
        if (comparison.value() instanceof FilterValue.Date date) {
            return day(comparison, date);
        }
        ExpressionType type = switch (comparison.operator()) {
            case LESS -> ExpressionType.LT;
            case AT_MOST -> ExpressionType.LTE;
            case GREATER -> ExpressionType.GT;
            case AT_LEAST -> ExpressionType.GTE;
            case EQUAL, CONTAINS -> ExpressionType.EQ;
        };
        return expression(type, comparison.field(), value(comparison.value()));
    }

    private static Expression day(Comparison comparison, FilterValue.Date date) {
        String field = comparison.field();
        Expression fromDay = expression(ExpressionType.GTE, field, date.date().toString());
        Expression beforeDay = expression(ExpressionType.LT, field, date.date().toString());
        String next = date.date().plusDays(1).toString();
        return switch (comparison.operator()) {
            case LESS -> beforeDay;
            case AT_MOST -> expression(ExpressionType.LT, field, next);
            case GREATER -> expression(ExpressionType.GTE, field, next);
            case AT_LEAST -> fromDay;
            case EQUAL, CONTAINS ->
                new Expression(ExpressionType.AND, fromDay, expression(ExpressionType.LT, field, next));
        };
    }

    private static Expression in(In in) {
        boolean plain = in.values().stream().noneMatch(FilterValue.Date.class::isInstance);
        if (plain) {
            return expression(
                    ExpressionType.IN,
                    in.field(),
                    in.values().stream().map(FilterToSpringAi::value).toList());
        }
        return of(new Or(in.values().stream()
                .<Filter>map(value -> new Comparison(in.field(), Operator.EQUAL, value))
                .toList()));
    }

    private static Expression expression(ExpressionType type, String field, Object value) {
        return new Expression(type, new Key(field), new Value(value));
    }

    private static Object value(FilterValue value) {
        if (value instanceof FilterValue.Text text) {
            return text.text();
        }
        if (value instanceof FilterValue.Flag flag) {
            return flag.flag();
        }
        return value instanceof FilterValue.Decimal decimal ? number(decimal.number()) : value.toString();
    }

    /** An int or a long where it is whole, as the parser of Spring AI reads it; else a double. */
    private static Number number(BigDecimal number) {
        if (number.scale() > 0 || number.precision() - number.scale() > 18) {
            return number.doubleValue();
        }
        long whole = number.longValueExact();
        return whole == (int) whole ? (Number) (int) whole : (Number) whole;
    }

    private static IllegalArgumentException unsupported(Filter filter) {
        return new IllegalArgumentException("Spring AI has no filter for " + filter
                + "; use comparisons, in, exists, and, or and not, or leave the filter out");
    }
}
