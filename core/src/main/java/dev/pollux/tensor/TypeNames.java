package dev.pollux.tensor;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Maps the type names of merge plans and model configurations to types. */
public final class TypeNames {

    /** The names of the types that can be written. */
    public static final List<String> NAMES = List.of("float32", "bfloat16", "float16");

    private TypeNames() {}

    /** The type with this name, which may begin with {@code torch.} as in Python. */
    public static Optional<DType> parse(String name) {
        String bare = name.strip().toLowerCase(Locale.ROOT);
        return switch (bare.startsWith("torch.") ? bare.substring("torch.".length()) : bare) {
            case "float32", "float", "fp32", "f32" -> Optional.of(DType.F32);
            case "bfloat16", "bf16" -> Optional.of(DType.BF16);
            case "float16", "half", "fp16", "f16" -> Optional.of(DType.F16);
            default -> Optional.empty();
        };
    }

    /** The name of a type; of one that is neither BF16 nor F16, {@code float32}. */
    public static String of(DType type) {
        return switch (type) {
            case BF16 -> "bfloat16";
            case F16 -> "float16";
            default -> "float32";
        };
    }
}
