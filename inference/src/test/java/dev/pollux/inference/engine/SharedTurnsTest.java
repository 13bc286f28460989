package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.ModelExecutionException;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Steps that several readers share, and that fail. */
@NoLeaks
class SharedTurnsTest {

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @TempDir
    private Path temp;

    /** The runtime fails to look up a token beyond the vocabulary, and with it the whole step. */
    @Test
    void aSequenceThatFailsDoesNotFailTheOthers() throws Exception {
        EngineOptions options = EngineOptions.builder()
                .threads(1)
                .cache(temp)
                .sequences(4)
                .idleSequences(4)
                .build();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try (DecoderModel model = DecoderModel.open(TinyDecoders.llama(temp, options), options)) {
            int vocabulary = model.manifest().vocabularySize();
            boolean even = model.isEven(model.scope());
            SharedTurns turns =
                    model.scheduler().orElseThrow().turns(model.none(), even).orElseThrow();
            List<DecoderSequence> sequences = new ArrayList<>();
            List<SharedTurns.Member> members = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                DecoderSequence sequence = model.sequence();
                sequence.append(random.ints(3 + i, 0, vocabulary).toArray());
                sequences.add(sequence);
                members.add(turns.join(sequence));
            }
            for (int round = 0; round < 20; round++) {
                int bad = random.nextInt(4); // 3 is none of them
                int[] tokens = random.ints(3, 0, vocabulary).toArray();
                List<Future<float[]>> rows = new ArrayList<>();
                int[] lengths =
                        members.stream().mapToInt(SharedTurns.Member::length).toArray();
                for (int i = 0; i < 3; i++) {
                    int number = i;
                    int token = i == bad ? vocabulary + 5 : tokens[i];
                    rows.add(threads.submit(() -> TinyDecoders.copy(turns.step(members.get(number), token))));
                }
                for (int i = 0; i < 3; i++) {
                    Future<float[]> row = rows.get(i);
                    if (i == bad) {
                        assertThatThrownBy(row::get)
                                .as("seed %d, round %d", seed, round)
                                .hasCauseInstanceOf(ModelExecutionException.class);
                        assertThat(members.get(i).length()).isEqualTo(lengths[i]);
                    } else {
                        assertThat(row.get())
                                .as("seed %d, round %d", seed, round)
                                .hasSize(vocabulary);
                        assertThat(members.get(i).length()).isEqualTo(lengths[i] + 1);
                    }
                }
            }
            members.forEach(turns::leave);
            sequences.forEach(DecoderSequence::close);
        } finally {
            threads.shutdownNow();
        }
    }
}
