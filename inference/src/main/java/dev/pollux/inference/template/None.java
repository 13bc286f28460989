package dev.pollux.inference.template;

/** Python's {@code None}; Java's null is no value of a template. <em>Immutable.</em> */
enum None {
    NONE
}
