package dev.pollux.finetune.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.ReferenceData;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Scores of answers are those of SQuAD's script. */
class AnswerScoreGoldenTest {

    @TestFactory
    Stream<DynamicTest> exactMatchAndF1AreThoseOfSquad() {
        JsonNode pairs = JsonFile.object(ReferenceData.golden("text-metrics").resolve("pairs.json"))
                .orElseThrow()
                .path("pairs");
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode pair : pairs) {
            tests.add(DynamicTest.dynamicTest(tests.size() + "", () -> {
                List<String> references = new ArrayList<>();
                pair.path("references").forEach(one -> references.add(one.asString("")));
                AnswerScore score = AnswerScore.of(pair.path("prediction").asString(""), references);
                JsonNode expected = pair.path("expected");
                assertThat(score.exactMatch())
                        .isEqualTo(expected.path("exact_match").asDouble(-1));
                assertThat(score.tokenF1()).isCloseTo(expected.path("token_f1").asDouble(-1), within(1e-12));
            }));
        }
        return tests.stream();
    }
}
