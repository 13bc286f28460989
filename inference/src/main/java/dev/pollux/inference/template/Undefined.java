package dev.pollux.inference.template;

/**
 * A value that is not there: it prints as nothing, iterates over nothing, is false, and fails with {@code why} in any
 * other operation. <em>Immutable.</em>
 */
record Undefined(String why) {

    static Undefined name(String name) {
        return new Undefined("'" + name + "' is undefined");
    }

    static Undefined attribute(Object owner, Object name) {
        String type = owner == None.NONE ? "None" : Types.name(owner) + " object";
        return name instanceof String text
                ? new Undefined("'" + type + "' has no attribute '" + text + "'")
                : new Undefined(type + " has no element " + name);
    }

    /** Python attributes that would reach into the interpreter or change a value. */
    static Undefined unsafe(Object owner, String name) {
        return new Undefined("access to attribute '" + name + "' of '" + Types.name(owner) + "' object is unsafe");
    }

    Failure failure() {
        return Failure.of(why);
    }
}
