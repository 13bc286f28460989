package dev.pollux.inference.template;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the parser notes of names: which variables a macro's body reads, and which filters and tests do not exist. As in
 * Jinja2 the latter are an error at once, except directly in an {@code if}, where they may be guarded by a test.
 * <em>Not thread-safe: one thread at a time.</em>
 */
final class NameCheck {

    private final Deque<Set<String>> reading = new ArrayDeque<>();
    private final List<TemplateException> unknown = new ArrayList<>();

    void reads(String variable) {
        if (!reading.isEmpty()) {
            reading.peek().add(variable);
        }
    }

    void beginMacro() {
        reading.push(new HashSet<>());
    }

    /** What was read since {@link #beginMacro}; what is around the macro reads it as well. */
    Set<String> endMacro() {
        Set<String> names = reading.pop();
        names.forEach(this::reads);
        return Set.copyOf(names);
    }

    void filter(Token name, String filter) {
        if (!Filters.exists(filter)) {
            unknown.add(TemplateException.syntax(name.at(), "there is no filter named '" + filter + "'"));
        }
    }

    void test(Token name, String test) {
        if (!Tests.exists(test)) {
            unknown.add(TemplateException.syntax(name.at(), "there is no test named '" + test + "'"));
        }
    }

    int mark() {
        return unknown.size();
    }

    /** What was unknown since {@code mark} is an error only when it is reached. */
    void forgive(int mark) {
        unknown.subList(mark, unknown.size()).clear();
    }

    /** @throws TemplateException if anything was unknown since {@code mark} */
    void require(int mark) {
        if (unknown.size() > mark) {
            throw unknown.get(mark);
        }
    }
}
