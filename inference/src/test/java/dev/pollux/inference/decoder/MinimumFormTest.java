package dev.pollux.inference.decoder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.Shape;
import dev.pollux.inference.graph.Value;
import dev.pollux.tensor.DType;
import dev.pollux.tensor.StackedMatrix;
import dev.pollux.tensor.TensorFile;
import dev.pollux.tensor.TensorInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which matrices keep codes and minima. */
class MinimumFormTest {

    private static final Value X = new Value("x", ElementType.FLOAT, Shape.from("B", "S", 256));

    /** Tensors of 256 columns that cannot be read. */
    private record Headers(Map<String, TensorInfo> tensors) implements TensorFile {

        static Headers of(long rows, DType type) {
            TensorInfo filling = new TensorInfo("filling", type, List.of(rows, 256L), 0, 0);
            return new Headers(Map.of("filling", filling, "q", matrix("q", DType.Q4_K), "v", matrix("v", DType.Q6_K)));
        }

        private static TensorInfo matrix(String name, DType type) {
            return new TensorInfo(name, type, List.of(64L, 256L), 0, 0);
        }

        StackedMatrix stacked(String... names) {
            return StackedMatrix.of(this, List.of(names), 256);
        }

        @Override
        public ByteBuffer bytes(String name, long offset, int length) {
            throw new IllegalStateException("has headers only");
        }

        @Override
        public void close() {}
    }

    private static boolean fits(Headers file, WeightFormat format) {
        return MinimumForm.of(file, format).fits(X, file.stacked("q"));
    }

    @Test
    void largeModelsKeepMinimaByDefaultAndSmallOnesAtFourBitsOnly() {
        Headers large = Headers.of(MinimumForm.LARGE / 256, DType.Q4_1);
        Headers small = Headers.of(MinimumForm.LARGE / 512, DType.Q4_1);
        Headers other = Headers.of(MinimumForm.LARGE / 256, DType.Q8_0);
        assertThat(fits(large, WeightFormat.EXACT)).isTrue();
        assertThat(fits(small, WeightFormat.EXACT)).isFalse();
        assertThat(fits(other, WeightFormat.EXACT)).isFalse();
        assertThat(fits(small, WeightFormat.BITS_4)).isTrue();
        assertThat(fits(large, WeightFormat.BITS_8)).isFalse();
        assertThat(fits(large, WeightFormat.FLOAT)).isFalse();
    }

    @Test
    void aStackIsDividedWhereTheFormChanges() {
        Headers file = Headers.of(1, DType.Q4_0);
        StackedMatrix all = file.stacked("q", "q", "v");
        assertThat(MinimumForm.of(file, WeightFormat.BITS_4).runs(X, all))
                .extracting(StackedMatrix::names)
                .containsExactly(List.of("q", "q"), List.of("v"));
        assertThat(MinimumForm.of(file, WeightFormat.EXACT).runs(X, all)).containsExactly(all);
    }
}
