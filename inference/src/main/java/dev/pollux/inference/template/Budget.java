package dev.pollux.inference.template;

/**
 * What one rendering has used up of its {@link TemplateLimits}. Whatever loops, scans, grows or nests asks here first, and
 * what makes a string enters here where its characters come from. <em>Not thread-safe: one thread at a time.</em>
 */
final class Budget {

    /** Scanning so many characters counts as one step. */
    private static final int SCAN_SHIFT = 6;

    /** A mark counts as so many characters. */
    private static final long MARK = 8;

    private final TemplateLimits limits;
    private final Origins origins = new Origins();
    private long steps;
    private long allocated;
    private int depth;

    Budget(TemplateLimits limits) {
        this.limits = limits;
    }

    Origins origins() {
        return origins;
    }

    void step() {
        if (++steps > limits.maxSteps()) {
            throw Failure.limit("maxSteps", limits.maxSteps(), "the work done");
        }
    }

    /** For work in proportion to so many characters or elements. */
    void scan(long length) {
        steps += length >> SCAN_SHIFT;
        step();
    }

    /** Before so many characters or elements are created. */
    void allocate(long count) {
        scan(count);
        // count may be near the largest long, so compare without adding.
        if (count > limits.maxAllocation() - allocated) {
            throw Failure.limit("maxAllocation", limits.maxAllocation(), "what the template creates");
        }
        allocated += count;
    }

    /** After so many marks of {@link Origins} were made. */
    void marked(long count) {
        if (count > 0) {
            allocate(count * MARK);
        }
    }

    String allocated(String text) {
        allocate(text.length());
        return text;
    }

    void enter() {
        step();
        if (++depth > limits.maxDepth()) {
            throw Failure.limit("maxDepth", limits.maxDepth(), "the nesting of calls or values");
        }
    }

    void leave() {
        depth--;
    }

    /** The bound of what is written in the end, which is not the same as what is created on the way. */
    void checkOutput(long length) {
        if (length > limits.maxOutput()) {
            throw Failure.limit("maxOutput", limits.maxOutput(), "the text rendered");
        }
    }
}
