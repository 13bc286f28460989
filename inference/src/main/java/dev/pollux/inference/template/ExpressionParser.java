package dev.pollux.inference.template;

import dev.pollux.inference.template.Expression.Literal;
import dev.pollux.inference.template.Expression.Passed;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads expressions by recursive descent, a method for each level of precedence, loosest first: conditional, or, and,
 * not, comparison, sum, concatenation, product, power, sign, postfix, filter and test. <em>Not thread-safe: one thread at
 * a time.</em>
 */
final class ExpressionParser {

    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenStream in;
    private final NameCheck names;
    private final ArgumentParser arguments;

    ExpressionParser(TokenStream in, NameCheck names) {
        this.in = in;
        this.names = names;
        this.arguments = new ArgumentParser(in, this);
    }

    /** One expression. */
    Expression expression() {
        int mark = names.mark();
        in.enter();
        Position at = in.current().at();
        Expression value = or();
        while (in.skipName("if")) {
            Expression test = or();
            Expression otherwise = in.skipName("else") ? expression() : absent(at);
            value = new Operation.Conditional(at, test, value, otherwise);
            names.forgive(mark);
        }
        in.leave();
        return value;
    }

    private static Expression absent(Position at) {
        return new Literal(
                at,
                new Undefined("the inline if-expression on line " + at.line()
                        + " evaluated to false and no else section was defined."));
    }

    /** Expressions with commas between them, which make a tuple, or one without. */
    Expression tuple(boolean conditional, BooleanSupplier end) {
        return tuple(conditional, false, end);
    }

    Expression tuple() {
        return tuple(true, false, () -> false);
    }

    private Expression tuple(boolean conditional, boolean mayBeEmpty, BooleanSupplier end) {
        Position at = in.current().at();
        List<Expression> items = new ArrayList<>();
        boolean comma = false;
        while (!isTupleEnd() && !end.getAsBoolean()) {
            items.add(conditional ? expression() : or());
            if (!in.skipOperator(",")) {
                return comma ? new Expression.TupleOf(at, items) : items.get(0);
            }
            comma = true;
        }
        if (items.isEmpty() && !mayBeEmpty) {
            throw in.unexpected("an expression");
        }
        return new Expression.TupleOf(at, items);
    }

    boolean isTupleEnd() {
        return in.is(Token.Kind.OUTPUT_END) || in.is(Token.Kind.BLOCK_END) || in.isOperator(")");
    }

    private Expression or() {
        Position at = in.current().at();
        Expression left = and();
        while (in.skipName("or")) {
            left = new Operation.Or(at, left, and());
        }
        return left;
    }

    private Expression and() {
        Position at = in.current().at();
        Expression left = not();
        while (in.skipName("and")) {
            left = new Operation.And(at, left, not());
        }
        return left;
    }

    private Expression not() {
        Position at = in.current().at();
        if (!in.skipName("not")) {
            return comparison();
        }
        in.enter();
        Expression value = new Operation.Not(at, not());
        in.leave();
        return value;
    }

