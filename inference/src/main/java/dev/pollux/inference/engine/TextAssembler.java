package dev.pollux.inference.engine;

import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.inference.sampling.StopFilter;
import dev.pollux.inference.tokenizer.TokenDecoder;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Assembles the text of one generation token by token: it completes characters, removes channel markers, and ends the answer at
 * stop strings. <em>Not thread-safe: one thread at a time.</em>
 */
final class TextAssembler {

    private final TokenDecoder decoder;
    private final ChannelParser channels;
    private final StopFilter stops;
    private final Consumer<Delta> reader;
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();

    /**
     * @param channels a parser in the state that follows the prompt
     * @param stops strings that end the answer, none of them empty
     * @param reader receives each delta when it is complete
     */
    TextAssembler(TokenDecoder decoder, ChannelParser channels, List<String> stops, Consumer<Delta> reader) {
        this.decoder = decoder;
        this.channels = channels;
        this.stops = StopFilter.of(stops);
        this.reader = reader;
    }

    /** Adds a token. Special tokens have no text, so markers are detected by token id. */
    void push(int token) {
        Optional<ChannelFormat.Marker> marker = channels.marker(token);
        if (marker.isPresent()) {
            emit(channels.push(decoder.flush()));
            emit(channels.push(marker.get()));
        } else {
            emit(channels.push(decoder.next(token)));
        }
    }

    /** Whether a stop string was completed; the text does not change after that. */
    boolean stopped() {
        return stops.stopped();
    }

    /** Emits the held-back text after the last token. It may complete a stop string. */
    void end() {
        if (!stops.stopped()) {
            emit(channels.push(decoder.flush()));
            emit(channels.end());
            add(Channel.ANSWER, stops.flush());
        }
    }

    /** The answer so far. */
    String text() {
        return text.toString();
    }

    /** The reasoning so far. */
    String reasoning() {
        return reasoning.toString();
    }

    /** Stop strings end the answer; in reasoning they are ordinary text. */
    private void emit(List<Delta.Text> deltas) {
        for (Delta.Text delta : deltas) {
            boolean answer = delta.channel() == Channel.ANSWER;
            if (!stops.stopped()) {
                add(delta.channel(), answer ? stops.push(delta.text()) : delta.text());
            }
        }
    }

    private void add(Channel channel, String piece) {
        if (!piece.isEmpty()) {
            (channel == Channel.ANSWER ? text : reasoning).append(piece);
            reader.accept(Delta.of(channel, piece));
        }
    }
}
