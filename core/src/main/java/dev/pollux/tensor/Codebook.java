package dev.pollux.tensor;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * The grid points that the codes of the formats IQ1 to IQ3 select. The tables are part of the formats and loaded from a
 * resource.
 */
final class Codebook {

    private static final Map<String, byte[]> POINTS = read();

    private Codebook() {}

    /** The grid of a format, (points, width); width is 4 for IQ3 and 8 for the others. */
    static byte[] of(DType type) {
        return Objects.requireNonNull(POINTS.get(type.name()));
    }

    private static Map<String, byte[]> read() {
        try (InputStream in = Codebook.class.getResourceAsStream("codebooks.txt")) {
            if (in == null) {
                throw new IllegalStateException("The resource codebooks.txt is missing; the jar is damaged");
            }
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
                return lines.lines()
                        .filter(line -> !line.startsWith("#"))
                        .map(line -> line.split(" "))
                        .collect(Collectors.toMap(parts -> parts[0], parts -> points(parts[1].split(","), parts[2])));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] points(String[] values, String base64) {
        byte[] packed = Base64.getDecoder().decode(base64);
        int bits = values.length > 4 ? 4 : 2;
        byte[] points = new byte[packed.length * 8 / bits];
        for (int i = 0; i < points.length; i++) {
            int index = packed[i * bits / 8] >> i * bits % 8 & (1 << bits) - 1;
            points[i] = Byte.parseByte(values[index]);
        }
        return points;
    }
}
