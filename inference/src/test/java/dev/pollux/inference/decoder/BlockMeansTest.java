package dev.pollux.inference.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.GraphBuilder;
import dev.pollux.inference.graph.GraphWriter;
import dev.pollux.inference.graph.Value;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.block.MinimumColumns;
import dev.pollux.testkit.NoLeaks;
import java.nio.FloatBuffer;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Means appended to the inputs of dense layers, (B, S, columns), and of experts, (tokens, columns). */
@NoLeaks
class BlockMeansTest {

    private static final int ROWS = 6;
    private static final int COLUMNS = 96;

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void meansFollowEachRow(int rank) throws OrtException {
        GraphBuilder graph = GraphBuilder.create();
        Value x = rank == 2
                ? graph.input("x", ElementType.FLOAT, "T", COLUMNS)
                : graph.input("x", ElementType.FLOAT, "B", "S", COLUMNS);
        MinimumColumns columns = MinimumColumns.of(COLUMNS);
        BlockMeans means = new BlockMeans(graph);
        Value y = means.after(x, columns);
        assertThat(means.after(x, columns)).isSameAs(y);
        graph.output(y);
        int width = COLUMNS + columns.columns();
        assertThat(y.shape().last().factor()).isEqualTo(width);
        float[] values = new float[ROWS * COLUMNS];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.sin(i);
        }
        float[] made = run(graph, values, rank == 2 ? new long[] {ROWS, COLUMNS} : new long[] {2, ROWS / 2, COLUMNS});
        for (int row = 0; row < ROWS; row++) {
            for (int i = 0; i < width; i++) {
                double wanted = i < COLUMNS ? values[row * COLUMNS + i] : mean(values, row, (i - COLUMNS) % 3);
                assertThat((double) made[row * width + i]).isCloseTo(wanted, within(1e-6));
            }
        }
    }

    private static double mean(float[] values, int row, int block) {
        double sum = 0;
        for (int i = 0; i < 32; i++) {
            sum += values[row * COLUMNS + block * 32 + i];
        }
        return sum / 32;
    }

    private static float[] run(GraphBuilder graph, float[] values, long[] shape) throws OrtException {
        try (OrtSession session = NativeRuntime.environment().createSession(GraphWriter.bytes(graph.build()));
                OnnxTensor x = OnnxTensor.createTensor(NativeRuntime.environment(), FloatBuffer.wrap(values), shape);
                OrtSession.Result result = session.run(Map.of("x", x))) {
            FloatBuffer made = ((OnnxTensor) result.get(0)).getFloatBuffer();
            float[] copy = new float[made.remaining()];
            made.get(copy);
            return copy;
        }
    }
}