    private Expression comparison() {
        Position at = in.current().at();
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> others = new ArrayList<>();
        while (true) {
            Token token = in.current();
            if (token.kind() == Token.Kind.OPERATOR && COMPARISONS.contains(token.text())) {
                operators.add(in.next().text());
            } else if (in.skipName("in")) {
                operators.add("in");
            } else if (token.isName("not") && in.lookahead().isName("in")) {
                in.next();
                in.next();
                operators.add("not in");
            } else {
                return others.isEmpty() ? first : new Operation.Comparisons(at, first, operators, others);
            }
            others.add(sum());
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (in.isOperator("+") || in.isOperator("-")) {
            Token operator = in.next();
            left = new Operation.Binary(operator.at(), operator.text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Position at = in.current().at();
        Expression first = product();
        if (!in.isOperator("~")) {
            return first;
        }
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (in.skipOperator("~")) {
            parts.add(product());
        }
        return new Operation.Concatenation(at, parts);
    }

    private Expression product() {
        Expression left = power();
        while (in.isOperator("*") || in.isOperator("/") || in.isOperator("//") || in.isOperator("%")) {
            Token operator = in.next();
            left = new Operation.Binary(operator.at(), operator.text(), left, power());
        }
        return left;
    }

    /** Unlike in Python, powers group from the left and a sign binds tighter. */
    private Expression power() {
        Expression left = signed(true);
        while (in.isOperator("**")) {
            Token operator = in.next();
            left = new Operation.Binary(operator.at(), operator.text(), left, signed(true));
        }
        return left;
    }

    private Expression signed(boolean filters) {
        Token token = in.current();
        Expression value;
        if (token.isOperator("-") || token.isOperator("+")) {
            in.next();
            in.enter();
            value = new Operation.Unary(token.at(), token.text().equals("-"), signed(false));
            in.leave();
        } else {
            value = primary();
        }
        value = postfix(value);
        return filters ? filtersAndTests(value) : value;
    }

    Expression primary() {
        Token token = in.current();
        switch (token.kind()) {
            case NAME -> {
                in.next();
                return name(token);
            }
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (in.is(Token.Kind.STRING)) {
                    text.append(in.next().text());
                }
                return new Literal(token.at(), text.toString());
            }
            case INTEGER, FLOAT -> {
                in.next();
                return new Literal(token.at(), number(token));
            }
            default -> {
                return bracketed(token);
            }
        }
    }

    private Expression name(Token token) {
        return switch (token.text()) {
            case "true", "True" -> new Literal(token.at(), true);
            case "false", "False" -> new Literal(token.at(), false);
            case "none", "None" -> new Literal(token.at(), None.NONE);
            default -> {
                names.reads(token.text());
                yield new Expression.Name(token.at(), token.text());
            }
        };
    }

    private static Object number(Token token) {
        try {
            return token.kind() == Token.Kind.FLOAT
                    ? (Object) Double.valueOf(token.text())
                    : NumberParser.integer(token.text(), 0).orElseThrow(() -> Failure.of("the number is too large"));
        } catch (Failure e) {
            throw TemplateException.runtime(token.at(), e);
        }
    }

    private Expression bracketed(Token token) {
        in.enter();
        Expression value;
        if (in.skipOperator("(")) {
            value = tuple(true, true, () -> false);
            in.expectOperator(")");
        } else if (in.skipOperator("[")) {
            value = list(token.at());
        } else if (in.skipOperator("{")) {
            value = dict(token.at());
        } else {
            throw in.unexpected("an expression");
        }
        in.leave();
        return value;
    }

    private Expression list(Position at) {
        List<Expression> items = new ArrayList<>();
        while (!in.isOperator("]")) {
            items.add(expression());
            if (!in.isOperator("]")) {
                in.expectOperator(",");
            }
        }
        in.next();
        return new Expression.ListOf(at, items);
    }

    private Expression dict(Position at) {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!in.isOperator("}")) {
            keys.add(expression());
            in.expectOperator(":");
            values.add(expression());
            if (!in.isOperator("}")) {
                in.expectOperator(",");
            }
        }
        in.next();
        return new Expression.DictOf(at, keys, values);
    }

    Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            Token token = in.current();
            if (in.skipOperator(".")) {
                value = member(token.at(), value);
            } else if (in.skipOperator("[")) {
                value = subscript(token.at(), value);
            } else if (in.isOperator("(")) {
                value = new Expression.Call(token.at(), value, arguments.inBrackets());
            } else {
                return value;
            }
        }
    }

    private Expression member(Position at, Expression value) {
        Token name = in.next();
        if (name.kind() == Token.Kind.NAME) {
            return new Expression.Attribute(at, value, name.text());
        } else if (name.kind() == Token.Kind.INTEGER) {
            return new Expression.Item(at, value, new Literal(name.at(), number(name)));
        }
        throw TemplateException.syntax(name.at(), "expected a name or number after '.', got " + name.describe());
    }

    private Expression subscript(Position at, Expression value) {
        List<Expression> items = new ArrayList<>();
        @Nullable Expression slice = null;
        while (!in.isOperator("]")) {
            if (!items.isEmpty()) {
                in.expectOperator(",");
            }
            Expression start = in.isOperator(":") ? nothing() : expression();
            if (in.isOperator(":")) {
                slice = slice(at, value, start);
            }
            items.add(start);
        }
        in.next();
        if (slice != null && items.size() > 1) {
            throw TemplateException.syntax(at, "a slice cannot be one of several subscripts");
        }
        Expression item = items.size() == 1 ? items.get(0) : new Expression.TupleOf(at, items);
        return slice != null ? slice : new Expression.Item(at, value, item);
    }

    private Expression nothing() {
        return new Literal(in.current().at(), None.NONE);
    }

    private Expression slice(Position at, Expression value, Expression start) {
        in.expectOperator(":");
        boolean open = in.isOperator(":") || in.isOperator("]") || in.isOperator(",");
        Expression stop = open ? nothing() : expression();
        boolean step = in.skipOperator(":") && !in.isOperator("]") && !in.isOperator(",");
        return new Expression.Slice(at, value, start, stop, step ? expression() : nothing());
    }

    private Expression filtersAndTests(Expression start) {
        Expression value = start;
        while (true) {
            if (in.skipOperator("|")) {
                value = filter(value);
            } else if (in.current().isName("is")) {
                value = test(value);
            } else if (in.isOperator("(")) {
                value = new Expression.Call(in.current().at(), value, arguments.inBrackets());
            } else {
                return value;
            }
        }
    }

    /** Filters joined by {@code |}, the first of them at hand, applied to {@code value}. */
    Expression.Filtered filters(Expression value) {
        Expression.Filtered filtered = filter(value);
        while (in.skipOperator("|")) {
            filtered = filter(filtered);
        }
        return filtered;
    }

    private Expression.Filtered filter(Expression value) {
        Token token = in.current();
        String name = dottedName();
        names.filter(token, name);
        return new Expression.Filtered(
                token.at(), value, name, in.isOperator("(") ? arguments.inBrackets() : Passed.NOTHING);
    }

    private String dottedName() {
        StringBuilder name =
                new StringBuilder(in.expect(Token.Kind.NAME, "a name").text());
        while (in.skipOperator(".")) {
            name.append('.').append(in.expect(Token.Kind.NAME, "a name").text());
        }
        return name.toString();
    }

    private Expression test(Expression value) {
        Position at = in.next().at();
        boolean negated = in.skipName("not");
        Token token = in.current();
        String name = dottedName();
        names.test(token, name);
        Expression tested = new Expression.Tested(token.at(), value, name, arguments.ofTest());
        return negated ? new Operation.Not(at, tested) : tested;
    }
}
