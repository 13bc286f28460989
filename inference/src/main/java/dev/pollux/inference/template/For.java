package dev.pollux.inference.template;

import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code {% for target in values if test recursive %}body{% else %}otherwise{% endfor %}}. <em>Immutable.</em> */
record For(
        Position at,
        Target target,
        Expression values,
        @Nullable Expression test,
        boolean recursive,
        List<Statement> body,
        List<Statement> otherwise)
        implements Statement {

    @Override
    public Flow render(Frame frame) {
        Object iterable = values.evaluate(frame);
        if (recursive) {
            Interpreter in = frame.interpreter();
            in.write(in.capture(() -> loop(frame, iterable, 0)));
            return Flow.NEXT;
        }
        return loop(frame, iterable, 0);
    }

    /** @return how to go on after the loop, which only its else part can change */
    private Flow loop(Frame frame, Object iterable, int depth) {
        Interpreter in = frame.interpreter();
        in.at(at);
        Object items =
                test == null ? iterable : Lazy.generator(filtered(frame, Iteration.of(iterable, in.budget()), test));
        Loop loop = new Loop(in.budget(), items, depth, recursive ? inner -> again(frame, inner, depth) : null);
        boolean completed = false;
        while (loop.advance()) {
            Frame inner = frame.inner();
            in.at(at);
            target.assign(inner, loop.current());
            inner.set("loop", loop);
            Flow flow = Statement.renderAll(body, inner);
            if (flow == Flow.BREAK) {
                break;
            }
            // As in Jinja2, an iteration left by continue does not keep the else part away.
            completed |= flow == Flow.NEXT;
        }
        return completed || otherwise.isEmpty() ? Flow.NEXT : Statement.renderAll(otherwise, frame.inner());
    }

    private String again(Frame frame, Object iterable, int depth) {
        Interpreter in = frame.interpreter();
        in.budget().enter();
        String text = in.capture(() -> loop(frame, iterable, depth + 1));
        in.budget().leave();
        return text;
    }

    private Iterator<Object> filtered(Frame frame, Iterator<Object> items, Expression condition) {
        return new Lookahead(() -> {
            while (items.hasNext()) {
                Object item = items.next();
                Frame inner = frame.inner();
                target.assign(inner, item);
                if (Comparison.truth(condition.evaluate(inner))) {
                    return item;
                }
            }
            return null;
        });
    }
}
