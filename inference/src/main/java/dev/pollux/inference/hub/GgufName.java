package dev.pollux.inference.hub;

import dev.pollux.tensor.GgufFile;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The components of a GGUF file's path: {@code Q4_K_M/Llama-3.2-1B-Q4_K_M-00001-of-00002.gguf}.
 *
 * <p>There is no standard, so the parser accepts the spellings that publishers use: {@code -} or {@code .} before the
 * quantization, either case, a folder named after the quantization, {@code fp16} for {@code F16}. <em>Immutable.</em>
 *
 * @param path the path in its repository
 * @param model the path without the shard number, which is equal for all shards of a model
 * @param quantization in upper case, such as {@code Q4_K_M} or {@code UD-Q4_K_XL}; empty if the path names none
 * @param shard the number of the shard, from 1
 * @param shards the number of shards; 1 for a whole file
 */
record GgufName(String path, String model, String quantization, int shard, int shards) {

    /** Block types and mixtures of them, with the names that llama.cpp and publishers use. */
    private static final String NAME =
            "(?:UD-)?(?:I?Q[1-8](?:_[A-Z0-9]{1,3}){0,3}|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|F16|FP16|F32|FP32|F64)";

    private static final Pattern QUANTIZATION = Pattern.compile(NAME);
    private static final Pattern IN_PATH = Pattern.compile("(?<=^|[-._/])" + NAME + "(?=$|[-./])");
    private static final Pattern SHARD = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf", Pattern.CASE_INSENSITIVE);

    static boolean isQuantization(String name) {
        return QUANTIZATION.matcher(name.toUpperCase(Locale.ROOT)).matches();
    }

    /** Parses {@code path}; empty if it is not a GGUF model; see {@link GgufFile#isModelName}. */
    static Optional<GgufName> of(String path) {
        if (!GgufFile.isModelName(path)) {
            return Optional.empty();
        }
        Matcher sharded = SHARD.matcher(path);
        boolean shard = sharded.matches();
        String model = shard ? sharded.group(1) : path.substring(0, path.length() - ".gguf".length());
        return Optional.of(new GgufName(
                path,
                model,
                lastQuantization(model.toUpperCase(Locale.ROOT)),
                shard ? Integer.parseInt(sharded.group(2)) : 1,
                shard ? Integer.parseInt(sharded.group(3)) : 1));
    }

    private static String lastQuantization(String upper) {
        Matcher matcher = IN_PATH.matcher(upper);
        String last = "";
        while (matcher.find()) {
            last = matcher.group();
        }
        return canonical(last);
    }

    private static String canonical(String name) {
        return name.startsWith("FP") ? name.substring(0, 1) + name.substring(2) : name;
    }

    /** Whether the quantization equals {@code wanted}, ignoring case. */
    boolean is(String wanted) {
        return quantization.equals(canonical(wanted.toUpperCase(Locale.ROOT)));
    }

    /** The same, but also accepts the publisher's own mixture of that name, {@code UD-}. */
    boolean isNearly(String wanted) {
        return quantization.equals("UD-" + canonical(wanted.toUpperCase(Locale.ROOT)));
    }
}
