package dev.pollux.inference.engine;

import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.inference.engine.ChannelFormat.Effect;
import dev.pollux.inference.engine.ChannelFormat.Marker;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Splits the text and the markers of one generation into deltas by channel. <em>Not thread-safe: one thread at a time.</em>
 *
 * <p>A marker that is a single token counts at any position. A marker that is spelled with several tokens counts only where the
 * format allows it: an opening tag before any other text, a closing tag after its opening tag. Whitespace around reasoning, and
 * between reasoning and answer, is dropped.
 */
final class ChannelParser {

    /** A longer header is treated as text: the model does not write headers. */
    private static final int MAX_HEADER = 200;

    private enum State {
        /** The answer, of which only whitespace has been generated. */
        BEGIN,
        ANSWER,
        REASONING,
        /** The first line of reasoning, which holds its name. */
        NAME,
        HEADER,
        BETWEEN
    }

    private final ChannelFormat format;
    private final StringBuilder held = new StringBuilder();
    private State state = State.BEGIN;
    private boolean reasoned; // whether a marker was seen, so that whitespace before the answer is dropped
    private boolean answered; // whether any text of the answer was emitted
    private boolean tagged; // whether the answer is enclosed in tags
    private boolean promptsHeader; // whether the prompt ends inside a header
    private boolean thoughts; // whether any reasoning was emitted
    private boolean fresh = true; // whether the current block of reasoning has no text yet
    private String gap = ""; // whitespace in the reasoning, emitted only if more text follows
    private List<Delta.Text> out = new ArrayList<>();

    ChannelParser(ChannelFormat format) {
        this.format = format;
    }

    /** Parses the end of the prompt to find the state in which the model starts. */
    void skip(String prompt, boolean chat) {
        int at = 0;
        boolean header = false;
        while (true) {
            int from = at;
            Optional<Marker> next = first(format.markers(), prompt, from);
            if (next.isEmpty()) {
                break;
            }
            int begin = prompt.indexOf(next.get().spelling(), from);
            held.append(prompt, from, begin);
            apply(next.get());
            at = begin + next.get().spelling().length();
            header = next.get().effect() == Effect.HEADER || next.get().effect() == Effect.BODY;
        }
        String rest = prompt.substring(at);
        held.setLength(0);
        if (state == State.HEADER && !rest.isBlank() && !rest.strip().equalsIgnoreCase("assistant")) {
            held.append(rest);
        } else if (state == State.REASONING && !chat && !header && !rest.isBlank()) {
            state = State.BEGIN;
        } else if (state == State.NAME && !rest.isBlank()) {
            state = State.REASONING;
        }
        promptsHeader = state == State.HEADER;
        reasoned = state != State.BEGIN;
        thoughts = false;
        gap = "";
        out.clear();
    }

    /** The marker with this token id, if there is one. */
    Optional<Marker> marker(int token) {
        return format.marker(token);
    }

    /** Handles a marker and returns the deltas that it completes. */
    List<Delta.Text> push(Marker marker) {
        flushBeforeMarker();
        apply(marker);
        return taken();
    }

    /** Handles a piece of text and returns the deltas that it completes. */
    List<Delta.Text> push(String piece) {
        if (format.markers().isEmpty()) {
            return piece.isEmpty() ? List.of() : List.of(new Delta.Text(Channel.ANSWER, piece));
        }
        held.append(piece);
        while (step()) {}
        return taken();
    }

    /** Returns the remaining deltas at the end of the generation. */
    List<Delta.Text> end() {
        if (state == State.HEADER && promptsHeader) {
            state = State.BEGIN;
        }
        flushHeld();
        return taken();
    }

    private List<Delta.Text> taken() {
        List<Delta.Text> deltas = out;
        out = new ArrayList<>();
        return deltas;
    }

    /**
     * Emits the part of the held text that is decided. Returns true if the state changed, because more text may be decided
     * then.
     */
    private boolean step() {
        if (state == State.HEADER && promptsHeader && held.length() > MAX_HEADER) {
            state = State.BEGIN;
        }
        if (state == State.NAME) {
            int line = held.indexOf("\n");
            if (line >= 0) {
                held.delete(0, line + 1);
                state = State.REASONING;
            }
            return line >= 0;
        }
        List<Marker> possible = possible();
        Optional<Marker> found = first(possible, held, 0);
        if (found.isPresent()) {
            String spelling = found.get().spelling();
            int at = held.indexOf(spelling);
            String rest = held.substring(at + spelling.length());
            held.setLength(at);
            flushBeforeMarker();
            apply(found.get());
            held.append(rest);
            return true;
        }
        if (state == State.HEADER) {
            return false;
        }
        int settled = held.length() - beginning(possible);
        if (state == State.BEGIN && held.substring(0, settled).isBlank()) {
            return false;
        }
        write(held.substring(0, settled));
        held.delete(0, settled);
        return false;
    }

