package dev.pollux.inference.encoder.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.pollux.inference.encoder.DecodedStates;
import dev.pollux.inference.encoder.GraphRun;
import dev.pollux.inference.encoder.TinyCheckpoint;
import dev.pollux.inference.engine.FormulaModel;
import dev.pollux.testkit.NoLeaks;
import dev.pollux.testkit.ReferenceData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An architecture gives the same hidden states through masks as through its cache. */
@NoLeaks
class ArchitectureFamilyTest {

    /** Of a state, relative to the largest: sums in another order. */
    private static final double TOLERANCE = 2e-4;

    @TempDir
    Path temp;

    private float[] decoded(Path checkpoint, int... ids) {
        return DecodedStates.of(checkpoint, temp, ids);
    }

    private float[] encoded(Path checkpoint, int... ids) {
        Path target = temp.resolve("encoder" + ids.length);
        EncoderExport.export(checkpoint, target, EncoderWeights.FLOAT).run();
        return GraphRun.row(target.resolve(EncoderExport.MODEL_FILE), ids);
    }

    private static void assertClose(float[] actual, float[] expected, String what) {
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertThat(actual).as(what).hasSize(expected.length);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).as(what + " at " + i).isCloseTo(expected[i], within(TOLERANCE * largest));
        }
    }

    private Path tiny(String architecture, String prefix) throws Exception {
        Path folder = Files.createDirectories(temp.resolve(architecture));
        return TinyCheckpoint.decoder(folder, "LlamaForCausalLM")
                .renamed(folder, name -> prefix + name)
                .json("architectures", "['" + architecture + "']")
                .set("tie_word_embeddings", true)
                .set("embedding_multiplier", 3)
                .set("residual_multiplier", 0.7)
                .set("attention_multiplier", 0.4)
                .set("sliding_window", 3)
                .write()
                .folder();
    }

    @ParameterizedTest
    @ValueSource(strings = {"Granite", "SmolLM3", "Ernie4_5", "Ministral3", "SeedOss", "Mistral", "Llama"})
    void aDecoderWithoutAHeadGivesTheStatesThatItGivesWithOne(String stem) throws Exception {
        int[] ids = {3, 1, 4, 1, 5, 9, 2, 6};
        float[] expected = decoded(tiny(stem + "ForCausalLM", "model."), ids);
        assertClose(encoded(tiny(stem + "Model", ""), ids), expected, stem);
    }

    @Test
    void paddingOnEitherSideChangesNothing() throws Exception {
        Path checkpoint = tiny("GraniteModel", "");
        float[] alone = encoded(checkpoint, 3, 1, 4);
        float[] before = encoded(checkpoint, -1, -1, 3, 1, 4);
        float[] after = encoded(checkpoint, 3, 1, 4, -1, -1, -1);
        int width = alone.length / 3;
        assertClose(Arrays.copyOfRange(before, 2 * width, 5 * width), alone, "before");
        assertClose(Arrays.copyOf(after, alone.length), alone, "after");
    }

    static List<Path> reference() {
        return ReferenceData.cases(
                ReferenceData.golden("decoder"), path -> Files.isRegularFile(path.resolve("config.json")));
    }

    @ParameterizedTest
    @MethodSource("reference")
    void everyReferenceDecoderGivesTheSameStates(Path checkpoint) throws Exception {
        String named = EncoderExport.isKnown(checkpoint) ? EncoderExport.architecture(checkpoint) : "";
        assumeFalse(named.isEmpty(), checkpoint + " has a class of another kind");
        int[] ids = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
        assertClose(encoded(checkpoint, ids), decoded(checkpoint, ids), named);
    }

    static List<String> tinyModels() {
        return FormulaModel.names();
    }

    @ParameterizedTest
    @MethodSource("tinyModels")
    void everyTinyModelGivesTheSameStates(String name) throws Exception {
        Path checkpoint = temp.resolve("tiny");
        FormulaModel.read(name).write(checkpoint);
        int[] ids = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
        assertClose(encoded(checkpoint, ids), decoded(checkpoint, ids), name);
    }
}
