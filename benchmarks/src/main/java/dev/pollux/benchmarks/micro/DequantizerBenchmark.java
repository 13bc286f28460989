package dev.pollux.benchmarks.micro;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.GgufFile;
import dev.pollux.testkit.GgufBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Elements of a GGUF tensor read as floats: the time of one. An export and a merge read each weight at least once. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DequantizerBenchmark {

    private static final int ELEMENTS = 1 << 20;

    /** How the elements are stored. */
    @Param({"BF16", "F16", "Q8_0", "Q4_0", "Q4_K", "Q6_K", "IQ4_XS", "IQ2_S", "MXFP4"})
    DType type = DType.F16;

    private Path path = Path.of("");
    private AutoCloseable closer = () -> {};
    private FloatReader reader = () -> new float[0];

    /** Reads the whole tensor. */
    private interface FloatReader {
        float[] read();
    }

    /** Writes a file of random blocks and opens it. */
    @Setup(Level.Trial)
    public void open() throws IOException {
        byte[] blocks = new byte[ELEMENTS / type.blockSize() * type.blockBytes()];
        new Random(1).nextBytes(blocks);
        path = Files.createTempFile("dequantizer", ".gguf");
        new GgufBuilder().tensor("weight", type, blocks, ELEMENTS).write(path);
        GgufFile file = GgufFile.open(path);
        closer = file;
        reader = () -> file.floats("weight");
    }

    /** Closes and deletes the file. */
    @TearDown(Level.Trial)
    public void close() throws Exception {
        closer.close();
        Files.delete(path);
    }

    /** All elements. */
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public float[] floats() {
        return reader.read();
    }
}
