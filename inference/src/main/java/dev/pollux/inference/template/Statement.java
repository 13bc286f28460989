package dev.pollux.inference.template;

import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is executed: a tree that renders itself. Loops are in {@link For}. <em>Immutable.</em> */
sealed interface Statement
        permits Statement.Text,
                Statement.Output,
                Statement.If,
                For,
                Statement.Jump,
                Statement.Assign,
                Statement.AssignBlock,
                Statement.DefineMacro,
                Statement.CallBlock,
                Statement.FilterBlock,
                Statement.With,
                Statement.Block,
                Statement.Generation {

    /** How execution goes on after a statement. */
    enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    Flow render(Frame frame);

    /** Renders one after the other, until one breaks out of its loop. */
    static Flow renderAll(List<Statement> statements, Frame frame) {
        Budget budget = frame.interpreter().budget();
        budget.enter();
        Flow flow = Flow.NEXT;
        for (int i = 0; i < statements.size() && flow == Flow.NEXT; i++) {
            budget.step();
            flow = statements.get(i).render(frame);
        }
        budget.leave();
        return flow;
    }

    /** What {@code body} writes; it cannot break out of a loop around it. */
    private static String capture(List<Statement> body, Frame frame) {
        return frame.interpreter().capture(() -> renderAll(body, frame));
    }

    /** Text as it stands in the template. */
    record Text(String text) implements Statement {

        @Override
        public Flow render(Frame frame) {
            frame.interpreter().write(text);
            return Flow.NEXT;
        }
    }

    /** {@code {{ value }}}. */
    record Output(Expression value) implements Statement {

        @Override
        public Flow render(Frame frame) {
            Interpreter in = frame.interpreter();
            Object result = value.evaluate(frame);
            in.at(value.at());
            in.write(in.printer().str(result));
            return Flow.NEXT;
        }
    }

    /** {@code {% if %}}; {@code elif} is an if in the else part. */
    record If(List<Expression> tests, List<List<Statement>> bodies, List<Statement> otherwise) implements Statement {

        @Override
        public Flow render(Frame frame) {
            for (int i = 0; i < tests.size(); i++) {
                if (Comparison.truth(tests.get(i).evaluate(frame))) {
                    return renderAll(bodies.get(i), frame);
                }
            }
            return renderAll(otherwise, frame);
        }
    }

    /** {@code {% break %}} and {@code {% continue %}}. */
    record Jump(Flow flow) implements Statement {

        @Override
        public Flow render(Frame frame) {
            return flow;
        }
    }

    /** {@code {% set target = value %}}. */
    record Assign(Position at, Target target, Expression value) implements Statement {

        @Override
        public Flow render(Frame frame) {
            Object result = value.evaluate(frame);
            frame.interpreter().at(at);
            target.assign(frame, result);
            return Flow.NEXT;
        }
    }

    /** {@code {% set target|filter %}body{% endset %}}. */
    record AssignBlock(Position at, Target target, Expression.@Nullable Filtered filter, List<Statement> body)
            implements Statement {

        @Override
        public Flow render(Frame frame) {
            Frame inner = frame.inner();
            Object text = capture(body, inner);
            if (filter != null) {
                text = applyChain(filter, text, inner);
            }
            frame.interpreter().at(at);
            target.assign(frame, text);
            return Flow.NEXT;
        }
    }

    /** Applies filters whose innermost input is {@code text}. */
    private static Object applyChain(Expression.Filtered filter, Object text, Frame frame) {
        Object input = filter.value() instanceof Expression.Filtered before ? applyChain(before, text, frame) : text;
        return filter.apply(frame, input);
    }

    /** {@code {% macro name(...) %}}. */
    record DefineMacro(Macro.Definition definition) implements Statement {

        @Override
        public Flow render(Frame frame) {
            frame.set(definition.name(), new Macro(definition, frame));
            return Flow.NEXT;
        }
    }

    /** {@code {% call(...) macro(...) %}body{% endcall %}}. */
    record CallBlock(Expression.Call call, Macro.Definition caller) implements Statement {

        @Override
        public Flow render(Frame frame) {
            Interpreter in = frame.interpreter();
            Object result = call.call(frame, new Macro(caller, frame));
            in.at(call.at());
            in.write(in.printer().str(result));
            return Flow.NEXT;
        }
    }

    /** {@code {% filter name %}body{% endfilter %}}. */
    record FilterBlock(Expression.Filtered filter, List<Statement> body) implements Statement {

        @Override
        public Flow render(Frame frame) {
            Interpreter in = frame.interpreter();
            Frame inner = frame.inner();
            Object result = applyChain(filter, capture(body, inner), inner);
            in.at(filter.at());
            in.write(in.printer().str(result));
            return Flow.NEXT;
        }
    }

    /** {@code {% with a = b %}}: the values are evaluated outside. */
    record With(List<Target> targets, List<Expression> values, List<Statement> body) implements Statement {

        @Override
        public Flow render(Frame frame) {
            Frame inner = frame.inner();
            Iterator<Expression> each = values.iterator();
            targets.forEach(target -> target.assign(inner, each.next().evaluate(frame)));
            return renderAll(body, inner);
        }
    }

    /** {@code {% block name %}}, rendered in place: there is no inheritance. */
    record Block(boolean scoped, List<Statement> body) implements Statement {

        @Override
        public Flow render(Frame frame) {
            return renderAll(body, (scoped ? frame : frame.root()).inner());
        }
    }

    /** {@code {% generation %}}: what the assistant wrote. */
    record Generation(List<Statement> body) implements Statement {

        @Override
        public Flow render(Frame frame) {
            frame.interpreter().generation(() -> renderAll(body, frame.inner()));
            return Flow.NEXT;
        }
    }
}
