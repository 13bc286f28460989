package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.decoder.DecoderExport;
import dev.pollux.inference.decoder.ExportOptions;
import dev.pollux.inference.decoder.WeightFormat;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tiny models of formula weights give the logits that transformers gives. */
@NoLeaks
class FamilyLogitsTest {

    /** The smallest tolerance of the reference data; sums in another order move a logit by a hundredth of it. */
    private static final double TOLERANCE = 1e-4;

    @TempDir
    Path temp;

    static List<String> variants() {
        return FormulaModel.names();
    }

    @ParameterizedTest
    @MethodSource("variants")
    void aFamilyGivesTheLogitsOfItsReference(String variant) throws IOException {
        FormulaModel model = FormulaModel.read(variant);
        model.write(temp.resolve("model"));
        ExportOptions floats =
                ExportOptions.builder().weights(WeightFormat.FLOAT).build();
        try (Checkpoint checkpoint = Checkpoint.open(temp.resolve("model"))) {
            DecoderExport.export(checkpoint, temp.resolve("export"), floats).run();
        }
        EngineOptions engine =
                EngineOptions.builder().prefillChunk(5).threads(1).build();
        int[] prompt = model.prompt();
        double[] errors = new double[3]; // in one pass, token by token, after truncation
        try (DecoderModel decoder = DecoderModel.open(temp.resolve("export"), engine);
                DecoderSequence whole = decoder.sequence();
                DecoderSequence single = decoder.sequence()) {
            errors[0] = model.error(prompt.length - 1, whole.append(prompt));
            for (int i = 0; i < prompt.length; i++) {
                errors[1] = Math.max(errors[1], model.error(i, single.append(prompt[i])));
            }
            single.truncate(3);
            for (int i = 3; i < prompt.length; i++) {
                FloatBuffer last = single.append(prompt[i]);
                errors[2] = Math.max(errors[2], model.error(i, last));
            }
        }
        for (double error : errors) {
            assertThat(error).as(Arrays.toString(errors)).isLessThanOrEqualTo(TOLERANCE);
        }
    }

    /** Eight bits turn logits a little; a matrix that is taken for another one turns them about. */
    @ParameterizedTest
    @MethodSource("variants")
    void aFamilyRunsInEightBits(String variant) throws IOException {
        FormulaModel model = FormulaModel.read(variant);
        model.write(temp.resolve("model"));
        ExportOptions rounded = ExportOptions.builder()
                .weights(WeightFormat.BITS_8)
                .blockSize(16)
                .build();
        try (Checkpoint checkpoint = Checkpoint.open(temp.resolve("model"))) {
            DecoderExport.export(checkpoint, temp.resolve("export"), rounded).run();
        }
        EngineOptions engine = EngineOptions.builder().threads(1).adapters(true).build();
        int[] prompt = model.prompt();
        try (DecoderModel decoder = DecoderModel.open(temp.resolve("export"), engine);
                DecoderSequence sequence = decoder.sequence()) {
            double[] cosines = new double[prompt.length];
            for (int i = 0; i < prompt.length; i++) {
                cosines[i] = model.cosine(i, sequence.append(prompt[i]));
            }
            Arrays.sort(cosines); // a router between two experts may turn single tokens
            assertThat(cosines[prompt.length / 2]).as(Arrays.toString(cosines)).isGreaterThan(0.99);
        }
    }
}
