package dev.pollux.inference.quantize.int8;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.tensor.TensorInfo;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads the golden set {@code quantize/int8}. */
final class Int8Golden {

    private Int8Golden() {}

    static Path folder() {
        return ReferenceData.golden("quantize").resolve("int8");
    }

    static JsonNode manifest() throws IOException {
        return JsonNode.parse(Files.readString(folder().resolve("manifest.json")));
    }

    static SafetensorsFile open(String name) {
        return SafetensorsFile.open(folder().resolve(name + ".safetensors"));
    }

    static ByteBuffer bytes(SafetensorsFile file, String tensor) {
        TensorInfo info = file.info(tensor);
        return file.bytes(tensor, 0, Math.toIntExact(info.byteLength())).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A tensor of signed or unsigned bytes or 32-bit integers. */
    static int[] integers(SafetensorsFile file, String tensor) {
        ByteBuffer bytes = bytes(file, tensor);
        String type = file.info(tensor).type().name();
        int width = type.endsWith("32") ? Integer.BYTES : 1;
        int[] values = new int[bytes.remaining() / width];
        for (int i = 0; i < values.length; i++) {
            int at = bytes.position() + i * width;
            values[i] = width == 4 ? bytes.getInt(at) : type.startsWith("U") ? bytes.get(at) & 0xFF : bytes.get(at);
        }
        return values;
    }

    static double[] doubles(SafetensorsFile file, String tensor) {
        ByteBuffer bytes = bytes(file, tensor);
        double[] values = new double[bytes.remaining() / Double.BYTES];
        bytes.asDoubleBuffer().get(values);
        return values;
    }
}
