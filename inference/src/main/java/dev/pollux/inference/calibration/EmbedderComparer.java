package dev.pollux.inference.calibration;

import dev.pollux.StorageException;
import dev.pollux.embedding.TextRole;
import dev.pollux.inference.encoder.EmbedderOptions;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.job.Job;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Compares two embedders on texts. <em>Thread-safe.</em> */
public final class EmbedderComparer {

    private static final int LEAST_TEXTS = 2;
    private static final int NEAREST = 10;
    private static final int BATCH = 32;
    private static final int BLOCK = 8;

    private final EmbedderOptions options;

    private EmbedderComparer(EmbedderOptions options) {
        this.options = options;
    }

    /** A comparer that opens embedders with {@code options}. */
    public static EmbedderComparer of(EmbedderOptions options) {
        return new EmbedderComparer(options);
    }

    /**
     * Compares two embedders.
     *
     * @param a the reference: any folder that {@link OnnxEmbedder} opens
     * @param b an embedder with vectors of the same dimension
     * @param texts at least two passages
     * @return a job that reports texts; running it throws {@link IllegalArgumentException} if there are too few texts or the
     *     dimensions differ
     */
    public Job<EmbedderComparison> compare(Path a, Path b, List<String> texts) {
        return Job.of("compare", context -> {
            if (texts.size() < LEAST_TEXTS) {
                throw new IllegalArgumentException(
                        "texts must have at least " + LEAST_TEXTS + " passages but had " + texts.size());
            }
            Vectors one = vectors(a, texts, context);
            Vectors other = vectors(b, texts, context);
            if (one.rows()[0].length != other.rows()[0].length) {
                throw new IllegalArgumentException("The embedders must have one dimension but " + a + " has "
                        + one.rows()[0].length + " and " + b + " has " + other.rows()[0].length
                        + "; compare embedders of one model");
            }
            double[] cosines = IntStream.range(0, texts.size())
                    .mapToDouble(i -> cosine(one.rows()[i], other.rows()[i]))
                    .toArray();
            return new EmbedderComparison(
                    texts.size(),
                    one.side(),
                    other.side(),
                    BlockBootstrap.interval(cosines, BLOCK, x -> x),
                    Arrays.stream(cosines).min().orElse(1),
                    recall(one.rows(), other.rows()));
        });
    }

    /** @param rows (texts, dimension) */
    private record Vectors(float[][] rows, EmbedderComparison.Side side) {}

    private Vectors vectors(Path folder, List<String> texts, JobContext context) {
        long begin = System.nanoTime();
        try (OnnxEmbedder embedder = context.run(OnnxEmbedder.openJob(folder, options))) {
            long opened = System.nanoTime();
            List<float[]> rows = new ArrayList<>();
            for (int from = 0; from < texts.size(); from += BATCH) {
                context.checkCancelled();
                List<String> some = texts.subList(from, Math.min(texts.size(), from + BATCH));
                rows.addAll(List.of(embedder.embed(some, TextRole.PASSAGE)));
                context.progress("compare", rows.size(), texts.size(), "texts");
            }
            double seconds = (System.nanoTime() - opened) / 1e9;
            return new Vectors(
                    rows.toArray(float[][]::new),
                    new EmbedderComparison.Side(bytes(folder), (opened - begin) / 1_000_000, texts.size() / seconds));
        }
    }

    /** Bytes of the files of weights in a folder and its folders. */
    private static long bytes(Path folder) {
        long bytes = 0;
        try (Stream<Path> files = Files.walk(folder, 2)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = String.valueOf(file.getFileName());
                if (name.matches(".*\\.(onnx|safetensors)") || name.matches(".*\\.onnx[._]data.*")) {
                    bytes += Files.size(file);
                }
            }
        } catch (IOException e) {
            throw new StorageException("Cannot list " + folder + ": " + e, e);
        }
        return bytes;
    }

    private static double cosine(float[] a, float[] b) {
        double product = 0;
        double squaresA = 0;
        double squaresB = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            squaresA += (double) a[i] * a[i];
            squaresB += (double) b[i] * b[i];
        }
        return squaresA == 0 || squaresB == 0 ? 0 : product / Math.sqrt(squaresA * squaresB);
    }

    private static double recall(float[][] a, float[][] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            List<Integer> found = nearest(b, i);
            List<Integer> wanted = nearest(a, i);
            sum += wanted.stream().filter(found::contains).count() / (double) wanted.size();
        }
        return sum / a.length;
    }

    /** The texts whose vectors are nearest to that of {@code text}, without itself. */
    private static List<Integer> nearest(float[][] rows, int text) {
        double[] scores = new double[rows.length];
        Arrays.setAll(scores, i -> cosine(rows[text], rows[i]));
        return IntStream.range(0, rows.length)
                .filter(i -> i != text)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -scores[i]))
                .limit(NEAREST)
                .toList();
    }
}
