package dev.pollux.inference.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.inference.internal.NativeRuntime;
import dev.pollux.inference.internal.session.GraphSession;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Graphs that are built, written, read, cut and rewritten. */
@NoLeaks
class GraphTest {

    @TempDir
    Path temp;

    /** y = x·W + b, z = relu(y) · 3; W is 4 × 2 and counts from 0. */
    private static GraphBuilder network(AtomicInteger read) {
        GraphBuilder graph = GraphBuilder.create();
        Value x = graph.input("x", ElementType.FLOAT, "rows", 4);
        Value w = graph.floats(
                "w",
                () -> {
                    read.incrementAndGet();
                    return new float[] {0, 1, 2, 3, 4, 5, 6, 7};
                },
                4,
                2);
        Value product = graph.op("MatMul", "product", x, w);
        Value y = graph.op("Add", "y", product, graph.floats("b", () -> new float[] {-100, 1}, 2));
        Value three = graph.floats("three", () -> new float[] {3}, 1);
        graph.output(graph.op("Mul", "z", graph.op("Relu", "positive", y), three));
        return graph;
    }

    private Path written(Graph graph) {
        Path model = temp.resolve("model.onnx");
        GraphWriter.write(graph, model);
        return model;
    }

    private static float[] run(OrtSession session, String output) throws OrtException {
        try (OnnxTensor x = OnnxTensor.createTensor(
                        NativeRuntime.environment(), FloatBuffer.wrap(new float[] {1, 2, 3, 4}), new long[] {1, 4});
                OrtSession.Result result = session.run(Map.of("x", x))) {
            return ((float[][]) result.get(output).orElseThrow().getValue())[0];
        }
    }

    private float[] run(Graph graph, Path model, String output) throws OrtException {
        try (OrtSession.SessionOptions settings = new OrtSession.SessionOptions();
                OrtSession session = GraphSession.of(graph, model, settings)) {
            return run(session, output);
        }
    }

    @Test
    void weightsAreProducedWhenTheGraphIsWritten() throws Exception {
        AtomicInteger read = new AtomicInteger();
        Graph graph = network(read).build();
        assertThat(graph.weights()).extracting(Weight::name).containsExactly("w", "b", "three");
        assertThat(GraphWriter.dataBytes(graph)).isEqualTo(2 * 64 + 4);
        assertThat(read).hasValue(0);
        List<Integer> progress = new ArrayList<>();
        Path model = temp.resolve("model.onnx");
        GraphWriter.write(graph, model, progress::add);
        assertThat(read).hasValue(1);
        assertThat(progress).containsExactly(1, 2, 3);
        assertThat(Files.size(GraphWriter.dataFile(model))).isEqualTo(GraphWriter.dataBytes(graph));
        try (OrtSession session = NativeRuntime.environment().createSession(model.toString())) {
            assertThat(run(session, "z")).containsExactly(0, (1 + 6 + 15 + 28 + 1) * 3);
        }
    }

    @Test
    void aListenerThatThrowsEndsTheWriting() {
        AtomicInteger read = new AtomicInteger();
        Graph graph = network(read).build();
        assertThatThrownBy(() -> GraphWriter.write(graph, temp.resolve("model.onnx"), written -> {
                    throw new CancelledException("enough");
                }))
                .isInstanceOf(CancelledException.class);
        assertThat(temp.resolve("model.onnx")).doesNotExist();
    }

