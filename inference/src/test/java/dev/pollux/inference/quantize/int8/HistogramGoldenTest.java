package dev.pollux.inference.quantize.int8;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every histogram of the golden set {@code quantize/int8}: counts, edges and bounds of ONNX Runtime's collectors. */
@NoLeaks
class HistogramGoldenTest {

    @TestFactory
    Stream<DynamicTest> everyCollector() throws IOException {
        return Int8Golden.manifest()
                .path("histogram_collectors")
                .valueStream()
                .map(one -> DynamicTest.dynamicTest(one.path("name").asString(), () -> check(one)));
    }

    private static void check(JsonNode one) {
        String name = one.path("name").asString();
        boolean percentile = one.path("method").asString().equals("percentile");
        boolean magnitudes = percentile && one.path("symmetric").asBoolean();
        int bins = one.path("num_bins").asInt();
        Histogram histogram = magnitudes ? new MagnitudeHistogram(bins) : new SignedHistogram(bins);
        Histogram inPieces = magnitudes ? new MagnitudeHistogram(bins) : new SignedHistogram(bins);
        try (SafetensorsFile file = Int8Golden.open("histograms")) {
            for (float[] call : calls(
                    file,
                    name.substring(0, name.indexOf('.')),
                    one.path("collect_calls").asInt())) {
                histogram.collect(call);
                inPieces.extend(ObservedRange.of(call));
                for (int from = 0; from < call.length; from += 7) {
                    inPieces.count(Arrays.copyOfRange(call, from, Math.min(call.length, from + 7)));
                }
            }
            assertThat(Arrays.stream(histogram.counts())
                            .mapToInt(Math::toIntExact)
                            .toArray())
                    .isEqualTo(Int8Golden.integers(file, name + ".hist"));
            assertThat(inPieces.counts()).isEqualTo(histogram.counts());
            checkEdges(file, name + ".edges", histogram.edges());
        }
        assertThat(histogram.counts()).hasSize(one.path("final_bins").asInt());
        assertThat(histogram.observed().low())
                .isEqualTo((float) one.path("observed_min").asDouble());
        assertThat(histogram.observed().high())
                .isEqualTo((float) one.path("observed_max").asDouble());
        assertThat(range(histogram, percentile, one.path("percentile").asDouble()))
                .isEqualTo(new ValueRange((float) one.path("low").asDouble(), (float)
                        one.path("high").asDouble()));
    }

    private static ValueRange range(Histogram histogram, boolean percentile, double percent) {
        if (histogram instanceof MagnitudeHistogram magnitudes) {
            return PercentileRange.of(magnitudes, percent);
        }
        SignedHistogram signed = (SignedHistogram) histogram;
        return percentile ? PercentileRange.of(signed, percent) : EntropyRange.of(signed);
    }

    /** The arrays of a distribution, joined into so many calls. */
    private static List<float[]> calls(SafetensorsFile file, String distribution, int calls) {
        List<float[]> parts = new ArrayList<>();
        for (int i = 0; file.tensors().containsKey(distribution + "." + i); i++) {
            parts.add(file.floats(distribution + "." + i));
        }
        List<float[]> joined = new ArrayList<>();
        int each = parts.size() / calls;
        for (int call = 0; call < calls; call++) {
            int length = parts.subList(call * each, (call + 1) * each).stream()
                    .mapToInt(part -> part.length)
                    .sum();
            float[] values = new float[length];
            int at = 0;
            for (float[] part : parts.subList(call * each, (call + 1) * each)) {
                System.arraycopy(part, 0, values, at, part.length);
                at += part.length;
            }
            joined.add(values);
        }
        return joined;
    }

    /** All edges, or only the first and the last. */
    private static void checkEdges(SafetensorsFile file, String tensor, float[] edges) {
        if (file.info(tensor).type().name().equals("F64")) {
            double[] expected = Int8Golden.doubles(file, tensor);
            assertThat(new double[] {edges[0], edges[edges.length - 1]}).isEqualTo(expected);
        } else {
            assertThat(edges).isEqualTo(file.floats(tensor));
        }
    }
}
