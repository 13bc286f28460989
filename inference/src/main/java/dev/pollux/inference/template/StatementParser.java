package dev.pollux.inference.template;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the statements of a template. <em>Not thread-safe: one thread at a time.</em> */
final class StatementParser {

    private final TokenStream in;
    private final NameCheck names = new NameCheck();
    private final ExpressionParser expressions;
    private final TargetParser targets;
    private final Set<String> blocks = new HashSet<>();

    /** How many loops {@code break} could leave: those around, up to the macro or block around. */
    private int loops;

    StatementParser(TokenStream in) {
        this.in = in;
        this.expressions = new ExpressionParser(in, names);
        this.targets = new TargetParser(in, expressions);
    }

    /** The whole template. */
    List<Statement> template() {
        List<Statement> statements = statements(Set.of());
        names.require(0);
        return statements;
    }

    /** Statements up to a block that begins with one of {@code ends}, whose name becomes current. */
    private List<Statement> statements(Set<String> ends) {
        in.enter();
        List<Statement> body = new ArrayList<>();
        while (!in.is(Token.Kind.END)) {
            Token token = in.next();
            if (token.kind() == Token.Kind.TEXT) {
                body.add(new Statement.Text(token.text()));
            } else if (token.kind() == Token.Kind.OUTPUT_BEGIN) {
                body.add(new Statement.Output(expressions.tuple()));
                in.expect(Token.Kind.OUTPUT_END, "'}}'");
            } else {
                Token tag = in.current();
                if (tag.kind() == Token.Kind.NAME && ends.contains(tag.text())) {
                    in.leave();
                    return body;
                }
                statement(tag, ends, body);
                in.expect(Token.Kind.BLOCK_END, "'%}'");
            }
        }
        if (!ends.isEmpty()) {
            throw in.error("the template ends early, expected " + String.join(" or ", sorted(ends)));
        }
        in.leave();
        return body;
    }

    private static List<String> sorted(Set<String> names) {
        return names.stream().sorted().map(name -> "'" + name + "'").toList();
    }

    private void statement(Token tag, Set<String> ends, List<Statement> body) {
        in.expect(Token.Kind.NAME, "the name of a tag");
        switch (tag.text()) {
            case "if" -> body.add(ifs());
            case "for" -> body.add(loop(tag.at()));
            case "set" -> body.add(set(tag.at()));
            case "macro" -> body.add(macro());
            case "call" -> body.add(call());
            case "filter" -> body.add(filter());
            case "with" -> body.add(with());
            case "block" -> body.add(block());
            case "print" -> print(body);
            case "break" -> body.add(jump(tag, Statement.Flow.BREAK));
            case "continue" -> body.add(jump(tag, Statement.Flow.CONTINUE));
            case "generation" -> body.add(new Statement.Generation(separateBody("endgeneration")));
            case "autoescape" -> {
                expressions.expression();
                body.add(new Statement.With(List.of(), List.of(), scopedBody("endautoescape")));
            }
            case "include", "import", "from", "extends" ->
                throw TemplateException.syntax(
                        tag.at(),
                        "'" + tag.text()
                                + "' is not available: a chat template is a single file and reads no other file");
            default ->
                throw TemplateException.syntax(
                        tag.at(),
                        "unknown tag '" + tag.text() + "'"
                                + (ends.isEmpty() ? "" : ", expected " + String.join(" or ", sorted(ends))));
        }
    }

    /** The body of a block, after the rest of its tag, up to one of {@code ends}. */
    private List<Statement> body(Set<String> ends) {
        in.skipOperator(":");
        in.expect(Token.Kind.BLOCK_END, "'%}'");
        return statements(ends);
    }

    /** A body in a scope of its own. */
    private List<Statement> scopedBody(String end) {
        int mark = names.mark();
        List<Statement> body = body(Set.of(end));
        in.next();
        names.require(mark);
        return body;
    }

    /** A body in a scope of its own that is no part of the loops around it. */
    private List<Statement> separateBody(String end) {
        int around = loops;
        loops = 0;
        List<Statement> body = scopedBody(end);
        loops = around;
        return body;
    }

    private Statement ifs() {
        int mark = names.mark();
        List<Expression> tests = new ArrayList<>();
        List<List<Statement>> bodies = new ArrayList<>();
        List<Statement> otherwise = List.of();
        String end;
        do {
            tests.add(expressions.tuple(false, () -> false));
            bodies.add(body(Set.of("elif", "else", "endif")));
            end = in.next().text();
        } while (end.equals("elif"));
        if (end.equals("else")) {
            otherwise = body(Set.of("endif"));
            in.next();
        }
        names.forgive(mark);
        return new Statement.If(tests, bodies, otherwise);
    }

