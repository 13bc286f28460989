package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.inference.onnx.DecoderGraph;
import dev.pollux.job.JobContext;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Graphs of checkpoints from the cache. */
class DecoderGraphsTest {

    @TempDir
    Path temp;

    private DecoderGraph opened(Path model) {
        EngineOptions options =
                EngineOptions.builder().cache(temp.resolve("cache")).build();
        return DecoderGraphs.opened(model, options, JobContext.NONE);
    }

    @Test
    void copiesOfACheckpointShareAnExportAndKeepTheirNames() throws IOException {
        DecoderGraph first = opened(TinyDecoder.llama(1).write(temp.resolve("first")));
        DecoderGraph second = opened(TinyDecoder.llama(1).write(temp.resolve("second")));
        assertThat(second.file()).isEqualTo(first.file());
        assertThat(first.manifest().name()).isEqualTo("first");
        assertThat(second.manifest().name()).isEqualTo("second");
    }
}
