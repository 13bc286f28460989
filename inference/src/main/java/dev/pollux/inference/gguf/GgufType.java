package dev.pollux.inference.gguf;

import dev.pollux.tensor.DType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The type of most weights of a GGUF file. Some weights get another type; see {@link GgufExport}.
 *
 * <p>{@link #Q4_K} is the mixture that llama.cpp calls {@code Q4_K_M}.
 */
public enum GgufType {
    F32(DType.F32, 0),
    F16(DType.F16, 1),
    BF16(DType.BF16, 32),
    Q8_0(DType.Q8_0, 7),
    Q4_0(DType.Q4_0, 2),
    Q4_1(DType.Q4_1, 3),
    Q5_0(DType.Q5_0, 8),
    Q4_K(DType.Q4_K, 15),
    Q6_K(DType.Q6_K, 18);

    private final DType type;
    private final int fileType;

    GgufType(DType type, int fileType) {
        this.type = type;
        this.fileType = fileType;
    }

    /** The type of matrices without an exception. */
    public DType type() {
        return type;
    }

    /** The value of {@code general.file_type}. */
    int fileType() {
        return fileType;
    }

    /** The name in lower case, such as {@code q8_0}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The type with this {@link #text}, in any case; empty if there is none. */
    public static Optional<GgufType> of(String text) {
        return Arrays.stream(values())
                .filter(type -> type.name().equals(text.toUpperCase(Locale.ROOT)))
                .findFirst();
    }

    /** The names of all types, in order. */
    public static List<String> texts() {
        return Arrays.stream(values()).map(GgufType::text).toList();
    }
}