    @Test
    void aSourceOfTheWrongLengthIsRefused() {
        GraphBuilder graph = GraphBuilder.create();
        graph.floats("w", () -> new float[3], 4);
        assertThatThrownBy(() -> written(graph.build()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("w of the shape [4] must have 16 bytes but its source gave 12");
    }

    @Test
    void aGraphIsReadWithItsWeightsLeftInTheFile() throws Exception {
        Graph graph = network(new AtomicInteger()).build();
        Path model = written(graph);
        Graph read = GraphReader.read(model);
        assertThat(read.inputs()).isEqualTo(graph.inputs());
        assertThat(read.outputs()).isEqualTo(graph.outputs());
        assertThat(read.nodes()).isEqualTo(graph.nodes());
        assertThat(read.weights())
                .extracting(Weight::value)
                .isEqualTo(graph.weights().stream().map(Weight::value).toList());
        assertThat(read.value("y")).isEqualTo(new Value("y", ElementType.FLOAT, Shape.from("rows", 2)));
        assertThat(run(read, model, "z")).containsExactly(0, 153);
        Path copy = Files.createDirectory(temp.resolve("copy")).resolve("model.onnx");
        GraphWriter.write(read, copy);
        assertThat(copy).hasSameBinaryContentAs(model);
        assertThat(GraphWriter.dataFile(copy)).hasSameBinaryContentAs(GraphWriter.dataFile(model));
    }

    @Test
    void aFileThatIsNoModelIsRefused() throws IOException {
        Path file = Files.writeString(temp.resolve("model.onnx"), "not a model");
        assertThatThrownBy(() -> GraphReader.read(file))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith(file + " is not an ONNX model: ");
    }

    @Test
    void aCutKeepsWhatAValueNeeds() throws Exception {
        Path model = written(network(new AtomicInteger()).build());
        Graph cut = GraphCut.to(GraphReader.read(model), List.of("product"));
        assertThat(cut.nodes()).extracting(Node::toString).containsExactly("MatMul(x, w) → product");
        assertThat(cut.weights()).extracting(Weight::name).containsExactly("w");
        assertThat(cut.outputs()).extracting(Value::name).containsExactly("product");
        assertThat(run(cut, model, "product")).containsExactly(0 + 4 + 12 + 24, 1 + 6 + 15 + 28);
    }

    @Test
    void aCutBetweenValuesReadsThemAsInputs() {
        GraphBuilder graph = GraphBuilder.create();
        Value x = graph.input("x", ElementType.FLOAT, "n", 2);
        Value w = graph.floats("w", () -> new float[] {1, 2, 3, 4}, 2, 2);
        Value v = graph.floats("v", () -> new float[] {5, 6}, 2);
        Value a = graph.op("MatMul", "a", x, w);
        Value b = graph.op("Add", "b", a, v);
        Value c = graph.op("MatMul", "c", b, w);
        graph.output(c);

        Graph cut = GraphCut.between(graph.build(), List.of(a, w), List.of(c));

        assertThat(cut.nodes()).extracting(Node::toString).containsExactly("Add(a, v) → b", "MatMul(b, w) → c");
        assertThat(cut.inputs()).containsExactly(a, w); // x is no longer read
        assertThat(cut.weights()).extracting(Weight::name).containsExactly("v");
        assertThat(cut.outputs()).containsExactly(c);
    }

    @Test
    void aCutKeepsWhatBranchesRead() {
        GraphBuilder graph = GraphBuilder.create();
        Value x = graph.input("x", ElementType.FLOAT, 2);
        Value flag = graph.input("flag", ElementType.BOOL, 1);
        Value doubled = graph.op("Add", "doubled", x, x);
        graph.op("Relu", "unused", x);
        Value y = graph.choice("y", flag, () -> graph.op("Relu", "r", doubled), () -> graph.op("Identity", "i", x));
        graph.output(y);
        Graph cut = GraphCut.to(graph.build(), List.of("y"));
        assertThat(cut.nodes()).extracting(node -> node.output(0)).containsExactly("doubled", "y");
        assertThat(cut.inputs()).extracting(Value::name).containsExactly("x", "flag");
        assertThat(cut.nodes().get(1).branches()).hasSize(2);
    }

    @Test
    void aRewritePutsNodesInThePlaceOfOne() throws Exception {
        Path model = written(network(new AtomicInteger()).build());
        Graph doubled = GraphRewrite.of(GraphReader.read(model))
                .replace("product", (node, to) -> {
                    to.add(node.withOutput(0, "product.single"));
                    to.op("Add", "product", to.value("product.single"), to.value("product.single"));
                })
                .graph();
        assertThat(doubled.nodes()).extracting(Node::operator).containsExactly("MatMul", "Add", "Add", "Relu", "Mul");
        assertThat(run(doubled, model, "z")).containsExactly(0, (2 * 50 + 1) * 3);
    }

    @Test
    void aGraphGoesOnFromAnother() throws Exception {
        Path model = written(network(new AtomicInteger()).build());
        GraphBuilder more = GraphBuilder.from(GraphReader.read(model)).withoutOutputs();
        more.output(more.op("Neg", "minus", more.value("y")));
        assertThat(run(more.build(), model, "minus")).containsExactly(60, -51);
    }
}
