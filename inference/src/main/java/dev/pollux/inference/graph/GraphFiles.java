package dev.pollux.inference.graph;

import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** How the files of ready-made ONNX decoders are named: variants, halves and external data. */
public final class GraphFiles {

    /** What files of graphs end in. */
    public static final String ONNX = ".onnx";

    /** What follows the stem in the names of variants, in the order in which they are preferred: exact ones first. */
    public static final List<String> ORDER =
            List.of("", "_fp16", "_quantized", "_int8", "_uint8", "_q8", "_q4", "_q4f16", "_bnb4");

    private static final String FIRST = "decoder_model";
    private static final String NEXT = "decoder_with_past_model";
    private static final List<String> STEMS = List.of("model", "decoder_model_merged", FIRST);

    private GraphFiles() {}

    /** The most exact variant among {@code paths}, the first where several are; empty where no name is known. */
    public static Optional<String> preferred(Collection<String> paths) {
        for (String suffix : ORDER) {
            for (String stem : STEMS) {
                String wanted = stem + suffix + ONNX;
                Optional<String> found =
                        paths.stream().filter(path -> name(path).equals(wanted)).findFirst();
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    /** Of two graphs that take turns, one for the first step and one for those after it, the other's path. */
    public static Optional<String> otherHalf(String path) {
        String folder = path.substring(0, path.length() - name(path).length());
        for (String suffix : ORDER) {
            String first = FIRST + suffix + ONNX;
            String next = NEXT + suffix + ONNX;
            if (name(path).equals(first)) {
                return Optional.of(folder + next);
            }
            if (name(path).equals(next)) {
                return Optional.of(folder + first);
            }
        }
        return Optional.empty();
    }

    /** Whether {@code path} names the graph for the steps after the first, of two that take turns. */
    public static boolean goesOn(String path) {
        return name(path).startsWith(NEXT);
    }

    /** Whether {@code path} is by its name external data of {@code graph}: {@code model.onnx_data}, {@code model.onnx.data}. */
    public static boolean isData(String graph, String path) {
        return path.startsWith(graph) && path.substring(graph.length()).matches("[._]data(_\\d{1,4})?");
    }

    private static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
