package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.TinyDecoder;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code bench} on a model of random weights. */
@NoLeaks
class BenchCommandTest {

    @TempDir
    private Path temp;

    @Test
    void everyMeasurementThatFitsTheContextIsReported() {
        String model = TinyDecoder.llama(1).write(temp.resolve("model")).toString();
        Run run = Run.of(
                "bench",
                "--json",
                "--threads",
                "1",
                "--cache",
                temp.resolve("cache").toString(),
                model);
        JsonNode json = run.json();
        assertThat(json.propertyNames())
                .containsExactly("loadMillis", "residentBytes", "prefill", "decode", "batch", "drafting");
        assertThat(json.path("loadMillis").asInt()).isNotNegative();
        assertThat(json.path("residentBytes").asLong()).isPositive();
        rates(json.path("prefill"), "tokens");
        rates(json.path("decode"), "context");
        rates(json.path("batch"), "sequences");
        assertThat(json.path("batch")
                        .valueStream()
                        .map(rate -> rate.path("sequences").asInt()))
                .containsExactly(1, 2, 4, 8);
        assertThat(json.path("drafting").propertyNames()).containsExactly("tokensPerStep", "speedup");
        assertThat(json.path("drafting").path("tokensPerStep").asDouble()).isGreaterThanOrEqualTo(1);
        assertThat(json.path("drafting").path("speedup").asDouble()).isPositive();
        assertThat(Run.of("bench", "--cache", temp.resolve("cache").toString(), model)
                        .out())
                .contains("prefill", "tokens a second by sequences", "times as fast");
    }

    private static void rates(JsonNode rates, String size) {
        for (JsonNode rate : rates) {
            assertThat(rate.propertyNames()).containsExactly(size, "tokensPerSecond");
            assertThat(rate.path(size).asInt()).isPositive();
            assertThat(rate.path("tokensPerSecond").asDouble()).isPositive();
        }
    }

    @Test
    void aModelThatIsNotThereIsNamed() {
        Run run = Run.of("bench", temp.resolve("absent").toString());
        assertThat(run.code()).isNotEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("absent");
    }
}
