package dev.pollux.inference.hub;

import dev.pollux.tensor.GgufFile;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the path of a GGUF file says: {@code Q4_K_M/Llama-3.2-1B-Q4_K_M-00001-of-00002.gguf}.
 *
 * <p>There is no standard, so names are read as publishers write them: with {@code -} or {@code .} before the
 * quantization, in either case, with a folder named after it, with {@code fp16} for {@code F16}. <em>Immutable.</em>
 *
 * @param path the path in its repository
 * @param model the path without the number of the shard: shards of one model have the same
 * @param quantization in upper case, such as {@code Q4_K_M} or {@code UD-Q4_K_XL}; empty where the path names none
 * @param shard from 1 on
 * @param shards how many there are; 1 for a whole file
 */
record GgufName(String path, String model, String quantization, int shard, int shards) {

    /** Block types and their mixtures, as llama.cpp and those who publish for it name them. */
    private static final String NAME =
            "(?:UD-)?(?:I?Q[1-8](?:_[A-Z0-9]{1,3}){0,3}|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|F16|FP16|F32|FP32|F64)";

    private static final Pattern QUANTIZATION = Pattern.compile(NAME);
    private static final Pattern IN_PATH = Pattern.compile("(?<=^|[-._/])" + NAME + "(?=$|[-./])");
    private static final Pattern SHARD = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf", Pattern.CASE_INSENSITIVE);

    static boolean isQuantization(String name) {
        return QUANTIZATION.matcher(name.toUpperCase(Locale.ROOT)).matches();
    }

    /** What {@code path} says; empty where it is no model in GGUF; see {@link GgufFile#isModelName}. */
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

    /** Whether this is what a request for {@code wanted} means, letter for letter but for its case. */
    boolean is(String wanted) {
        return quantization.equals(canonical(wanted.toUpperCase(Locale.ROOT)));
    }

    /** The same, where the publisher's own mixture of that name, {@code UD-}, will do. */
    boolean isNearly(String wanted) {
        return quantization.equals("UD-" + canonical(wanted.toUpperCase(Locale.ROOT)));
    }
}