    private Statement loop(Position at) {
        Target target = targets.forLoop();
        in.expectName("in");
        Expression values = expressions.tuple(false, () -> in.current().isName("recursive"));
        int mark = names.mark();
        @Nullable Expression test = in.skipName("if") ? expressions.expression() : null;
        boolean recursive = in.skipName("recursive");
        int around = loops;
        loops = recursive ? 1 : around + 1;
        targets.enterLoop();
        List<Statement> body = body(Set.of("else", "endfor"));
        loops = recursive ? 0 : around;
        List<Statement> otherwise = List.of();
        if (in.next().text().equals("else")) {
            otherwise = body(Set.of("endfor"));
            in.next();
        }
        targets.leaveLoop();
        loops = around;
        names.require(mark);
        return new For(at, target, values, test, recursive, body, otherwise);
    }

    private Statement jump(Token tag, Statement.Flow flow) {
        if (loops == 0) {
            throw TemplateException.syntax(tag.at(), "'" + tag.text() + "' is outside of a loop");
        }
        return new Statement.Jump(flow);
    }

    private Statement set(Position at) {
        Target target = targets.assignment();
        if (in.skipOperator("=")) {
            return new Statement.Assign(at, target, expressions.tuple());
        }
        int mark = names.mark();
        Expression.@Nullable Filtered filter =
                in.skipOperator("|") ? expressions.filters(new Expression.Literal(at, "")) : null;
        names.require(mark);
        return new Statement.AssignBlock(at, target, filter, scopedBody("endset"));
    }

    private Statement macro() {
        Token name = in.expect(Token.Kind.NAME, "the name of the macro");
        targets.checkName(name);
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        signature(parameters, defaults);
        return new Statement.DefineMacro(definition(name.text(), parameters, defaults, "endmacro"));
    }

    private Macro.Definition definition(String name, List<String> parameters, List<Expression> defaults, String end) {
        names.beginMacro();
        List<Statement> body = separateBody(end);
        Set<String> used = names.endMacro();
        int required = parameters.size() - defaults.size();
        if (used.contains("caller") && parameters.subList(0, required).contains("caller")) {
            throw in.error("the parameter 'caller' of a macro that calls it needs a default");
        }
        return new Macro.Definition(name, parameters, defaults, body, used);
    }

    private void signature(List<String> parameters, List<Expression> defaults) {
        int mark = names.mark();
        in.expectOperator("(");
        while (!in.isOperator(")")) {
            if (!parameters.isEmpty()) {
                in.expectOperator(",");
            }
            Token name = in.expect(Token.Kind.NAME, "the name of a parameter");
            targets.checkName(name);
            parameters.add(name.text());
            if (in.skipOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw TemplateException.syntax(
                        name.at(), "parameter '" + name.text() + "' without a default follows one with a default");
            }
        }
        in.next();
        names.require(mark);
    }

    private Statement call() {
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        if (in.isOperator("(")) {
            signature(parameters, defaults);
        }
        Position at = in.current().at();
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw TemplateException.syntax(at, "a call block needs a call, as in {% call name() %}");
        }
        return new Statement.CallBlock(call, definition("", parameters, defaults, "endcall"));
    }

    private Statement filter() {
        int mark = names.mark();
        Expression.Filtered filter =
                expressions.filters(new Expression.Literal(in.current().at(), ""));
        names.require(mark);
        return new Statement.FilterBlock(filter, scopedBody("endfilter"));
    }

    private Statement with() {
        List<Target> variables = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!in.is(Token.Kind.BLOCK_END)) {
            if (!variables.isEmpty()) {
                in.expectOperator(",");
            }
            variables.add(targets.forWith());
            in.expectOperator("=");
            values.add(expressions.expression());
        }
        return new Statement.With(variables, values, scopedBody("endwith"));
    }

    private Statement block() {
        Token name = in.expect(Token.Kind.NAME, "the name of the block");
        boolean scoped = in.skipName("scoped");
        if (in.current().isName("required")) {
            throw in.error("block '" + name.text() + "' is required, but a chat template is a single file");
        } else if (!blocks.add(name.text())) {
            throw TemplateException.syntax(name.at(), "block '" + name.text() + "' is defined twice");
        }
        List<Statement> body = separateBody("endblock");
        in.skipName(name.text());
        return new Statement.Block(scoped, body);
    }

    private void print(List<Statement> body) {
        boolean first = true;
        while (!in.is(Token.Kind.BLOCK_END)) {
            if (!first) {
                in.expectOperator(",");
            }
            body.add(new Statement.Output(expressions.expression()));
            first = false;
        }
    }
}
