package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.ModelExecutionException;
import dev.pollux.generation.Delta;
import dev.pollux.generation.FinishReason;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.inference.sampling.Sampler;
import dev.pollux.inference.tokenizer.Tokenizer;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The decode loop without a model: what is due, what is chosen, and every way to end. Tokens are letters, and one that ends. */
class GenerationLoopTest {

    private static final int VOCABULARY = 27;
    private static final int END = 26;

    private final Tokenizer tokenizer = LetterTokenizer.of(List.of("<end>"));
    private final List<Delta> deltas = new ArrayList<>();
    private int context = 100;
    private Optional<Drafter> drafter = Optional.empty();

    @AfterEach
    void close() {
        tokenizer.close();
    }

    private GenerationLoop loop(int[] prompt, GenerationOptions options) {
        ChannelParser channels = ChannelFormat.of("", tokenizer).after("", false);
        TextAssembler text = new TextAssembler(tokenizer.streamDecoder(true), channels, options.stop(), deltas::add);
        GenerationLoop.Request request =
                new GenerationLoop.Request(prompt, options, Set.of(END), context, Duration.ofMillis(3));
        return new GenerationLoop(request, Sampler.of(options, VOCABULARY), text, drafter);
    }

    private static GenerationOptions.Builder upTo(int tokens) {
        return GenerationOptions.builder().maxTokens(tokens);
    }

    /** Logits that are best at one token. */
    private static FloatBuffer best(int token) {
        float[] logits = new float[VOCABULARY];
        logits[token] = 9;
        return FloatBuffer.wrap(logits);
    }

    private static int id(char letter) {
        return letter - 'a';
    }

    private static Generation end(GenerationLoop loop) {
        return loop.result().orElseThrow();
    }

    @Test
    void thePromptIsDueFirstAndThenEachTokenThatWasChosen() {
        GenerationLoop loop = loop(new int[] {5, 6, 7}, upTo(10).build());
        assertThat(loop.due(0)).containsExactly(5, 6, 7);
        assertThat(loop.due(2)).containsExactly(7);
        loop.accept(best(id('h')));
        assertThat(loop.due(3)).containsExactly(id('h'));
        loop.accept(best(id('i')));
        assertThat(loop.due(4)).containsExactly(id('i'));
        assertThat(loop.due(5)).isEmpty();
        assertThat(loop.due(1)).containsExactly(6, 7, id('h'), id('i'));
        assertThat(loop.result()).isEmpty();
    }

    @Test
    void theMostTokensEndIt() {
        GenerationLoop loop = loop(new int[] {1}, upTo(2).build());
        loop.accept(best(id('h')));
        loop.accept(best(id('i')));
        assertThat(end(loop).finish()).isEqualTo(FinishReason.MAX_TOKENS);
        assertThat(end(loop).text()).isEqualTo("hi");
        assertThat(end(loop).tokens()).containsExactly(id('h'), id('i'));
        assertThat(end(loop).usage().promptTokens()).isOne();
        assertThat(end(loop).usage().completionTokens()).isEqualTo(2);
        assertThat(end(loop).usage().load()).isEqualTo(Duration.ofMillis(3));
    }

    @Test
    void anEndTokenEndsItAndIsNoText() {
        GenerationLoop loop = loop(new int[] {1}, upTo(10).build());
        loop.accept(best(id('h')));
        loop.accept(best(END));
        assertThat(end(loop).finish()).isEqualTo(FinishReason.END_OF_TEXT);
        assertThat(end(loop).text()).isEqualTo("h");
        assertThat(end(loop).tokens()).containsExactly(id('h'), END);
    }

    @Test
    void aStopStringEndsIt() {
        GenerationLoop loop = loop(new int[] {1}, upTo(2).stop("hi").build());
        loop.accept(best(id('h')));
        assertThat(deltas).isEmpty();
        loop.accept(best(id('i')));
        assertThat(end(loop).finish()).isEqualTo(FinishReason.STOP_STRING);
        assertThat(end(loop).text()).isEmpty();
    }

    @Test
    void whatWasHeldBackComesOutAtTheEnd() {
        GenerationLoop loop = loop(new int[] {1}, upTo(1).stop("hi").build());
        loop.accept(best(id('h')));
        assertThat(end(loop).finish()).isEqualTo(FinishReason.MAX_TOKENS);
        assertThat(end(loop).text()).isEqualTo("h");
        assertThat(deltas).hasSize(1);
    }

