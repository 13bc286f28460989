package dev.pollux.rag.knowledge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class VectorsTest {

    private static final long SEED = 7;

    /** Sums of up to 400 products of numbers near 1 in float: about n * 2^-24. */
    private static final Offset<Float> FLOAT_SUM = Offset.offset(1e-4f);

    @Test
    void innerProductsAreThoseOfThePlainLoopForEveryLengthAndChunk() {
        Random random = new Random(SEED);
        for (int dimension = 1; dimension <= 400; dimension += 1 + dimension / 8) {
            int rows = 1 + random.nextInt(20);
            Vectors vectors =
                    new Vectors(rows, dimension, dimension * (1 + random.nextInt(4)) + random.nextInt(dimension));
            float[][] plain = new float[rows][]; // (rows, dimension)
            for (int row = 0; row < rows; row++) {
                plain[row] = vector(random, dimension);
                vectors.set(row, plain[row]);
            }
            float[] query = vector(random, dimension);
            float[] dots = new float[rows];
            vectors.dots(query, 0, rows, dots, new float[VectorRows.BLOCK * dimension]);
            for (int row = 0; row < rows; row++) {
                double expected = 0;
                for (int i = 0; i < dimension; i++) {
                    expected += (double) query[i] * plain[row][i];
                }
                String what = "seed " + SEED + ", dimension " + dimension + ", row " + row;
                assertThat(vectors.get(row)).as(what).isEqualTo(plain[row]);
                assertThat(dots[row]).as(what).isEqualTo((float) expected, FLOAT_SUM);
            }
        }
    }

    @Test
    void theHeapKeepsTheBestAndOfEqualOnesTheFirst() {
        Random random = new Random(SEED);
        for (int run = 0; run < 200; run++) {
            int k = random.nextInt(12);
            TopHits top = new TopHits(k);
            List<TopHits.Scored> all = new ArrayList<>();
            for (int id = 0; id < random.nextInt(60); id++) {
                float score = random.nextInt(10); // many ties
                top.offer(id, score);
                all.add(new TopHits.Scored(id, score));
            }
            List<TopHits.Scored> expected = all.stream()
                    .sorted(Comparator.comparingDouble(TopHits.Scored::score)
                            .reversed()
                            .thenComparingInt(TopHits.Scored::id))
                    .limit(k)
                    .toList();
            assertThat(top.drain()).as("seed " + SEED + ", run " + run).isEqualTo(expected);
            assertThat(top.drain()).isEmpty();
        }
    }

    @Test
    void fusionIsTheSumOfReciprocalRanks() {
        List<TopHits.Scored> one = List.of(new TopHits.Scored(1, 9), new TopHits.Scored(2, 8));
        List<TopHits.Scored> two = List.of(new TopHits.Scored(2, 0.5), new TopHits.Scored(3, 0.4));
        assertThat(Fusion.fuse(List.of(one, two), new double[] {1, 1}, 2))
                .containsExactly(new TopHits.Scored(2, 1.0 / 62 + 1.0 / 61), new TopHits.Scored(1, 1.0 / 61));
        assertThat(Fusion.fuse(List.of(one, two), new double[] {0.5, 0}, 1))
                .containsExactly(new TopHits.Scored(1, 0.5 / 61));
    }

    private static float[] vector(Random random, int dimension) {
        float[] vector = new float[dimension];
        for (int i = 0; i < dimension; i++) {
            vector[i] = (float) random.nextGaussian();
        }
        return vector;
    }
}
