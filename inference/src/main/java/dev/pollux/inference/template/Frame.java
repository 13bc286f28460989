package dev.pollux.inference.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variables of one scope, inside the scope around it. <em>Not thread-safe: one thread at a time.</em> */
final class Frame {

    private final Interpreter interpreter;
    private final @Nullable Frame outer;
    private final Map<String, Object> variables = new HashMap<>(4);

    private Frame(Interpreter interpreter, @Nullable Frame outer) {
        this.interpreter = interpreter;
        this.outer = outer;
    }

    static Frame root(Interpreter interpreter) {
        return new Frame(interpreter, null);
    }

    Frame inner() {
        return new Frame(interpreter, this);
    }

    /** The outermost scope, which is all that a block sees. */
    Frame root() {
        Frame frame = this;
        for (Frame around = outer; around != null; around = around.outer) {
            frame = around;
        }
        return frame;
    }

    Interpreter interpreter() {
        return interpreter;
    }

    void set(String name, Object value) {
        variables.put(name, value);
    }

    Object get(String name) {
        for (Frame frame = this; frame != null; frame = frame.outer) {
            Object value = frame.variables.get(name);
            if (value != null) {
                return value;
            }
        }
        Object global = Globals.find(name);
        return global == null ? Undefined.name(name) : global;
    }
}