    @Test
    void aFullContextEndsIt() {
        context = 4;
        GenerationLoop loop = loop(new int[] {1, 2}, upTo(10).build());
        loop.accept(best(id('a'))); // 2 of 4 were read
        loop.accept(best(id('b')));
        assertThat(loop.result()).isEmpty();
        loop.accept(best(id('c'))); // 4 of 4; there is no room to read this one
        assertThat(end(loop).finish()).isEqualTo(FinishReason.CONTEXT_FULL);
        assertThat(end(loop).text()).isEqualTo("abc");
    }

    @Test
    void cancelGivesTheTextSoFar() {
        GenerationLoop loop = loop(new int[] {1}, upTo(10).stop("ix").build());
        loop.accept(best(id('h')));
        loop.accept(best(id('i')));
        loop.cancel();
        assertThat(end(loop).finish()).isEqualTo(FinishReason.CANCELLED);
        assertThat(end(loop).text()).isEqualTo("hi");
        GenerationLoop atOnce = loop(new int[] {1}, upTo(10).build());
        atOnce.cancel();
        assertThat(end(atOnce).tokens()).isEmpty();
        assertThat(end(atOnce).usage().decode()).isZero();
    }

    @Test
    void nothingFollowsTheEnd() {
        GenerationLoop loop = loop(new int[] {1}, upTo(1).build());
        loop.accept(best(0));
        assertThatThrownBy(() -> loop.accept(best(0)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("The generation has ended; see result()");
        assertThatThrownBy(loop::cancel).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void logitsThatGiveNoTokenLeaveTheLoopAsItWas() {
        GenerationLoop loop = loop(new int[] {1}, upTo(2).build());
        loop.accept(best(id('h')));
        float[] damaged = new float[VOCABULARY];
        damaged[3] = Float.NaN;
        assertThatThrownBy(() -> loop.accept(FloatBuffer.wrap(damaged))).isInstanceOf(ModelExecutionException.class);
        assertThat(loop.due(1)).containsExactly(id('h'));
        loop.accept(best(id('i')));
        assertThat(end(loop).text()).isEqualTo("hi");
    }

    @Test
    void penaltiesSeePromptAndOutput() {
        GenerationOptions options = upTo(3).repetitionPenalty(100).build();
        GenerationLoop loop = loop(new int[] {4}, options);
        float[] logits = new float[VOCABULARY];
        logits[4] = 9;
        logits[5] = 8;
        logits[6] = 7;
        for (int i = 0; i < 3; i++) {
            loop.accept(FloatBuffer.wrap(logits));
        }
        assertThat(end(loop).tokens()).containsExactly(5, 6, 4);
    }

    /**
     * A fake model reads what is due and now and then stops on the way, as an interrupt makes it: the output is that of reading
     * everything at once, and the model has read prompt and output in order.
     */
    @Test
    void readingInPiecesAndAgainGivesTheSameTokens() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 100; round++) {
            int[] prompt = random.ints(1 + random.nextInt(20), 0, 26).toArray();
            GenerationOptions options =
                    upTo(1 + random.nextInt(30)).temperature(1).seed(round).build();
            GenerationLoop loop = loop(prompt, options);
            int[] read = new int[200];
            int length = random.nextInt(prompt.length); // what a pool has found
            System.arraycopy(prompt, 0, read, 0, length);
            while (loop.result().isEmpty()) {
                int[] due = loop.due(length);
                int count = due.length == 0 || random.nextBoolean() ? due.length : random.nextInt(due.length);
                System.arraycopy(due, 0, read, length, count);
                length += count;
                if (count == due.length && random.nextInt(4) > 0) {
                    loop.accept(logits(Arrays.copyOf(read, length)));
                }
            }
            List<Integer> tokens = end(loop).tokens();
            int[] whole = IntStream.concat(
                            Arrays.stream(prompt), tokens.stream().mapToInt(Integer::intValue))
                    .toArray();
            assertThat(Arrays.copyOf(read, length))
                    .as("seed %d, round %d", seed, round)
                    .containsExactly(Arrays.copyOf(whole, whole.length - 1));
            GenerationLoop atOnce = loop(prompt, options);
            for (int i = 0; i < tokens.size(); i++) {
                atOnce.accept(logits(Arrays.copyOf(whole, prompt.length + i)));
            }
            assertThat(end(atOnce).tokens()).as("seed %d", seed).isEqualTo(tokens);
            assertThat(end(atOnce).finish()).isEqualTo(end(loop).finish());
        }
    }

    /** Logits that depend on all tokens so far. */
    private static FloatBuffer logits(int[] tokens) {
        Random random = new Random(Arrays.hashCode(tokens));
        float[] logits = new float[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) {
            logits[i] = (float) random.nextGaussian();
        }
        return FloatBuffer.wrap(logits);
    }
}
