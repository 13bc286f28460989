package dev.pollux.inference.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class EmbedderOptionsTest {

    @Test
    void theBuilderBeginsWithTheDefaults() {
        assertThat(EmbedderOptions.builder().build()).isEqualTo(EmbedderOptions.DEFAULTS);
        assertThat(EmbedderOptions.DEFAULTS.longText()).isEqualTo(LongText.REFUSE);
        assertThat(EmbedderOptions.DEFAULTS.workers())
                .isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(EmbedderOptions.DEFAULTS.normalize()).isTrue();
    }

    @Test
    void keepsWhatWasSet() {
        EmbedderOptions options = EmbedderOptions.builder()
                .file("onnx/model.onnx")
                .output("out")
                .pooling(Pooling.CLS, Pooling.MAX)
                .queryPrefix("q: ")
                .passagePrefix("p: ")
                .normalize(false)
                .maxTokens(77)
                .longText(LongText.WINDOWED)
                .windowOverlap(7)
                .workers(3)
                .build();
        assertThat(options.file()).isEqualTo(Optional.of("onnx/model.onnx"));
        assertThat(options.output()).isEqualTo(Optional.of("out"));
        assertThat(options.pooling()).containsExactly(Pooling.CLS, Pooling.MAX);
        assertThat(options.queryPrefix()).isEqualTo(Optional.of("q: "));
        assertThat(options.passagePrefix()).isEqualTo(Optional.of("p: "));
        assertThat(options.normalize()).isFalse();
        assertThat(options.maxTokens()).hasValue(77);
        assertThat(options.longText()).isEqualTo(LongText.WINDOWED);
        assertThat(options.windowOverlap()).isEqualTo(7);
        assertThat(options.workers()).isEqualTo(3);
    }

    @Test
    void saysWhatIsOutOfRange() {
        EmbedderOptions.Builder builder = EmbedderOptions.builder();
        assertRefused(builder.workers(0), "workers must be in [1, 1024] but was 0");
        assertRefused(builder.workers(1).windowOverlap(-1), "windowOverlap must be at least 0 but was -1");
        assertRefused(builder.windowOverlap(0).maxTokens(0), "maxTokens must be at least 1 but was 0");
        assertRefused(
                builder.maxTokens(1).pooling(Pooling.CLS, Pooling.CLS),
                "pooling must be free of repetitions but was [CLS, CLS]");
    }

    private static void assertRefused(EmbedderOptions.Builder builder, String message) {
        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }
}
