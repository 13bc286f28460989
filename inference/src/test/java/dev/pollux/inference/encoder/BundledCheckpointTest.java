package dev.pollux.inference.encoder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.embedding.TextRole;
import dev.pollux.job.JobContext;
import dev.pollux.testkit.NoLeaks;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bundled embedding model in floats. */
@NoLeaks
class BundledCheckpointTest {

    /** Activations of the bundled model are rounded to 8 bits. */
    private static final double COSINE = 0.98;

    @TempDir
    Path temp;

    @Test
    void itGivesNearlyTheVectorsOfTheBundledModel() {
        List<String> texts = List.of(
                "How are models merged?", "The contract ends on 31 December 2027.", "Apples are red or green fruit.");
        Path folder = BundledCheckpoint.in(temp, JobContext.NONE);
        assertThat(BundledCheckpoint.in(temp, JobContext.NONE)).isEqualTo(folder);
        EmbedderOptions options =
                EmbedderOptions.builder().cache(temp.resolve("cache")).build();
        try (OnnxEmbedder bundled = OnnxEmbedder.bundled();
                OnnxEmbedder floats = OnnxEmbedder.open(folder, options)) {
            assertThat(floats.info().maxTokens()).isEqualTo(bundled.info().maxTokens());
            float[][] expected = bundled.embed(texts, TextRole.PASSAGE);
            float[][] found = floats.embed(texts, TextRole.PASSAGE);
            for (int i = 0; i < texts.size(); i++) {
                double cosine = 0;
                for (int j = 0; j < found[i].length; j++) {
                    cosine += (double) found[i][j] * expected[i][j];
                }
                assertThat(cosine).as(texts.get(i)).isGreaterThan(COSINE);
            }
        }
    }
}
