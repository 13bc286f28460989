package dev.pollux.inference.template;

import dev.pollux.inference.template.Expression.Passed;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads what is passed to calls, filters and tests. <em>Not thread-safe: one thread at a time.</em> */
final class ArgumentParser {

    private final TokenStream in;
    private final ExpressionParser expressions;

    ArgumentParser(TokenStream in, ExpressionParser expressions) {
        this.in = in;
        this.expressions = expressions;
    }

    /** {@code (a, key=b, *c, **d)}. */
    Passed inBrackets() {
        Position at = in.current().at();
        in.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        @Nullable Expression more = null;
        @Nullable Expression moreNamed = null;
        while (!in.isOperator(")")) {
            boolean valid = moreNamed == null;
            if (in.skipOperator("*")) {
                valid &= more == null;
                more = expressions.expression();
            } else if (in.skipOperator("**")) {
                moreNamed = expressions.expression();
            } else if (in.is(Token.Kind.NAME) && in.lookahead().isOperator("=")) {
                String name = in.next().text();
                in.next();
                valid &= named.put(name, expressions.expression()) == null;
            } else {
                valid &= named.isEmpty() && more == null;
                positional.add(expressions.expression());
            }
            if (!valid) {
                throw TemplateException.syntax(
                        at, "arguments must come as values, then named values, *values, **values");
            } else if (!in.isOperator(")")) {
                in.expectOperator(",");
            }
        }
        in.next();
        boolean none = positional.isEmpty() && named.isEmpty() && more == null && moreNamed == null;
        return none ? Passed.NOTHING : new Passed(positional, named, more, moreNamed);
    }

    /** In brackets, or one value right after the name of the test. */
    Passed ofTest() {
        Token token = in.current();
        if (token.isOperator("(")) {
            return inBrackets();
        }
        boolean value = switch (token.kind()) {
            case NAME -> !Set.of("else", "or", "and").contains(token.text());
            case STRING, INTEGER, FLOAT -> true;
            default -> token.isOperator("[") || token.isOperator("{");
        };
        if (!value) {
            return Passed.NOTHING;
        } else if (token.isName("is")) {
            throw in.error("tests cannot be chained with is");
        }
        return new Passed(List.of(expressions.postfix(expressions.primary())), Map.of(), null, null);
    }
}
