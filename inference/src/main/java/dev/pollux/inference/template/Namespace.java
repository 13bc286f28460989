package dev.pollux.inference.template;

/** The one thing a template can change: what {@code namespace(...)} gives. <em>Not thread-safe: one thread at a time.</em> */
record Namespace(Dict attributes) {

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