    /** The markers that the text may spell in the current state. */
    private List<Marker> possible() {
        boolean blank = state == State.BEGIN;
        return format.markers().stream()
                .filter(marker -> switch (marker.effect()) {
                    case REASONING, NAMED_REASONING ->
                        (blank && !reasoned || state == State.REASONING && fresh) && startsBlank(marker);
                    case ANSWER -> state == State.REASONING;
                    case TAGGED_ANSWER -> state == State.REASONING || blank && reasoned && startsBlank(marker);
                    case AFTER_ANSWER -> tagged && (state == State.ANSWER || blank);
                    case BODY -> state == State.HEADER;
                    case HEADER, BETWEEN, NOTHING -> false;
                })
                .toList();
    }

    /** Whether the held text has only whitespace before a marker or before the beginning of one. */
    private boolean startsBlank(Marker marker) {
        String text = held.toString().stripLeading();
        return text.startsWith(marker.spelling()) || marker.spelling().startsWith(text);
    }

    private static Optional<Marker> first(List<Marker> markers, CharSequence text, int from) {
        String searched = text.toString();
        Marker best = null;
        int place = Integer.MAX_VALUE;
        for (Marker marker : markers) {
            int at = searched.indexOf(marker.spelling(), from);
            if (at >= 0 && at < place) {
                place = at;
                best = marker;
            }
        }
        return Optional.ofNullable(best);
    }

    /** The length of the longest suffix of the held text that is a prefix of a marker. */
    private int beginning(List<Marker> markers) {
        int longest = 0;
        for (Marker marker : markers) {
            for (int n = Math.min(marker.spelling().length() - 1, held.length()); n > longest; n--) {
                if (marker.spelling().startsWith(held.substring(held.length() - n))) {
                    longest = n;
                }
            }
        }
        return longest;
    }

    private void apply(Marker marker) {
        Effect effect = marker.effect();
        String header = held.toString();
        if (effect == Effect.NOTHING) {
            return;
        }
        held.setLength(0);
        promptsHeader = false;
        reasoned = true;
        gap = "";
        state = switch (effect) {
            case REASONING -> State.REASONING;
            case NAMED_REASONING -> State.NAME;
            case HEADER -> State.HEADER;
            case BETWEEN -> State.BETWEEN;
            case BODY -> isAnswer(header) ? State.BEGIN : State.REASONING;
            default -> State.BEGIN;
        };
        if (effect == Effect.ANSWER && tagged || effect == Effect.AFTER_ANSWER) {
            tagged = false;
        } else if (effect == Effect.TAGGED_ANSWER) {
            tagged = true;
        }
        fresh = true;
    }

    /** Whether a message is part of the answer: its channel is {@code final}, or it has none. */
    private static boolean isAnswer(String header) {
        String name = header.strip().toLowerCase(Locale.ROOT);
        return name.isEmpty() || name.startsWith("final") || name.equals("assistant");
    }

    private void flushBeforeMarker() {
        if (state == State.BEGIN && held.toString().isBlank()) {
            held.setLength(0);
        }
        flushHeld();
    }

    private void flushHeld() {
        if (state == State.HEADER) {
            return; // the next marker ends the header
        }
        write(held.toString());
        held.setLength(0);
    }

    private void write(String text) {
        if (state == State.REASONING) {
            reason(text);
        } else if (state == State.BEGIN) {
            add(Channel.ANSWER, reasoned && !answered ? text.stripLeading() : text);
            answered |= !text.isBlank();
            state = text.isBlank() ? state : State.ANSWER;
        } else if (state == State.ANSWER) {
            add(Channel.ANSWER, text);
        }
    }

    private void reason(String text) {
        String all = thoughts && !fresh ? gap + text : text.stripLeading();
        String kept = all.stripTrailing();
        if (kept.isEmpty()) {
            gap = fresh ? "" : all;
            return;
        }
        add(Channel.REASONING, (thoughts && fresh ? "\n\n" : "") + kept);
        gap = all.substring(kept.length());
        thoughts = true;
        fresh = false;
    }

    private void add(Channel channel, String text) {
        if (!text.isEmpty()) {
            out.add(new Delta.Text(channel, text));
        }
    }
}
