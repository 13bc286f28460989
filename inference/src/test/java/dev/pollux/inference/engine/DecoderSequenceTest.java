package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading, going back and being interrupted, on a small model of random weights. */
@NoLeaks
class DecoderSequenceTest {

    /** Sums in another order, in single precision: the weights are floats, the logits of the order of 1. */
    private static final float ROUNDING = 1e-4f;

    @TempDir
    private Path folder;

    private DecoderModel open() {
        EngineOptions options = EngineOptions.builder()
                .cache(folder.resolve("cache"))
                .threads(1)
                .prefillChunk(4)
                .build();
        return DecoderModel.open(TinyDecoders.llama(folder, options), options);
    }

    @Test
    void logitsAreThoseOfTheTokensSoFarWhateverWasTakenBack() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int[] tokens = new int[TinyDecoders.CONTEXT];
        int length = 0;
        try (DecoderModel model = open();
                DecoderSequence sequence = model.sequence()) {
            for (int round = 0; round < 300; round++) {
                if (random.nextInt(3) == 0) {
                    length = random.nextInt(length + 1);
                    sequence.truncate(length);
                }
                int count = 1 + random.nextInt(random.nextBoolean() ? 2 : 11);
                if (length + count > tokens.length) {
                    continue;
                }
                int[] ids = random.ints(count, 0, TinyLlama.VOCABULARY).toArray();
                System.arraycopy(ids, 0, tokens, length, count);
                length += count;
                float[] actual = TinyDecoders.copy(sequence.append(ids));
                assertThat(sequence.length()).isEqualTo(length);
                try (DecoderSequence whole = model.sequence()) {
                    float[] expected = TinyDecoders.copy(whole.append(Arrays.copyOf(tokens, length)));
                    assertThat(actual)
                            .as("seed %d, round %d, length %d", seed, round, length)
                            .usingComparatorWithPrecision(ROUNDING)
                            .containsExactly(expected);
                }
            }
        }
    }

    @Test
    void everyPositionHasTheLogitsOfItsBeginning() {
        int[] ids = new Random(5).ints(10, 0, TinyLlama.VOCABULARY).toArray();
        try (DecoderModel model = open();
                DecoderSequence sequence = model.sequence()) {
            int[] seen = {0};
            sequence.append(ids, (position, logits) -> {
                assertThat(position).isEqualTo(seen[0]++);
                try (DecoderSequence alone = model.sequence()) {
                    assertThat(TinyDecoders.copy(logits))
                            .usingComparatorWithPrecision(ROUNDING)
                            .containsExactly(TinyDecoders.copy(alone.append(Arrays.copyOf(ids, position + 1))));
                }
            });
            assertThat(seen[0]).isEqualTo(ids.length);
        }
    }

    @Test
    void whatCannotBeReadIsRefusedBeforeAnythingIsRead() {
        try (DecoderModel model = open();
                DecoderSequence sequence = model.sequence()) {
            sequence.append(1, 2);
            assertThatThrownBy(() -> sequence.append(new int[0]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("ids must hold at least one token but was empty");
            assertThatThrownBy(() -> sequence.append(3, TinyLlama.VOCABULARY))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("token ids must be in [0, 50) but one was 50");
            assertThatThrownBy(() -> sequence.append(new int[127]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "A context of 128 tokens cannot hold 129; shorten the prompt or use a model with a longer"
                                    + " context");
            assertThatThrownBy(() -> sequence.truncate(3))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("newLength must be in [0, 2] but was 3");
            assertThat(sequence.length()).isEqualTo(2);
        }
    }

    @Test
    void anInterruptLeavesTheSequenceAsItWas() {
        int[] ids = {3, 1, 4, 1, 5};
        try (DecoderModel model = open();
                DecoderSequence sequence = model.sequence();
                DecoderSequence other = model.sequence()) {
            sequence.append(ids);
            Thread.currentThread().interrupt();
            try {
                assertThatThrownBy(() -> sequence.append(9, 2)).isInstanceOf(CancelledException.class);
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
            assertThat(sequence.length()).isEqualTo(ids.length);
            other.append(ids);
            assertThat(TinyDecoders.copy(sequence.append(9, 2))).containsExactly(TinyDecoders.copy(other.append(9, 2)));
        }
    }
}
