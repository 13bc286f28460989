package dev.pollux.inference.template;

import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Supplier;

/** The state of one rendering: what it may still use up, where it stands, what it has written. <em>Not thread-safe: one thread at a time.</em> */
final class Interpreter {

    private final Budget budget;
    private final Printer printer;
    private final Comparison comparison;
    private final Operators operators;
    private final Supplier<ZonedDateTime> clock;
    private Position position = Position.START;
    private StringBuilder out = new StringBuilder();
    private List<ChatTemplate.Span> inputs = new ArrayList<>();
    private List<ChatTemplate.Span> spans = new ArrayList<>();

    /** The spans of captured text, by identity, until it is written somewhere. */
    private final IdentityHashMap<String, List<ChatTemplate.Span>> captured = new IdentityHashMap<>();

    Interpreter(TemplateLimits limits, Supplier<ZonedDateTime> clock) {
        this.budget = new Budget(limits);
        this.printer = new Printer(budget);
        this.comparison = new Comparison(budget);
        this.operators = new Operators(budget, printer);
        this.clock = clock;
    }

    Budget budget() {
        return budget;
    }

    /** Where the characters of strings come from. */
    Origins origins() {
        return budget.origins();
    }

    Printer printer() {
        return printer;
    }

    Comparison comparison() {
        return comparison;
    }

    Operators operators() {
        return operators;
    }

    ZonedDateTime now() {
        return clock.get();
    }

    /** What comes next happens there; errors name the last place told. */
    void at(Position place) {
        position = place;
    }

    Position position() {
        return position;
    }

    void write(String text) {
        budget.checkOutput((long) out.length() + text.length());
        if (!captured.isEmpty()) {
            for (ChatTemplate.Span span : captured.getOrDefault(text, List.of())) {
                spans.add(new ChatTemplate.Span(out.length() + span.begin(), out.length() + span.end()));
            }
        }
        int marks = inputs.size();
        Origins.add(inputs, origins().of(text), 0, text.length(), out.length());
        budget.marked(inputs.size() - marks);
        out.append(text);
    }

    /** Runs {@code body} and gives what it wrote instead of writing it. */
    String capture(Runnable body) {
        StringBuilder outer = out;
        List<ChatTemplate.Span> outerInputs = inputs;
        List<ChatTemplate.Span> outerSpans = spans;
        out = new StringBuilder();
        inputs = new ArrayList<>();
        spans = new ArrayList<>();
        body.run();
        String text = origins().enter(budget.allocated(out.toString()), List.copyOf(inputs));
        if (!spans.isEmpty()) {
            captured.put(text, spans);
        }
        out = outer;
        inputs = outerInputs;
        spans = outerSpans;
        return text;
    }

    /** Runs {@code body} and remembers the range it wrote. */
    void generation(Runnable body) {
        int begin = out.length();
        body.run();
        spans.add(new ChatTemplate.Span(begin, out.length()));
    }

    ChatTemplate.Rendering rendering() {
        spans.sort(Comparator.comparingInt(ChatTemplate.Span::begin));
        return new ChatTemplate.Rendering(out.toString(), inputs, spans);
    }
}
