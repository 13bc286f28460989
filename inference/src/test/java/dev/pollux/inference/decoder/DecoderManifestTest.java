package dev.pollux.inference.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.checkpoint.Checkpoint;
import dev.pollux.inference.graph.ElementType;
import dev.pollux.inference.graph.StateTensor;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The manifest of an exported folder as it is written and read. */
class DecoderManifestTest {

    @TempDir
    Path temp;

    private Path export;
    private Path file;
    private String written;

    @BeforeEach
    void anExport() throws IOException {
        export = temp.resolve("export");
        Path model = TinyDecoder.llama(1).write(temp.resolve("model"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            DecoderExport.export(checkpoint, export, ExportOptions.DEFAULTS).run();
        }
        file = export.resolve(DecoderManifest.FILE);
        written = Files.readString(file);
    }

    @Test
    void sequencesCanShareAStep() {
        DecoderManifest manifest = DecoderManifest.read(export);
        assertThat(manifest.isBatched()).isTrue();
        for (StateTensor state : manifest.states()) {
            assertThat(state.shape()).hasSize(4).startsWith(-1);
            assertThat(state.shape(5, 256)).containsExactly(5, state.shape().get(1), 256, TinyDecoder.HEAD);
        }
    }

    @Test
    void whatIsReadIsWhatWasWritten() {
        DecoderManifest manifest = DecoderManifest.read(export);
        manifest.write(temp);
        assertThat(temp.resolve(DecoderManifest.FILE)).hasContent(written);
        assertThat(DecoderManifest.read(temp)).isEqualTo(manifest);
    }

    @Test
    void aFolderOfAnEarlierFormatIsRefused() throws IOException {
        replace("\"format\" : 4", "\"format\" : 3");
        assertThatThrownBy(() -> DecoderManifest.read(export))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + ": format must be 4 but was 3; export the model again");
    }

    @Test
    void aStateOfAnotherShapeIsRefused() throws IOException {
        StateTensor state = DecoderManifest.read(export).states().get(0);
        int heads = state.shape().get(1);
        String own = "-1, " + heads + ", -1, " + TinyDecoder.HEAD;
        for (String other :
                new String[] {"1, " + heads + ", -1, 16", "-1, " + heads + ", -1, 0", "-1, -1, -1, 16", "-1"}) {
            replace("[ " + own + " ]", "[ " + other + " ]");
            assertThatThrownBy(() -> DecoderManifest.read(export))
                    .isInstanceOf(MalformedFileException.class)
                    .hasMessage(file + " is not a decoder manifest: shape must be [-1, heads, -1, width] but was ["
                            + other.replace(" ", "") + "]; export the model again");
        }
    }

    @Test
    void aStateOfAnUnknownTypeOrWindowIsRefused() throws IOException {
        replace(
                "\"input\" : \"past_key_values.0.key\",",
                "\"input\" : \"past_key_values.0.key\", \"type\" : \"INT4\",");
        assertThatThrownBy(() -> DecoderManifest.read(export))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + " is not a decoder manifest: type must be FLOAT or FLOAT16 but was \"INT4\";"
                        + " export the model again");
        Files.writeString(
                file, written.replaceFirst("KEY_VALUE", "WINDOW").replaceFirst("-1, 1, -1, 16", "-1, 1, 700, 16"));
        assertThatThrownBy(() -> DecoderManifest.read(export))
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(file + " is not a decoder manifest: shape must be [-1, heads, the rows of a sliding window,"
                        + " width] but was [-1,1,700,16]; export the model again");
    }

    @Test
    void aCacheInHalfPrecisionHasItsType() {
        Path half = temp.resolve("half");
        try (Checkpoint checkpoint = Checkpoint.open(temp.resolve("model"))) {
            ExportOptions options =
                    ExportOptions.builder().cache(CacheFormat.FLOAT16).build();
            ExportReport report =
                    DecoderExport.export(checkpoint, half, options).run();
            long whole = DecoderExport.preview(checkpoint, ExportOptions.DEFAULTS)
                    .step()
                    .cacheBytes();
            assertThat(report.step().cacheBytes()).isEqualTo(whole / 2);
        }
        assertThat(DecoderManifest.read(half).cacheType()).isEqualTo(ElementType.FLOAT16);
        assertThat(DecoderManifest.read(export).cacheType()).isEqualTo(ElementType.FLOAT);
    }

    private void replace(String part, String other) throws IOException {
        assertThat(written).contains(part);
        Files.writeString(file, written.replace(part, other));
    }
}
