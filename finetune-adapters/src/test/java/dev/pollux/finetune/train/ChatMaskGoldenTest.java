package dev.pollux.finetune.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.finetune.internal.training.TokenBatch.Sequence;
import dev.pollux.inference.checkpoint.ModelTexts;
import dev.pollux.inference.checkpoint.SpecialTokens;
import dev.pollux.inference.internal.JsonFile;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.testkit.ReferenceData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Token ids and trained tokens of rows are those that the reference tool prepares, for every template. */
class ChatMaskGoldenTest {

    private static final Path SET = ReferenceData.golden("finetune/chat");

    @TestFactory
    Stream<DynamicTest> rowsAreMaskedAsByTheReferenceTool() {
        List<DynamicTest> tests = new ArrayList<>();
        int at = 0;
        for (JsonNode one :
                JsonFile.object(SET.resolve("masks.json")).orElseThrow().path("cases")) {
            String name = at++ + " " + one.path("template").asString("text") + " "
                    + one.path("mode").asString("");
            if (!one.has("error")) { // a template without marks, which the tool refuses
                tests.add(DynamicTest.dynamicTest(name, () -> check(one)));
            }
        }
        return tests.stream();
    }

    private static void check(JsonNode one) throws Exception {
        String template =
                one.path("used_template").asString(one.path("template").asString(""));
        Optional<String> source =
                template.isEmpty() ? Optional.empty() : Optional.of(Files.readString(SET.resolve(template + ".jinja")));
        ModelTexts texts = ModelTexts.in(SET.resolve("tokenizer"));
        SpecialTokens special = texts.specialTokens();
        int most = one.path("options").path("max_length").asInt(1 << 20);
        TrainingRow row = new RowReader("golden").read(1, one.path("row"));
        try (RowTokenizer rows = new RowTokenizer("golden", texts.tokenizer().orElseThrow(), source, special, most)) {
            RowTokenizer.Tokens tokens = rows.supervised(row, targets(one));
            if (one.has("labels") && one.path("num_targets").asInt(1) == 0) { // kept by the tool, refused here
                assertThatThrownBy(() -> rows.fitted(row, tokens, false))
                        .isInstanceOf(MalformedFileException.class)
                        .hasMessage("golden: row 1 has no token to train; correct or remove the row");
                return;
            }
            Optional<Sequence> found = rows.fitted(row, tokens, false);
            if (one.has("dropped")) {
                assertThat(found).isEmpty();
                return;
            }
            assertThat(found.orElseThrow().ids()).isEqualTo(TrajectoryCase.ints(one.path("input_ids")));
            int[] labels = TrajectoryCase.ints(one.path("labels"));
            boolean[] trained = new boolean[labels.length];
            for (int i = 0; i < labels.length; i++) {
                trained[i] = labels[i] >= 0;
            }
            assertThat(found.orElseThrow().isTarget()).isEqualTo(trained);
        }
    }

    private static TrainingOptions.Targets targets(JsonNode one) {
        String mode = one.path("mode").asString("");
        if (mode.contains("assistant") || mode.equals("truncated")) {
            return TrainingOptions.Targets.ASSISTANT;
        }
        return mode.equals("prompt_and_completion") ? TrainingOptions.Targets.ALL : TrainingOptions.Targets.AUTOMATIC;
    }
}
