package dev.pollux.finetune.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The methods on numbers small enough to check by hand. */
class MergeMethodTest {

    /** One rounding to float of numbers near 1. */
    private static final float ROUNDING = 1e-6f;

    private static final float[] BASE = {1, 1, 1, 1};

    private static TaskSum plain(boolean elect, boolean normalize) {
        return new TaskSum(elect, normalize, 1, false);
    }

    @Test
    void linearIsTheWeightedMean() {
        FakeWindows in = FakeWindows.of(2, new float[] {1, 2}, new float[] {5, 10});

        assertThat(in.merge(new Linear(List.of(1.0, 3.0), true))).containsExactly(4, 8);
        assertThat(in.merge(new Linear(List.of(1.0, 3.0), false))).containsExactly(16, 32);
    }

    @Test
    void weightsThatSumToZeroCannotBeNormalized() {
        assertThatThrownBy(() -> new Linear(List.of(0.5, -0.5), true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "weights must not sum to 0 but [0.5, -0.5] do, and normalizing divides by the sum; change them"
                                + " or set normalize: false");
        assertThat(new Linear(List.of(0.5, -0.5), false).weights()).containsExactly(0.5, -0.5);
    }

    @Test
    void slerpTurnsBetweenRightAngles() {
        FakeWindows in = FakeWindows.of(2, new float[] {1, 0}, new float[] {0, 1});
        float half = (float) Math.sqrt(0.5);

        assertThat(in.merge(new Slerp(0.5))).containsExactly(new float[] {half, half}, within(ROUNDING));
        assertThat(in.facts()).containsEntry("branch", "slerp").containsEntry("cosine", "0.0");
    }

    @Test
    void slerpOfNearlyParallelTensorsIsAStraightLine() {
        FakeWindows in = FakeWindows.of(2, new float[] {1, 0}, new float[] {3, 0});

        assertThat(in.merge(new Slerp(0.25))).containsExactly(1.5f, 0);
        assertThat(in.facts()).containsEntry("branch", "lerp");
    }

    @Test
    void slerpWithAZeroTensorIsFinite() {
        FakeWindows in = FakeWindows.of(2, new float[] {0, 0}, new float[] {2, 0});

        for (float value : in.merge(new Slerp(0.5))) {
            assertThat(Float.isFinite(value)).isTrue();
        }
    }

    @Test
    void nuSlerpTurnsRowsAndColumnsEachByTheirAngle() {
        // rows: right angle, parallel; columns: (1,2)-(0,6) and (0,0)-(1,0)
        float[] a = {1, 0, 2, 0};
        float[] b = {0, 1, 6, 0};
        FakeWindows in = FakeWindows.of(2, a, b);
        float half = (float) Math.sqrt(0.5);

        float[] rows = in.merge(new NuSlerp(1, 1, NuSlerp.Along.ROWS, false));
        assertThat(rows).containsExactly(new float[] {half, half, 4, 0}, within(ROUNDING));
        double angle = Math.acos(2 * 6 / Math.sqrt(5) / 6);
        float c = (float) (Math.sin(angle / 2) / Math.sin(angle));
        float[] columns = in.merge(new NuSlerp(1, 1, NuSlerp.Along.COLUMNS, false));
        assertThat(columns[0]).isCloseTo(c, within(ROUNDING));
        assertThat(columns[2]).isCloseTo(c * 8, within(10 * ROUNDING));
    }

    @Test
    void nuSlerpWithABaseTurnsTheDifferences() {
        FakeWindows in = FakeWindows.of(2, new float[] {10, 10}, new float[] {11, 10}, new float[] {10, 11});
        float half = (float) Math.sqrt(0.5);

        for (NuSlerp.Along along : NuSlerp.Along.values()) {
            assertThat(in.merge(new NuSlerp(1, 1, along, true)))
                    .as(along.toString())
                    .containsExactly(new float[] {10 + half, 10 + half}, within(10 * ROUNDING));
        }
    }

    @Test
    void karcherMeanOfThreeAxesIsTheirDiagonal() {
        FakeWindows in = FakeWindows.of(3, new float[] {3, 0, 0}, new float[] {0, 3, 0}, new float[] {0, 0, 3});
        float third = (float) Math.sqrt(3);

        assertThat(in.merge(new Karcher(10, 1e-5)))
                .containsExactly(new float[] {third, third, third}, within(ROUNDING));
    }

    @Test
    void karcherOfZerosIsZero() {
        FakeWindows in = FakeWindows.of(2, new float[2], new float[2]);

        assertThat(in.merge(new Karcher(10, 1e-5))).containsExactly(0, 0);
    }

    @Test
    void multiSlerpKeepsTheMeanNorm() {
        FakeWindows in = FakeWindows.of(2, new float[] {2, 0}, new float[] {0, 4});
        float[] merged = in.merge(new MultiSlerp(List.of(1.0, 1.0), true, 1e-8, false));

        assertThat(merged[0]).isCloseTo(merged[1], within(ROUNDING));
        assertThat(Math.hypot(merged[0], merged[1])).isCloseTo(3, within((double) ROUNDING * 10));
    }

    @Test
    void multiSlerpOfUntouchedTensorsIsTheBase() {
        FakeWindows in = FakeWindows.of(4, BASE, BASE, BASE, BASE);

        assertThat(in.merge(new MultiSlerp(List.of(1.0, 1.0, 1.0), true, 1e-8, true)))
                .containsExactly(BASE);
    }

    @Test
    void taskArithmeticAddsWeightedDifferences() {
        FakeWindows in = FakeWindows.of(2, new float[] {1, 1}, new float[] {2, 1}, new float[] {1, 5});

        assertThat(in.merge(new TaskArithmetic(List.of(2.0, 0.5), new TaskSum(false, false, 0.5, false))))
                .containsExactly(2, 2);
        assertThat(in.merge(new TaskArithmetic(List.of(2.0, 2.0), plain(false, true))))
                .containsExactly(1.5f, 3);
    }

    @Test
    void tiesTrimsElectsAndAveragesWhatAgrees() {
        float[] zero = new float[4];
        FakeWindows in = FakeWindows.of(4, zero, new float[] {4, 1, -2, 3}, new float[] {-1, 2, -6, 3});

        // trimmed to (4, 0, 0, 3) and (0, 0, -6, 3)
        assertThat(in.merge(new Ties(List.of(1.0, 1.0), List.of(0.5, 0.5), plain(true, true))))
                .containsExactly(4, 0, -6, 3);
        assertThat(in.merge(new Ties(List.of(1.0, 1.0), List.of(1.0, 1.0), plain(true, false))))
                .containsExactly(4, 3, -8, 6);
    }

    @Test
    void anExactTieElectsPlusAndEqualMagnitudesKeepTheFirst() {
        float[] zero = new float[4];
        FakeWindows in = FakeWindows.of(2, zero, new float[] {1, -1, 1, -1}, new float[] {-1, 1, -1, 1});

        assertThat(in.merge(new Ties(List.of(1.0, 1.0), List.of(1.0, 1.0), plain(true, true))))
                .containsExactly(1, 1, 1, 1);
        assertThat(in.merge(new Ties(List.of(1.0, 1.0), List.of(0.75, 0.25), plain(false, false))))
                .containsExactly(0, -1, 1, 0);
    }

    @Test
    void rescalingKeepsTheSumOfMagnitudes() {
        FakeWindows in = FakeWindows.of(4, new float[4], new float[] {3, 1, 1, 1});

        assertThat(in.merge(new Ties(List.of(1.0), List.of(0.25), new TaskSum(false, false, 1, true))))
                .containsExactly(6, 0, 0, 0);
    }

    @Test
    void breadcrumbsDropsTheLargestAndTheSmallest() {
        FakeWindows in = FakeWindows.of(2, new float[10], new float[] {1, -10, 2, 9, 3, -8, 4, 7, 5, 6});
        TaskSum sum = plain(false, false);

        assertThat(in.merge(new Breadcrumbs(List.of(1.0), List.of(0.5), List.of(0.2), sum, false)))
                .containsExactly(0, 0, 0, 0, 0, -8, 4, 7, 5, 6);
        assertThat(in.merge(new Breadcrumbs(List.of(1.0), List.of(0.5), List.of(0.0), sum, false)))
                .containsExactly(0, -10, 0, 9, 0, -8, 0, 7, 0, 6);
        assertThat(in.merge(new Breadcrumbs(List.of(1.0), List.of(0.5), List.of(0.0), sum, true)))
                .containsExactly(new float[10]);
        assertThat(in.merge(new Breadcrumbs(List.of(1.0), List.of(1.0), List.of(0.5), sum, false)))
                .containsExactly(1, -10, 2, 9, 3, -8, 4, 7, 5, 6);
    }

    @Test
    void dareKeepsAShareOfTheElementsAndTheSumOfMagnitudes() {
        int n = 100_000;
        float[] ones = new float[n];
        java.util.Arrays.fill(ones, 1);
        FakeWindows in = FakeWindows.of(1000, new float[n], ones);

        float[] merged = in.merge(new Dare(List.of(1.0), List.of(0.3), new TaskSum(false, false, 1, true)));

        int kept = 0;
        double sum = 0;
        for (float value : merged) {
            kept += value != 0 ? 1 : 0;
            sum += value;
        }
        double deviation = Math.sqrt(n * 0.3 * 0.7);
        assertThat((double) kept).isCloseTo(0.3 * n, within(5 * deviation));
        assertThat(sum).isCloseTo(n, within(n * 1e-5));
    }

    @Test
    void dellaKeepsLargeDifferencesMoreOften() {
        int rows = 4000;
        float[] delta = new float[rows * 5];
        for (int i = 0; i < delta.length; i++) {
            delta[i] = 1 + i % 5;
        }
        FakeWindows in = FakeWindows.of(5, new float[delta.length], delta);

        float[] merged = in.merge(new Della(List.of(1.0), List.of(0.5), List.of(0.4), plain(false, false)));

        int[] kept = new int[5];
        for (int i = 0; i < merged.length; i++) {
            kept[i % 5] += merged[i] != 0 ? 1 : 0;
        }
        for (int rank = 0; rank < 5; rank++) {
            double p = 0.1 + 0.2 * rank;
            assertThat((double) kept[rank]).isCloseTo(p * rows, within(5 * Math.sqrt(rows * p * (1 - p))));
        }
    }

    @Test
    void dellaChecksItsProbabilities() {
        assertThatThrownBy(() -> new Della(List.of(1.0), List.of(0.9), List.of(0.2), plain(true, true)))
                .hasMessage("density - epsilon must be above 0 and density + epsilon below 1 but density was 0.9 and"
                        + " epsilon 0.2");
        assertThat(new Della(List.of(1.0), List.of(1.0), List.of(0.2), plain(true, true)).densities())
                .containsExactly(1.0);
    }

    @Test
    void modelStockGoesAsFarAsTheModelsAgree() {
        FakeWindows parallel = FakeWindows.of(2, new float[] {0, 0}, new float[] {2, 0}, new float[] {4, 0});
        assertThat(parallel.merge(new ModelStock(false))).containsExactly(3, 0);
        FakeWindows orthogonal = FakeWindows.of(2, new float[] {1, 1}, new float[] {2, 1}, new float[] {1, 2});
        assertThat(orthogonal.merge(new ModelStock(false))).containsExactly(1, 1);
        FakeWindows opposed = FakeWindows.of(2, new float[] {1, 1}, new float[] {2, 1}, new float[] {0, 1});
        assertThat(opposed.merge(new ModelStock(false))).containsExactly(1, 1);
    }

    @Test
    void modelStockByRowsDecidesForEach() {
        FakeWindows in =
                FakeWindows.of(2, new float[] {0, 0, 0, 0}, new float[] {2, 0, 1, 0}, new float[] {4, 0, 0, 1});

        assertThat(in.merge(new ModelStock(true))).containsExactly(3, 0, 0, 0);
    }

    @Test
    void sceErasesWhatGoesAgainstTheElectedSign() {
        FakeWindows in = FakeWindows.of(2, new float[] {0, 0}, new float[] {2, 0}, new float[] {-1, 0});

        // weights 4/5 and 1/5; only the first has the elected sign
        assertThat(in.merge(new Sce(1))).containsExactly(2, 0);
    }

    @Test
    void sceOfUntouchedModelsIsTheBase() {
        FakeWindows in = FakeWindows.of(4, BASE, BASE, BASE);

        assertThat(in.merge(new Sce(0.3))).containsExactly(BASE);
    }

    @Test
    void ramAveragesSharedChangesAndKeepsOwnOnes() {
        FakeWindows in = FakeWindows.of(3, new float[3], new float[] {1, 2, 0}, new float[] {0, 4, 0});

        assertThat(in.merge(new Ram(1e-5, 0, 0))).containsExactly(1, 3, 0);
        // of the first model's changes one is shared and one its own: 1 + 0.5 * min(1, 0.2)
        assertThat(in.merge(new Ram(1e-5, 0.5, 0.2))).containsExactly(new float[] {1.1f, 3, 0}, within(ROUNDING));
    }

    @Test
    void nearSwapMovesNoElementByMoreThanT() {
        FakeWindows in = FakeWindows.of(3, new float[] {0, 0, 1}, new float[] {0.05f, 10, 1});

        assertThat(in.merge(new NearSwap(0.1))).containsExactly(new float[] {0.05f, 0.1f, 1}, within(ROUNDING));
    }

    @Test
    void arceeFusionTakesOnlyOutstandingChanges() {
        float[] base = new float[8];
        float[] other = {0.01f, 0.02f, 0.01f, 0.02f, 0.01f, 0.02f, 0.01f, 5};
        FakeWindows in = FakeWindows.of(8, base, other);

        assertThat(in.merge(new ArceeFusion())).containsExactly(0, 0, 0, 0, 0, 0, 0, 5);
        assertThat(in.facts()).containsEntry("taken", "1");
    }

    @Test
    void passthroughScales() {
        FakeWindows in = FakeWindows.of(2, new float[] {1, -2});

        assertThat(in.merge(new Passthrough(1))).containsExactly(1, -2);
        assertThat(in.merge(new Passthrough(0))).containsExactly(new float[] {0, 0}, within(0f));
    }
}
