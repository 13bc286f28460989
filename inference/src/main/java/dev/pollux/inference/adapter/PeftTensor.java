package dev.pollux.inference.adapter;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The role of an adapter's tensor, parsed from its name in PEFT's format. <em>Immutable.</em>
 *
 * <p>M is a module's name with the prefix {@code base_model.model.}; N is the adapter's name, usually omitted:
 *
 * <pre>
 *   M.lora_A.N.weight, M.lora_embedding_A.N             A
 *   M.lora_B.N.weight, M.lora_embedding_B.N             B
 *   M.lora_B.N.bias                                     BIAS
 *   M.lora_magnitude_vector.N.weight, …vector.N         MAGNITUDE
 *   M.token_adapter.trainable_tokens_delta.N            TOKENS
 *   M.base_layer.weight, M.original_module.weight       BASE
 *   M.modules_to_save.N.weight, M.weight                WHOLE
 * </pre>
 *
 * @param target the model's tensor that it changes, such as {@code model.layers.0.self_attn.q_proj.weight}
 * @param embedding whether it is a factor of the transpose, as for embeddings
 */
public record PeftTensor(String target, Part part, boolean embedding) {

    /** The role of a tensor. */
    public enum Part {
        /** A factor (rank, columns). */
        A,
        /** A factor (rows, rank). */
        B,
        /** An addend to a bias. */
        BIAS,
        /** The row lengths of DoRA. */
        MAGNITUDE,
        /** New values of rows of an embedding. */
        TOKENS,
        /** The base matrix of training. */
        BASE,
        /** A replacement for the model's tensor. */
        WHOLE
    }

    private static final List<String> WRAPPERS =
            List.of("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.");
    private static final Pattern PREFIX = Pattern.compile("(?:module\\.)?(?:base_model\\.model\\.|base_model\\.)?");
    private static final Pattern FACTOR =
            Pattern.compile("(.+)\\.lora_(embedding_)?([AB])(?:\\.(?!weight$|bias$)[^.]+)?(?:\\.(weight|bias))?");
    private static final Pattern MAGNITUDE =
            Pattern.compile("(.+)\\.lora_magnitude_vector(?:\\.(?!weight$)[^.]+)?(?:\\.weight)?");
    private static final Pattern TOKENS = Pattern.compile("(.+)\\.trainable_tokens_delta(?:\\.[^.]+)?");

    /** Parses the name {@code tensor}; empty if it belongs to an unknown kind of adapter. */
    public static Optional<PeftTensor> parse(String tensor) {
        String name = tensor;
        for (String wrapper : WRAPPERS) {
            name = name.replace(wrapper, "");
        }
        Matcher prefix = PREFIX.matcher(name);
        name = prefix.lookingAt() ? name.substring(prefix.end()) : name;
        name = name.replace(".token_adapter.", ".");
        Matcher factor = FACTOR.matcher(name);
        if (factor.matches()) {
            boolean bias = "bias".equals(factor.group(4));
            if (bias && !factor.group(3).equals("B")) {
                return Optional.empty();
            }
            Part part = bias ? Part.BIAS : Part.valueOf(factor.group(3));
            return of(factor.group(1) + (bias ? ".bias" : ".weight"), part, factor.group(2) != null);
        }
        Matcher magnitude = MAGNITUDE.matcher(name);
        if (magnitude.matches()) {
            return of(magnitude.group(1) + ".weight", Part.MAGNITUDE, false);
        }
        Matcher tokens = TOKENS.matcher(name);
        if (tokens.matches()) {
            return of(tokens.group(1) + ".weight", Part.TOKENS, false);
        }
        if (name.contains(".lora_")) {
            return Optional.empty();
        }
        boolean base = name.contains(".base_layer.") || name.contains(".original_module.");
        String target = name.replace(".base_layer.", ".")
                .replace(".original_module.", ".")
                .replace(".modules_to_save.", ".")
                .replace(".default.", ".");
        return of(target, base ? Part.BASE : Part.WHOLE, false);
    }

    private static Optional<PeftTensor> of(String target, Part part, boolean embedding) {
        return Optional.of(new PeftTensor(target, part, embedding));
    }

    /** The name of the tensor in PEFT's file. */
    static String key(String target, Part part, boolean embedding) {
        String module = "base_model.model." + module(target);
        return switch (part) {
            case A, B -> module + (embedding ? ".lora_embedding_" + part : ".lora_" + part + ".weight");
            case BIAS -> module + ".lora_B.bias";
            case MAGNITUDE -> module + ".lora_magnitude_vector";
            case TOKENS -> module + ".token_adapter.trainable_tokens_delta";
            case BASE -> module + ".base_layer." + last(target);
            case WHOLE -> "base_model.model." + target;
        };
    }

    /** The part after the last dot. */
    static String last(String name) {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    /** The name of the module that owns {@code target}. */
    public static String module(String target) {
        int dot = target.lastIndexOf('.');
        return dot < 0 ? target : target.substring(0, dot);
    }
}
