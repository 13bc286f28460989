package dev.pollux.finetune.merge;

import dev.pollux.tensor.DType;
import dev.pollux.tensor.SafetensorsFolder;
import dev.pollux.testkit.SafetensorsBuilder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** A model whose last of two layers adds nothing to the stream. */
final class SilentLayer {

    private SilentLayer() {}

    static Path write(Path model, Path target) throws IOException {
        Files.createDirectories(target);
        SafetensorsBuilder file = new SafetensorsBuilder();
        try (SafetensorsFolder from = SafetensorsFolder.open(model)) {
            for (String name : from.tensors().keySet()) {
                boolean silent = name.matches("model\\.layers\\.1\\..*(o_proj|down_proj)\\.weight");
                float[] values = silent ? new float[from.floats(name).length] : from.floats(name);
                ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(values);
                file.tensor(
                        name,
                        DType.F32,
                        bytes.array(),
                        from.info(name).shape().stream()
                                .mapToLong(Long::longValue)
                                .toArray());
            }
        }
        Files.write(target.resolve("model.safetensors"), file.toBytes());
        for (String name : new String[] {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
            Files.copy(model.resolve(name), target.resolve(name));
        }
        return target;
    }
}
