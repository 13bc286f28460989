package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StackedMatrixTest {

    private final HeldFile file = new HeldFile();

    /** Values that tell their positions in the stack. */
    private void part(String name, int firstRow, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = firstRow * columns + i;
        }
        file.with(name, values, rows, columns);
    }

    @Test
    void theRowsOfAllPartsAreCounted() {
        part("q", 0, 4, 3);
        part("k", 4, 2, 3);
        part("v", 6, 1, 3);
        StackedMatrix stack = StackedMatrix.of(file, List.of("q", "k", "v"), 3);
        assertThat(stack.rows()).isEqualTo(7);
        assertThat(stack.columns()).isEqualTo(3);
        assertThat(stack.rowsOfParts()).containsExactly(4, 2, 1);
        assertThat(stack.requireRows(7)).isSameAs(stack);
        assertThatThrownBy(() -> stack.requireRows(8))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("[q, k, v] must have 8 rows but have 7; the configuration and the weights do not match");
    }

    @Test
    void aPartThatIsAbsentOrOfAnotherShapeIsRefused() {
        part("q", 0, 4, 3);
        file.with("bias", new float[3], 3);
        assertThatThrownBy(() -> StackedMatrix.of(file, List.of("q", "k"), 3))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("The checkpoint has no tensor k; it is incomplete");
        assertThatThrownBy(() -> StackedMatrix.of(file, List.of("q"), 4))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("q must be [rows, 4] but is [4, 3]; the configuration and the weights do not match");
        assertThatThrownBy(() -> StackedMatrix.of(file, List.of("q", "bias"), 3))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage("bias must be [rows, 3] but is [3]; the configuration and the weights do not match");
    }

    @Test
    void theTypesOfTheParts() {
        part("q", 0, 1, 32);
        file.with("k", DType.Q8_0, new byte[34], 1, 32);
        StackedMatrix both = StackedMatrix.of(file, List.of("q", "k"), 32);
        assertThat(both.types()).containsExactly(DType.F32, DType.Q8_0);
        assertThat(both.stored(DType.Q8_0, DType.F16, DType.F32)).isTrue();
        assertThat(both.stored(DType.F32)).isFalse();
        assertThat(StackedMatrix.of(file, List.of("q"), 32).stored(DType.F32)).isTrue();
    }

    /** 131,072 elements a slice, but at least one row. */
    @ParameterizedTest
    @CsvSource({"65536, 2", "65535, 2", "65537, 1", "131072, 1", "131073, 1", "200000, 1", "43690, 3"})
    void everyRowIsVisitedOnceInSlicesThatFitACache(int columns, int step) {
        part("a", 0, 5, columns);
        part("b", 5, 2, columns);
        StackedMatrix stack = StackedMatrix.of(file, List.of("a", "b"), columns);
        ConcurrentMap<Integer, float[]> visited = new ConcurrentHashMap<>();
        stack.floats((first, rows, type) -> {
            assertThat(type).isEqualTo(DType.F32);
            assertThat(visited.put(first, rows)).isNull();
        });
        int at = 0;
        for (int rows : new int[] {5, 2}) {
            for (int end = at + rows; at < end; ) {
                int count = Math.min(step, end - at);
                int first = at * columns;
                assertThat(visited.get(at)).hasSize(count * columns);
                assertThat(visited.get(at)[0]).isEqualTo((float) first);
                assertThat(visited.remove(at)[count * columns - 1]).isEqualTo((float) (first + count * columns - 1));
                at += count;
            }
        }
        assertThat(visited).isEmpty();
    }

    @Test
    void theTransposedMatrixHasRowsAsColumns() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int run = 0; run < 20; run++) {
            int columns = run == 0 ? 70_000 : 1 + random.nextInt(40);
            int upper = 1 + random.nextInt(9);
            int lower = 1 + random.nextInt(9);
            part("a", 0, upper, columns);
            part("b", upper, lower, columns);
            int rows = upper + lower;
            float[] due = new float[rows * columns];
            for (int i = 0; i < due.length; i++) {
                due[i] = i % rows * columns + i / rows;
            }
            assertThat(StackedMatrix.of(file, List.of("a", "b"), columns).transposed())
                    .as("seed %d, run %d", seed, run)
                    .isEqualTo(due);
        }
    }

    @Test
    void storedRowsAreVisitedByTheirBytes() {
        int columns = 65_536;
        int rowBytes = columns / 32 * 34;
        byte[] blocks = new byte[3 * rowBytes];
        IntStream.range(0, 3)
                .forEach(row -> Arrays.fill(blocks, row * rowBytes, (row + 1) * rowBytes, (byte) (row + 1)));
        file.with("a", DType.Q8_0, blocks, 3, columns);
        part("b", 0, 1, columns);
        ConcurrentMap<Integer, ByteBuffer> visited = new ConcurrentHashMap<>();
        StackedMatrix.of(file, List.of("a", "b"), columns).bytes((first, rows, type) -> {
            assertThat(type).isEqualTo(first < 3 ? DType.Q8_0 : DType.F32);
            visited.put(first, rows);
        });
        assertThat(visited.keySet()).containsExactlyInAnyOrder(0, 2, 3);
        assertThat(visited.get(0)).isEqualTo(ByteBuffer.wrap(blocks, 0, 2 * rowBytes));
        assertThat(visited.get(2)).isEqualTo(ByteBuffer.wrap(blocks, 2 * rowBytes, rowBytes));
        assertThat(visited.get(3).remaining()).isEqualTo(4 * columns);
        assertThat(file.reads)
                .containsExactlyInAnyOrder(
                        new HeldFile.Read("a", 0, 2 * rowBytes),
                        new HeldFile.Read("a", 2L * rowBytes, rowBytes),
                        new HeldFile.Read("b", 0, 4 * columns));
    }

    @Test
    void theNamesAreCopied() {
        part("q", 0, 1, 3);
        List<String> names = new ArrayList<>(List.of("q"));
        StackedMatrix stack = StackedMatrix.of(file, names, 3);
        names.clear();
        assertThat(stack.names()).containsExactly("q");
    }
}
