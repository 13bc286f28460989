package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tokens to deltas: characters, channels and stop strings. */
class TextAssemblerTest {

    private static final List<String> MARKERS = List.of("<think>", "</think>");

    private final List<Tokenizer> open = new ArrayList<>();
    private final List<Delta> deltas = new ArrayList<>();
    private Tokenizer tokenizer = letters(List.of());

    private Tokenizer letters(List<String> specials) {
        tokenizer = LetterTokenizer.of(specials);
        open.add(tokenizer);
        return tokenizer;
    }

    @AfterEach
    void close() {
        open.forEach(Tokenizer::close);
    }

    private TextAssembler assembler(String... stops) {
        ChannelParser channels = ChannelFormat.of("", tokenizer).after("", false);
        return new TextAssembler(tokenizer.streamDecoder(true), channels, List.of(stops), deltas::add);
    }

    private void push(TextAssembler text, String... tokens) {
        for (String token : tokens) {
            text.push(tokenizer.idOf(token).orElseThrow());
        }
    }

    private String given(Channel channel) {
        StringBuilder joined = new StringBuilder();
        deltas.forEach(delta -> joined.append(delta.text(channel)));
        return joined.toString();
    }

    @Test
    void aTokenIsGivenOutWhenItIsText() {
        TextAssembler text = assembler();
        push(text, "a", "b");
        assertThat(deltas).containsExactly(Delta.of(Channel.ANSWER, "a"), Delta.of(Channel.ANSWER, "b"));
        assertThat(text.text()).isEqualTo("ab");
        assertThat(text.stopped()).isFalse();
        text.end();
        assertThat(deltas).hasSize(2);
    }

    @Test
    void whatMayBecomeAStopStringIsHeldBackUntilTheEnd() {
        TextAssembler text = assembler("bcd");
        push(text, "a", "b", "c");
        assertThat(given(Channel.ANSWER)).isEqualTo("a");
        text.end();
        assertThat(given(Channel.ANSWER)).isEqualTo("abc");
        assertThat(text.stopped()).isFalse();
    }

    @Test
    void aStopStringEndsTheTextWhateverFollows() {
        TextAssembler text = assembler("bc");
        push(text, "a", "b", "c", "d");
        assertThat(text.stopped()).isTrue();
        text.end();
        assertThat(text.text()).isEqualTo("a").isEqualTo(given(Channel.ANSWER));
    }

    @Test
    void markersAreNoTextAndPartReasoningFromAnswer() {
        letters(MARKERS);
        TextAssembler text = assembler();
        push(text, "<think>", "h", "m", "</think>", "o", "k");
        text.end();
        assertThat(text.reasoning()).isEqualTo("hm").isEqualTo(given(Channel.REASONING));
        assertThat(text.text()).isEqualTo("ok").isEqualTo(given(Channel.ANSWER));
    }

    @Test
    void aStopStringInReasoningIsText() {
        letters(MARKERS);
        TextAssembler text = assembler("k");
        push(text, "<think>", "k", "</think>", "o", "k", "z");
        assertThat(text.stopped()).isTrue();
        text.end();
        assertThat(text.reasoning()).isEqualTo("k");
        assertThat(text.text()).isEqualTo("o");
    }

    /** Against the whole text, cut at the first stop string. */
    @Test
    void deltasJoinedAreTheTextUpToTheFirstStopString() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            deltas.clear();
            StringBuilder whole = new StringBuilder();
            random.ints(random.nextInt(30), 'a', 'e').forEach(c -> whole.append((char) c));
            StringBuilder stop = new StringBuilder();
            random.ints(1 + random.nextInt(3), 'a', 'e').forEach(c -> stop.append((char) c));
            TextAssembler text = assembler(stop.toString());
            int cut = whole.indexOf(stop.toString());
            for (int i = 0; i < whole.length(); i++) {
                push(text, whole.substring(i, i + 1));
                assertThat(text.stopped())
                        .as("seed %d: %s in %s after %d", seed, stop, whole, i)
                        .isEqualTo(cut >= 0 && i >= cut + stop.length() - 1);
            }
            text.end();
            assertThat(text.text())
                    .as("seed %d: %s in %s", seed, stop, whole)
                    .isEqualTo(cut < 0 ? whole.toString() : whole.substring(0, cut))
                    .isEqualTo(given(Channel.ANSWER));
            assertThat(deltas)
                    .noneMatch(delta ->
                            delta instanceof Delta.Text piece && piece.text().isEmpty());
        }
    }
}
