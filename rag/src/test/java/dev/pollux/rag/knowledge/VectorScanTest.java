package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VectorScanTest {

    private static final long SEED = 11;
    private static final String SEGMENT = "00112233445566778899aabbccddeeff";

    @TempDir
    private Path folder;

    private final Random random = new Random(SEED);

    @Test
    void codesFileAndHeapGiveTheSameHitsWithTheSameScores() throws IOException {
        for (int dimension : new int[] {1, 7, 33, 64}) {
            Vectors heap = random(6_000, dimension);
            Path target = folder.resolve(SEGMENT + ".vectors");
            DerivedFile written = VectorFile.write(target, SEGMENT, heap, true);
            VectorFile mapped = VectorFile.open(target, written, heap.rows(), dimension);
            for (int run = 0; run < 20; run++) {
                float[] query = heap.get(random.nextInt(heap.rows()));
                int k = 1 + random.nextInt(20);
                int share = 1 + random.nextInt(5);
                int[] allowed = run % 2 == 0
                        ? null
                        : IntStream.range(0, heap.rows())
                                .filter(row -> row % 7 % share == 0)
                                .toArray();
                List<TopHits.Scored> expected = hits(new VectorScan(query, k, false), heap, null, allowed, k);
                String what = "seed " + SEED + ", dimension " + dimension + ", run " + run;
                assertThat(hits(new VectorScan(query, k, false), mapped, null, allowed, k))
                        .as(what)
                        .isEqualTo(expected);
                assertThat(hits(new VectorScan(query, k, true), mapped, mapped.codes(), allowed, k))
                        .as(what)
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void aFileIsAFunctionOfItsVectors() throws IOException {
        Vectors heap = random(100, 16);
        DerivedFile one = VectorFile.write(folder.resolve(SEGMENT + ".vectors"), SEGMENT, heap, true);
        DerivedFile two = VectorFile.write(folder.resolve(SEGMENT + ".vectors"), SEGMENT, heap, true);
        assertThat(two).isEqualTo(one);
        assertThat(one.length()).isEqualTo(64 + 100 * (16 * 4 + 12 + 16) + 4);
        assertThat(DerivedFile.parse(DerivedFile.text(List.of(one)))).containsExactly(one);
    }

    @Test
    void thePlanIsNeverAGraphForFewVectors() {
        assertThat(SearchPlan.of(29_999, 29_999, SearchPlan.LEAST_ALLOWED)).isEqualTo(SearchPlan.SCAN);
        assertThat(SearchPlan.of(100_000, 100_000, SearchPlan.LEAST_ALLOWED)).isEqualTo(SearchPlan.GRAPH);
        assertThat(SearchPlan.of(50_000, 100_000, SearchPlan.LEAST_ALLOWED)).isEqualTo(SearchPlan.GRAPH);
        assertThat(SearchPlan.of(140_000, 1_000_000, SearchPlan.LEAST_ALLOWED)).isEqualTo(SearchPlan.SCAN);
        assertThat(SearchPlan.of(160_000, 1_000_000, SearchPlan.LEAST_ALLOWED)).isEqualTo(SearchPlan.GRAPH);
    }

    private Vectors random(int rows, int dimension) {
        Vectors vectors = new Vectors(rows, dimension);
        for (int row = 0; row < rows; row++) {
            float[] vector = new float[dimension];
            for (int i = 0; i < dimension && row % 100 != 50; i++) { // one in a hundred is zero
                vector[i] = (float) random.nextGaussian();
            }
            vectors.set(row, vector);
        }
        return vectors;
    }

    private static List<TopHits.Scored> hits(
            VectorScan scan, VectorRows rows, VectorCodes codes, int[] allowed, int k) {
        TopHits top = new TopHits(k);
        scan.over(rows, codes, allowed, top::offer);
        return top.drain();
    }
}
