package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** Reads what is assigned to. <em>Not thread-safe: one thread at a time.</em> */
final class TargetParser {

    private static final Set<String> CONSTANTS = Set.of("true", "false", "none", "True", "False", "None");

    private final TokenStream in;
    private final ExpressionParser expressions;
    private int loops;

    TargetParser(TokenStream in, ExpressionParser expressions) {
        this.in = in;
        this.expressions = expressions;
    }

    void enterLoop() {
        loops++;
    }

    void leaveLoop() {
        loops--;
    }

    Target forLoop() {
        loops++;
        Target target = several(false, () -> in.current().isName("in"));
        loops--;
        return target;
    }

    Target assignment() {
        return several(true, () -> in.isOperator("="));
    }

    Target forWith() {
        return several(false, () -> in.isOperator("="));
    }

    void checkName(Token name) {
        if (CONSTANTS.contains(name.text())) {
            throw TemplateException.syntax(name.at(), "cannot assign to '" + name.text() + "'");
        }
    }

    private Target several(boolean members, BooleanSupplier end) {
        List<Target> targets = new ArrayList<>();
        boolean comma = false;
        while (!expressions.isTupleEnd() && !end.getAsBoolean()) {
            targets.add(one(members));
            if (!in.skipOperator(",")) {
                return comma ? new Target.Several(targets) : targets.get(0);
            }
            comma = true;
        }
        if (targets.isEmpty()) {
            throw in.unexpected("the name of a variable");
        }
        return new Target.Several(targets);
    }

    private Target one(boolean members) {
        Token token = in.current();
        if (token.kind() == Token.Kind.NAME) {
            in.next();
            checkName(token);
            if (members && in.skipOperator(".")) {
                return new Target.Member(
                        token.text(), in.expect(Token.Kind.NAME, "an attribute").text());
            } else if (token.text().equals("loop") && loops > 0) {
                throw TemplateException.syntax(token.at(), "cannot assign to 'loop' in a loop");
            }
            return new Target.Variable(token.text());
        } else if (in.skipOperator("(")) {
            in.enter();
            Target target = several(false, () -> false);
            in.expectOperator(")");
            in.leave();
            return target;
        }
        throw in.unexpected("the name of a variable");
    }
}
