package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.testkit.Interrupted;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sequences that come and go, on a small model of random weights. */
@NoLeaks
class SequencePoolTest {

    private static final int CHUNK = 4;

    @TempDir
    private Path folder;

    private DecoderModel open(int idle) {
        EngineOptions options = EngineOptions.builder()
                .cache(folder.resolve("cache"))
                .threads(1)
                .prefillChunk(CHUNK)
                .idleSequences(idle)
                .build();
        return DecoderModel.open(TinyDecoders.llama(folder, options), options);
    }

    private static int[] prompt(int length, int first) {
        int[] ids = new int[length];
        for (int i = 0; i < length; i++) {
            ids[i] = (first + i) % TinyLlama.VOCABULARY;
        }
        return ids;
    }

    @Test
    void aNewSequenceHasReadNothing() {
        try (DecoderModel model = open(1);
                DecoderSequence sequence = model.acquire(prompt(10, 0), model.none())) {
            assertThat(sequence.length()).isZero();
        }
    }

    @Test
    void whatWasReadIsSharedAndTheLastTokenIsReadAgain() {
        try (DecoderModel model = open(1)) {
            try (DecoderSequence first = model.sequence()) {
                first.append(prompt(11, 0));
            }
            try (DecoderSequence longer = model.acquire(prompt(20, 0), model.none())) {
                assertThat(longer.length()).isEqualTo(11);
            }
            try (DecoderSequence same = model.acquire(prompt(2 * CHUNK, 0), model.none())) {
                assertThat(same.length()).isEqualTo(2 * CHUNK - 1);
            }
            try (DecoderSequence other = model.acquire(prompt(20, 1), model.none())) {
                assertThat(other.length()).isZero();
            }
        }
    }

    @Test
    void tokensThatWereReadOneByOneAreNotShared() {
        try (DecoderModel model = open(1)) {
            int[] ids = prompt(12, 0);
            try (DecoderSequence decoded = model.sequence()) {
                for (int id : ids) {
                    decoded.append(id);
                }
            }
            try (DecoderSequence next = model.acquire(ids, model.none())) {
                assertThat(next.length()).isZero();
            }
        }
    }

    @Test
    void ofIdleSequencesTheOneThatSharesMostIsTaken() {
        try (DecoderModel model = open(3)) {
            DecoderSequence a = model.sequence();
            DecoderSequence b = model.sequence();
            DecoderSequence c = model.sequence();
            a.append(prompt(8, 0));
            b.append(prompt(16, 0));
            c.append(prompt(16, 9));
            List.of(a, b, c).forEach(DecoderSequence::close);
            try (DecoderSequence best = model.acquire(prompt(17, 0), model.none())) {
                assertThat(best).isSameAs(b);
                assertThat(best.length()).isEqualTo(16);
            }
        }
    }

    @Test
    void noMoreAreKeptThanAskedFor() {
        try (DecoderModel model = open(0)) {
            DecoderSequence first = model.sequence();
            first.append(prompt(8, 0));
            first.close();
            first.close();
            try (DecoderSequence second = model.acquire(prompt(9, 0), model.none())) {
                assertThat(second).isNotSameAs(first);
                assertThat(second.length()).isZero();
            }
        }
    }

    @Test
    void aSequenceThatWasInterruptedServesTheNextUser() {
        try (DecoderModel model = open(1)) {
            DecoderSequence first = model.sequence();
            first.append(prompt(8, 0));
            first.interrupt();
            assertThatThrownBy(() -> first.append(1))
                    .isInstanceOf(CancelledException.class)
                    .hasMessage("The sequence was interrupted; ask the model for another");
            first.close();
            try (DecoderSequence second = model.acquire(prompt(9, 0), model.none())) {
                assertThat(second).isSameAs(first);
                assertThat(second.length()).isEqualTo(8);
                second.append(1);
            }
        }
    }

    @Test
    void aClosedSequenceReadsNothing() {
        try (DecoderModel model = open(1)) {
            DecoderSequence sequence = model.sequence();
            sequence.close();
            assertThatThrownBy(() -> sequence.append(1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("The sequence is closed; ask the model for another");
        }
    }

    @Test
    void closingTheModelEndsSequencesInUseAndGivesOutNoMore() {
        DecoderModel model = open(2);
        DecoderSequence used = model.sequence();
        model.sequence().close();
        used.append(1, 2, 3);
        model.close();
        model.close();
        assertThatThrownBy(() -> used.append(4)).isInstanceOf(CancelledException.class);
        assertThatThrownBy(model::sequence)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("The model llama is closed; open it again");
        used.close();
    }

    @Test
    void anInterruptedThreadIsGivenNoSequence() {
        try (DecoderModel model = open(1)) {
            Interrupted.isRefused(model::sequence);
            model.sequence().close();
        }
    }

    /** Against a pool that keeps nothing: the length that is shared, and logits to the last bit, whatever ran before. */
    @Test
    void resultsDoNotDependOnWhatRanBefore() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        int[][] beginnings = {prompt(30, 0), prompt(30, 20), prompt(3, 0)};
        try (DecoderModel pooled = open(2);
                DecoderModel fresh = open(0)) {
            List<DecoderSequence> live = new ArrayList<>();
            for (int round = 0; round < 300; round++) {
                if (!live.isEmpty() && random.nextInt(3) == 0) {
                    live.remove(random.nextInt(live.size())).close();
                    continue;
                }
                int[] beginning = beginnings[random.nextInt(beginnings.length)];
                int[] ids = Arrays.copyOf(beginning, 1 + random.nextInt(40));
                DecoderSequence sequence = pooled.acquire(ids, pooled.none());
                assertThat(live).as("seed %d", seed).doesNotContain(sequence);
                live.add(sequence);
                int shared = sequence.length();
                assertThat(shared).as("seed %d", seed).isLessThan(ids.length);
                sequence.pair(true); // as for a prompt
                float[] actual = TinyDecoders.copy(sequence.append(Arrays.copyOfRange(ids, shared, ids.length)));
                sequence.pair(false);
                try (DecoderSequence alone = fresh.sequence()) {
                    alone.pair(true);
                    assertThat(actual)
                            .as("seed %d, round %d, %d shared", seed, round, shared)
                            .containsExactly(TinyDecoders.copy(alone.append(ids)));
                }
                if (random.nextBoolean()) { // an answer of some tokens, as a generation leaves it
                    for (int i = random.nextInt(6); i > 0; i--) {
                        sequence.append(random.nextInt(TinyLlama.VOCABULARY));
                    }
                }
            }
            live.forEach(DecoderSequence::close);
        }
    }
}
