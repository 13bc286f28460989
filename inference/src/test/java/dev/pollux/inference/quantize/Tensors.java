package dev.pollux.inference.quantize;

import dev.pollux.inference.internal.JsonNode;
import dev.pollux.tensor.SafetensorsFile;
import dev.pollux.testkit.ReferenceData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The tensors of one case of the golden set {@code quantize}. */
record Tensors(SafetensorsFile file, String name) {

    /** The cases of a folder's manifest. */
    static List<JsonNode> cases(String folder, String list) throws IOException {
        Path manifest = ReferenceData.golden("quantize").resolve(folder).resolve("manifest.json");
        return JsonNode.parse(Files.readString(manifest))
                .path(list)
                .valueStream()
                .toList();
    }

    static SafetensorsFile open(String folder, String file) {
        return SafetensorsFile.open(
                ReferenceData.golden("quantize").resolve(folder).resolve(file));
    }

    boolean has(String tensor) {
        return file.tensors().containsKey(name + "." + tensor);
    }

    int dim(String tensor, int axis) {
        return Math.toIntExact(file.info(name + "." + tensor).shape().get(axis));
    }

    float[] floats(String tensor) {
        return file.floats(name + "." + tensor);
    }

    private ByteBuffer stored(String tensor) {
        dev.pollux.tensor.TensorInfo info = file.info(name + "." + tensor);
        return file.bytes(name + "." + tensor, 0, Math.toIntExact(info.byteLength()));
    }

    byte[] bytes(String tensor) {
        ByteBuffer stored = stored(tensor);
        byte[] bytes = new byte[stored.remaining()];
        stored.get(bytes);
        return bytes;
    }

    long[] longs(String tensor) {
        ByteBuffer stored = stored(tensor);
        long[] values = new long[stored.remaining() / Long.BYTES];
        stored.asLongBuffer().get(values);
        return values;
    }

    /** A matrix (rows, columns) turned to (columns, rows). */
    static float[] transposed(float[] values, int rows, int columns) {
        float[] turned = new float[values.length];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                turned[c * rows + r] = values[r * columns + c];
            }
        }
        return turned;
    }

    /** x (m, k) times w (n, k) transposed, in double precision. */
    static double[] product(float[] x, float[] w, int k) {
        int m = x.length / k;
        int n = w.length / k;
        double[] y = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                for (int a = 0; a < k; a++) {
                    y[i * n + j] += (double) x[i * k + a] * w[j * k + a];
                }
            }
        }
        return y;
    }

    /** ‖a − b‖ / ‖b‖. */
    static double relative(double[] a, double[] b) {
        double off = 0;
        double norm = 0;
        for (int i = 0; i < b.length; i++) {
            off += (a[i] - b[i]) * (a[i] - b[i]);
            norm += b[i] * b[i];
        }
        return norm == 0 ? Math.sqrt(off) : Math.sqrt(off / norm);
    }

    static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }
}
