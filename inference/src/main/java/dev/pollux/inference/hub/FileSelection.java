package dev.pollux.inference.hub;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Selects files of a repository.
 *
 * <p>{@link #AUTOMATIC} selects the files that a model needs to run, once: configuration, tokenizer and chat template with the
 * safetensors (not the copies of the same weights in {@code pytorch_model.bin}, {@code original/} or {@code onnx/}); or one
 * GGUF if the repository contains only GGUF files; or one ONNX graph if it contains neither. A single pattern that matches one
 * {@code .onnx} file selects it with its external data and the other files that a model needs.
 *
 * <pre>{@code
 * FileSelection four = FileSelection.gguf("Q4_K_M");
 * FileSelection onnx = FileSelection.matching("onnx/model_q4.onnx").without("*.md");
 * }</pre>
 *
 * <p>In a pattern {@code *} matches any characters including {@code /}, and {@code ?} matches one character; other characters
 * match themselves. A pattern that ends in {@code /} matches everything below a folder. <em>Immutable.</em>
 *
 * @param quantization the name of a quantization, such as {@code Q4_K_M}, {@code F16} or {@code UD-Q4_K_XL}; empty for any
 * @param include patterns, at least one of which a path must match; empty for the automatic choice
 * @param exclude patterns, none of which a path may match
 */
public record FileSelection(String quantization, List<String> include, List<String> exclude) {

    /** The files that a model needs to run. */
    public static final FileSelection AUTOMATIC = new FileSelection("", List.of(), List.of());

    private static final int MAX_PATTERN = 1024;

    public FileSelection {
        include = List.copyOf(include);
        exclude = List.copyOf(exclude);
        if (!quantization.isEmpty() && !GgufName.isQuantization(quantization)) {
            throw new IllegalArgumentException("quantization must be a name such as Q4_K_M, IQ2_XXS, Q8_0, F16 or MXFP4"
                    + " but was '" + quantization + "'");
        }
        if (!quantization.isEmpty() && !include.isEmpty()) {
            throw new IllegalArgumentException("A selection has either a quantization or patterns but was given "
                    + quantization + " and " + include + "; leave one of them out");
        }
        include.forEach(FileSelection::checkPattern);
        exclude.forEach(FileSelection::checkPattern);
    }

    private static void checkPattern(String pattern) {
        if (pattern.isEmpty() || pattern.length() > MAX_PATTERN) {
            throw new IllegalArgumentException("A pattern must have 1 to " + MAX_PATTERN + " characters but has "
                    + pattern.length() + "; write a path such as *.gguf");
        }
    }

    /** Selects the GGUF with a quantization and all its shards. */
    public static FileSelection gguf(String quantization) {
        return new FileSelection(quantization.toUpperCase(Locale.ROOT), List.of(), List.of());
    }

    /** Selects every file whose path matches one of {@code patterns}. */
    public static FileSelection matching(String... patterns) {
        return new FileSelection("", List.of(patterns), List.of());
    }

    /** This selection without the files whose path matches one of {@code patterns}. */
    public FileSelection without(String... patterns) {
        List<String> all = new ArrayList<>(exclude);
        all.addAll(List.of(patterns));
        return new FileSelection(quantization, include, all);
    }

    boolean isAutomatic() {
        return quantization.isEmpty() && include.isEmpty();
    }

    boolean includes(String path) {
        return include.stream().anyMatch(pattern -> matches(pattern, path));
    }

    boolean excludes(String path) {
        return exclude.stream().anyMatch(pattern -> matches(pattern, path));
    }

    /** Whether {@code path} matches, in time proportional to the product of the lengths. */
    static boolean matches(String pattern, String path) {
        String p = pattern.endsWith("/") ? pattern + "*" : pattern;
        int at = 0;
        int i = 0;
        int star = -1;
        int retry = 0;
        while (i < path.length()) {
            if (at < p.length() && p.charAt(at) == '*') {
                star = at++;
                retry = i;
            } else if (at < p.length() && (p.charAt(at) == '?' || p.charAt(at) == path.charAt(i))) {
                at++;
                i++;
            } else if (star >= 0) {
                at = star + 1;
                i = ++retry;
            } else {
                return false;
            }
        }
        while (at < p.length() && p.charAt(at) == '*') {
            at++;
        }
        return at == p.length();
    }
}
