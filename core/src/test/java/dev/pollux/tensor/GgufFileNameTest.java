package dev.pollux.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which GGUF files of a folder are models. */
class GgufFileNameTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Model-Q8_0.gguf",
                "Q4_K_M/Model-Q4_K_M-00001-of-00002.gguf",
                "Model-MTP-Q8_0.gguf",
                "MODEL.GGUF",
                "mtp-heads/Model-Q8_0.gguf",
                "smtp-Q8_0.gguf",
            })
    void aModel(String path) {
        assertThat(GgufFile.isModelName(path)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mmproj-Model-F16.gguf",
                "Model-mmproj-F16.gguf",
                "imatrix.gguf",
                "Model.imatrix.gguf",
                "mtp-Model-Q8_0.gguf",
                "Model-mtp-Q8_0.gguf",
                "draft/eagle3-Model-Q4_K_M.gguf",
                "dflash-Model-BF16.gguf",
                "dspark-Model-Q8_0.gguf",
                "README.md",
                "gguf",
            })
    void noModel(String path) {
        assertThat(GgufFile.isModelName(path)).isFalse();
    }
}
