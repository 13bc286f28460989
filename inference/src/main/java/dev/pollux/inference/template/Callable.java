package dev.pollux.inference.template;

/** What a template can call: globals, macros, methods bound to their receiver. */
interface Callable {

    Object call(Interpreter in, Arguments arguments);

    /** Python's name for its type. */
    default String type() {
        return "builtin_function_or_method";
    }

    /** What printing it shows. */
    default String print() {
        return "<" + type() + ">";
    }
}
